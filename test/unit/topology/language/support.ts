/** Files that name each other, in memory. */
import {
  type Diagnostic,
  type LoadedTopology,
  loadTopology,
  TopologyError,
} from '../../../../topology/load.ts';

export interface Written {
  readonly files?: Readonly<Record<string, string>>;
  readonly set?: Readonly<Record<string, string>>;
  readonly outside?: boolean;
}

export function load(text: string, { files = {}, set, outside = false }: Written = {}): LoadedTopology {
  return loadTopology(text, 'lab/main.yaml', undefined, undefined, {
    outside,
    ...(set && { set: new Map(Object.entries(set)) }),
    read: (path) =>
      Object.hasOwn(files, path) ? { text: files[path]! } : { problem: 'there is no such file' },
  });
}

/** What a file that must be refused is refused for. */
export function errors(text: string, written: Written = {}): readonly Diagnostic[] {
  try {
    load(text, written);
  } catch (error) {
    if (error instanceof TopologyError) return error.diagnostics.filter((one) => one.severity === 'error');
    throw error;
  }
  throw new Error('the file was accepted');
}

/** `main.yaml:3:7 VARIABLE_UNKNOWN`. */
export const placeOf = ({ file, line, column, code }: Diagnostic): string =>
  `${file}:${line}:${column} ${code}`;
