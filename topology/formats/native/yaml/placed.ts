/** A plain value, with the position in the file of each part of it. */
import type { YamlPlaces } from '../../../syntax/yaml-places.ts';
import { formatPath, type Path, type Place } from '../expand/origins.ts';

export type { Path, Place } from '../expand/origins.ts';

/** A file as its reader sees it: the value, and where its parts stand. */
export interface NativeDocument {
  readonly value: unknown;
  /** The position of the value at `path`, or of the nearest enclosing part that exists. */
  at(path: Path): Place;
  /** Of a character of the text at `path`; of the text itself if it is not written as it is. */
  inside(path: Path, index: number): Place;
  /** The place of the key `key` of the mapping at `path`. */
  atKey(path: Path, key: string): Place;
  /** The user's text at `path`, up to a line; `undefined` if there is none. */
  source(path: Path): string | undefined;
  /** The positions of the entries of the mapping or list at `path`, in order of the file. */
  entries(path: Path): Map<string | number, Place>;
  /** How messages call it. */
  field(path: Path): string;
}

export class PlacedDocument implements NativeDocument {
  readonly value: unknown;
  readonly #tree: Tree;
  readonly #text: string;
  readonly #file: string | undefined;

  /** `file`: if it is not that of the findings. */
  constructor(value: unknown, tree: Tree, text: string, file?: string) {
    this.#file = file;
    this.value = value;
    this.#tree = tree;
    this.#text = text;
  }

  /** The position of the value at `path`, or of the nearest enclosing part that exists. */
  at(path: Path): Place {
    return this.#place(this.#tree.nearest(path));
  }

  /** Of a character of the text at `path`; of the text itself if it is not written as it is. */
  inside(path: Path, index: number): Place {
    const place = this.at(path);
    const span = this.#tree.span(path);
    const first = span && this.#text[span.start];
    // Texts of several lines, and those with an anchor or a tag, stand elsewhere than they begin.
    if (first === undefined || '|>&!*'.includes(first)) return place;
    return { ...place, column: place.column + index + (first === '"' || first === "'" ? 1 : 0) };
  }

  /** The place of the key `key` of the mapping at `path`. */
  atKey(path: Path, key: string): Place {
    return this.#place(this.#tree.key(path, key) ?? this.#tree.nearest(path));
  }

  /** The user's text at `path`, up to a line; `undefined` if there is none. */
  source(path: Path): string | undefined {
    const span = this.#tree.span(path);
    if (!span) return undefined;
    const source = this.#text.slice(span.start, Math.min(span.end, span.start + 200)).split('\n')[0]!;
    return /^(["']).*\1$/.test(source) ? source.slice(1, -1) : source;
  }

  /** The positions of the entries of the mapping or list at `path`, in order of the file. */
  entries(path: Path): Map<string | number, Place> {
    return new Map(this.#tree.entries(path).map(([key, offset]) => [key, this.#place(offset)]));
  }

  field(path: Path): string {
    return formatPath(path);
  }

  #place(offset: number): Place {
    const { line, column } = this.#tree.position(offset);
    return { line, column, ...(this.#file !== undefined && { file: this.#file }) };
  }
}

/** Where the parts of a text stand, as offsets in it. */
export type Tree = Pick<YamlPlaces, 'nearest' | 'span' | 'key' | 'entries' | 'position'>;
