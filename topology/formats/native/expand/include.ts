/** `include`: other files whose content belongs to a file, each once, in the order in which they are needed. */
import { type Findings, quote } from '../../../model/diagnostics.ts';
import type { Files } from './files.ts';
import { asMapping, fieldOf, type Origin, placeOf, type Source } from './origins.ts';

export interface Part {
  readonly file: string;
  readonly source: Source;
  /** Whether it is the file that was named. */
  readonly isMain: boolean;
}

/** Reads a file as YAML; what is wrong is in the findings. */
export type ParseText = (text: string, file: string) => Source | undefined;

/** The included files before those that include them; the main one is the last. */
export function partsOf(
  main: Source,
  file: string,
  files: Files,
  parse: ParseText,
  findings: Findings,
): Part[] {
  return new Includer(files, parse, findings).parts(main, file);
}

class Includer {
  readonly #files: Files;
  readonly #parse: ParseText;
  readonly #findings: Findings;
  readonly #parts: Part[] = [];
  readonly #done = new Set<string>();

  constructor(files: Files, parse: ParseText, findings: Findings) {
    this.#files = files;
    this.#parse = parse;
    this.#findings = findings;
  }

  parts(main: Source, file: string): Part[] {
    this.#add(main, file, [file]);
    return this.#parts;
  }

  /** `open`: the files that include each other up to this one. */
  #add(source: Source, file: string, open: readonly string[]): void {
    this.#done.add(file);
    this.#included(source).forEach(([name, origin]) => {
      const path = this.#files.pathOf(name, file, origin);
      if (path === undefined) return;
      if (open.includes(path)) {
        const circle = [...open.slice(open.indexOf(path)), path].map((one) => quote(one)).join(' includes ');
        this.#refuse(origin, `a circle: ${circle}`, 'remove one of these');
      } else if (!this.#done.has(path)) {
        const found = this.#files.read(path, origin);
        const parsed = found && this.#parse(found.text, path);
        if (parsed) this.#add(parsed, path, [...open, path]);
      }
    });
    this.#parts.push({ file, source, isMain: open.length === 1 });
  }

  #included(source: Source): [string, Origin][] {
    const written = asMapping(source.value)?.include;
    if (written === undefined || written === null) return [];
    const names: readonly unknown[] = Array.isArray(written) ? written : [written];
    return names.flatMap((name, index): [string, Origin][] => {
      const origin: Origin = { source, path: Array.isArray(written) ? ['include', index] : ['include'] };
      if (typeof name === 'string') return [[name, origin]];
      this.#refuse(origin, 'this is no name of a file', 'write e.g. include: [racks.yaml]');
      return [];
    });
  }

  #refuse(origin: Origin, message: string, remedy: string): void {
    this.#findings.error('INCLUDE', placeOf(origin), fieldOf(origin), message, remedy);
  }
}
