/** Prints the logs of one or several endpoints, once or while they grow. */

import { LinePrefix } from './line-prefix.ts';
import { LogReader } from './log-reader.ts';

export interface Printed {
  readonly node: string;
  readonly path: string;
}

export interface PrintPlan {
  readonly tail?: number;
  readonly follow: boolean;
}

export interface PrintPorts {
  /** Resolves to false if nobody reads any more. */
  readonly write: (bytes: Uint8Array) => Promise<boolean>;
  /** Resolves when it is time to look again. */
  readonly wait: () => Promise<unknown>;
  readonly hasEnded: () => boolean;
}

interface Source {
  readonly reader: LogReader;
  readonly prefix: LinePrefix | undefined;
}

/**
 * With several files, each line gets its endpoint's name. Once: file after file. Following: as lines come, until the
 * experiment has ended and everything is printed. Ends early if nobody reads. Throws system errors.
 */
export async function printLogs(
  files: readonly Printed[],
  { follow, tail }: PrintPlan,
  ports: PrintPorts,
): Promise<void> {
  const width = Math.max(...files.map(({ node }) => node.length));
  const sources = files.map(({ node, path }): Source => {
    const prefix = files.length > 1 ? new LinePrefix(`${node.padEnd(width)} | `) : undefined;
    return { reader: new LogReader(path, { ...(tail !== undefined && { tail }), once: !follow }), prefix };
  });
  try {
    if (follow) await followAll(sources, ports);
    else for (const source of sources) if (!(await printAll(source, ports))) return;
  } finally {
    for (const { reader } of sources) reader.close();
  }
}

async function printAll(source: Source, { write }: PrintPorts): Promise<boolean> {
  for (let bytes = source.reader.read(); bytes.length > 0; bytes = source.reader.read())
    if (!(await write(source.prefix?.push(bytes) ?? bytes))) return false;
  return write(source.prefix?.end() ?? Buffer.alloc(0));
}

/** One piece of each in turn, so that an endpoint that writes without end doesn't hide the others. */
async function followAll(sources: readonly Source[], { write, wait, hasEnded }: PrintPorts): Promise<void> {
  for (;;) {
    // Asked first: what was written before the end is read after it.
    const isLast = hasEnded();
    let isQuiet = true;
    for (const { reader, prefix } of sources) {
      const bytes = reader.read();
      if (bytes.length === 0) continue;
      isQuiet = false;
      if (!(await write(prefix?.push(bytes) ?? bytes))) return;
    }
    if (!isQuiet) continue;
    if (isLast) break;
    await wait();
  }
  for (const { prefix } of sources) await write(prefix?.end() ?? Buffer.alloc(0));
}
