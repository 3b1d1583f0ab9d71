/** Where the parts of an expanded file stand in the user's files: through variables, ranges, defaults and includes. */
import { quote } from '../../../model/diagnostics.ts';

export type Path = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
  /** Absent: the file that is being read. */
  readonly file?: string;
}

/** A file of YAML as the user has written it. */
export interface Source {
  readonly value: unknown;
  at(path: Path): Place;
  atKey(path: Path, key: string): Place;
  /** Of a character of the text at `path`. */
  inside(path: Path, index: number): Place;
  /** The user's text at `path`, up to a line; `undefined` if there is none. */
  source(path: Path): string | undefined;
}

/** Where something stands: at a path of a file, or at a place of another file (a table). */
export type Origin =
  | { readonly source: Source; readonly path: Path }
  | { readonly place: Place; readonly field: string };

/** The origins of the entries of containers. Entries without one stand where their container does. */
export class Origins {
  readonly #of = new WeakMap<object, Map<string, Origin>>();

  set(container: object, key: string | number, origin: Origin): void {
    let known = this.#of.get(container);
    if (!known) {
      known = new Map();
      this.#of.set(container, known);
    }
    known.set(String(key), origin);
  }

  get(container: object, key: string | number): Origin | undefined {
    return this.#of.get(container)?.get(String(key));
  }
}

/** A value, and where its parts come from. */
export class ExpandedDocument {
  readonly value: object;
  readonly #root: Source;
  readonly #origins: Origins;

  constructor(value: object, root: Source, origins: Origins) {
    this.value = value;
    this.#root = root;
    this.#origins = origins;
  }

  at(path: Path): Place {
    return placeOf(this.#find(path).origin);
  }

  /** Of a character of a text; of the whole text where variables made another one of it. */
  inside(path: Path, index: number): Place {
    const { node, origin } = this.#find(path);
    const isWritten = 'source' in origin && valueAt(origin.source.value, origin.path) === node;
    return isWritten ? origin.source.inside(origin.path, index) : placeOf(origin);
  }

  atKey(path: Path, key: string): Place {
    const { node } = this.#find(path);
    const own = isContainer(node) ? this.#origins.get(node, key) : undefined;
    return keyPlaceOf(own ?? below(this.#find(path).origin, key));
  }

  /** The user's text; where variables or ranges made another one of it, what they made. */
  source(path: Path): string | undefined {
    const { node, origin } = this.#find(path);
    if (node === undefined) return undefined;
    if (!('source' in origin)) return textOf(node);
    const written = valueAt(origin.source.value, origin.path);
    return written === node || isContainer(node) ? origin.source.source(origin.path) : textOf(node);
  }

  entries(path: Path): Map<string | number, Place> {
    const { node } = this.#find(path);
    const places = new Map<string | number, Place>();
    if (Array.isArray(node)) for (const index of node.keys()) places.set(index, this.at([...path, index]));
    else if (isContainer(node)) for (const key of Object.keys(node)) places.set(key, this.atKey(path, key));
    return places;
  }

  /** How messages call it: as the user's file has it. */
  field(path: Path): string {
    const { origin } = this.#find(path);
    return 'source' in origin ? formatPath(origin.path) : origin.field;
  }

  #find(path: Path): { node: unknown; origin: Origin } {
    let node: unknown = this.value;
    let origin: Origin = { source: this.#root, path: [] };
    for (const step of path) {
      const known = isContainer(node) ? this.#origins.get(node, step) : undefined;
      origin = known ?? below(origin, step);
      node = isContainer(node) && Object.hasOwn(node, step) ? (node as Container)[step] : undefined;
    }
    return { node, origin };
  }
}

type Container = Readonly<Record<string | number, unknown>>;

export function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `undefined` for lists and scalars. */
export function asMapping(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isContainer(value) && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

export function below(origin: Origin, step: string | number): Origin {
  return 'source' in origin ? { source: origin.source, path: [...origin.path, step] } : origin;
}

export function placeOf(origin: Origin): Place {
  return 'source' in origin ? origin.source.at(origin.path) : origin.place;
}

export function fieldOf(origin: Origin): string {
  return 'source' in origin ? formatPath(origin.path) : origin.field;
}

/** Of a key of a mapping, or of an entry of a list. */
export function keyPlaceOf(origin: Origin): Place {
  if (!('source' in origin)) return origin.place;
  const last = origin.path.at(-1);
  return typeof last === 'string'
    ? origin.source.atKey(origin.path.slice(0, -1), last)
    : origin.source.at(origin.path);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function valueAt(value: unknown, path: Path): unknown {
  let node = value;
  for (const step of path)
    node = isContainer(node) && Object.hasOwn(node, step) ? (node as Container)[step] : undefined;
  return node;
}

/** `links[2].latency`, `services.client.replicas`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const shown = /^[\w-]+$/.test(step) ? step : quote(step);
    return text === '' ? shown : `${text}.${shown}`;
  }, '');
}

/**
 * Of a field that a link and each of its directions may have: calls `replace` for the link, and for a copy of each direction that
 * has the field, which takes the direction's place: what a file says may stand in it by reference several times. `originOf`: of a
 * field of the link; `direction`: `undefined` for the link.
 */
export function inEachDirection(
  link: Record<string, unknown>,
  field: string,
  originOf: (key: string) => Origin,
  replace: (fields: Record<string, unknown>, origin: Origin, direction: 'up' | 'down' | undefined) => void,
): void {
  replace(link, originOf(field), undefined);
  for (const direction of ['up', 'down'] as const) {
    const own = asMapping(link[direction]);
    if (own?.[field] === undefined) continue;
    const copy = { ...own };
    replace(copy, below(originOf(direction), field), direction);
    link[direction] = copy;
  }
}
