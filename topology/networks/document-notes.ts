/** What is told of a file of YAML, by the paths of its parts. */
import type { DiagnosticCode } from '../model/diagnostics.ts';
import type { Position } from '../model/position.ts';
import type { Notes, Place } from './notes.ts';

export type Path = readonly (string | number)[];

/** Where parts of a file stand. */
interface Placed {
  at(path: Path): Place;
}

export class DocumentNotes {
  readonly #file: string;
  readonly #document: Placed;
  readonly #notes: Notes;

  constructor(file: string, document: Placed, notes: Notes) {
    this.#file = file;
    this.#document = document;
    this.#notes = notes;
  }

  /** As `Notes.tell`. */
  tell(code: DiagnosticCode, what: string, path: Path, message: string, remedy: string): void {
    this.#notes.tell({ code, what }, this.#document.at(path), fieldOf(path), message, remedy);
  }

  /** As `Notes.drop`. */
  drop(key: string, owner: string, path: Path): void {
    this.#notes.drop(key, owner, this.#document.at(path), fieldOf(path));
  }

  position(path: Path): Position {
    return { file: this.#file, ...this.#document.at(path) };
  }
}

/** `services.web.ports[0]` */
export function fieldOf(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}
