/** A format of topology files. `formats/registry.ts` has them all. */
import type { Findings } from './diagnostics.ts';
import type { ParsedFile } from './parsed-file.ts';
import type { PopulationOf } from './population.ts';

export interface TextFile {
  /** Its name, for messages and positions. */
  readonly file: string;
  readonly text: string;
}

/** What the command line says about a file, for formats with variables and includes. */
export interface Extras {
  /** Values of variables instead of those of the file. */
  readonly set?: ReadonlyMap<string, string>;
  /** Reads another file that the file names. Absent: none can be read. */
  readonly read?: (path: string) => { readonly text: string } | { readonly problem: string };
  /** The same of a file that is no text. */
  readonly readBytes?: (path: string) => { readonly bytes: Uint8Array } | { readonly problem: string };
  /** Whether the text of the file is asked for, also where nothing in it is expanded. */
  readonly isExpansionWanted?: boolean;
  /** Whether others may be outside of the folder of the file. */
  readonly outside?: boolean;
}

/** What a parser needs from outside of the file. */
export interface ParseContext {
  readonly extras?: Extras;
  /** The topology's name if the file gives none. */
  readonly name: string;
  /** The effect of a script's events on replicas, if a script is given with the file. */
  readonly populationOf: PopulationOf;
}

/**
 * Gives `undefined` if there is nothing to check further; `findings` then has the reason. The events are not checked
 * yet. May throw `TooMuchWork`.
 */
export type Reader = (source: TextFile, context: ParseContext, findings: Findings) => ParsedFile | undefined;

export interface Format {
  readonly name: string;
  /** Whether its files have variables. */
  readonly hasVariables?: boolean;
  readonly detect: {
    /** Of the text, where nothing but this format has it: whatever the file's name is. */
    readonly anyEnding?: Pick<RegExp, 'test'>;
    /** Of the file's name; it comes before any `content`. */
    readonly ending: RegExp;
    /** Of the text, where the file's name has no ending of any format. Absent: the ending is needed. */
    readonly content?: RegExp;
  };
  /**
   * Loads its modules, which are many: those of formats that no file has are not needed. `asked`: what alone will be read, if
   * that is known; what this one does not need is not loaded either.
   */
  readonly reader: (asked?: { readonly source: TextFile; readonly extras: Extras }) => Promise<Reader>;
}
