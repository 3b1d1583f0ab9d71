/** Where the parts of a simple file of YAML stand, as offsets in its text (simple-yaml.ts). */

type Path = readonly (string | number)[];
type Container = Readonly<Record<string | number, unknown>>;

/** Offsets of a value: its first character, and one past its last (of a block: of the text). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Mappings with more keys get an index when something is sought in them. */
const MANY_KEYS = 40;

export class YamlPlaces {
  readonly #text: string;
  /** Of each mapping and list: its start; then of each entry, in order: the start of its key, its value's start and end. */
  readonly #offsets = new Map<object, number[]>();
  readonly #indices = new Map<object, ReadonlyMap<string, number>>();
  #root: object | undefined;
  #lines: Int32Array | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  setRoot(root: object): void {
    this.#root = root;
  }

  /** The list to which the offsets of the container's entries are added. */
  begin(container: object, start: number): number[] {
    const offsets = [start];
    this.#offsets.set(container, offsets);
    return offsets;
  }

  /** Of a container. */
  startOf(container: object): number {
    return this.#offsets.get(container)![0]!;
  }

  /** The start of the value at `path`, or of the nearest enclosing one. */
  nearest(path: Path): number {
    let start = this.startOf(this.#root!);
    let node: unknown = this.#root;
    for (const step of path) {
      const entry = this.#entry(node, step);
      if (entry === -1) break;
      start = this.#offsets.get(node as object)![entry + 1]!;
      node = (node as Container)[step];
    }
    return start;
  }

  /** `undefined`: there is nothing at `path`. */
  span(path: Path): Span | undefined {
    const inner = path.at(-1);
    if (inner === undefined) return { start: this.startOf(this.#root!), end: this.#text.length };
    const container = this.#valueAt(path.slice(0, -1));
    const entry = this.#entry(container, inner);
    if (entry === -1) return undefined;
    const offsets = this.#offsets.get(container as object)!;
    return { start: offsets[entry + 1]!, end: offsets[entry + 2]! };
  }

  /** The start of a key of the mapping at `path`. */
  key(path: Path, key: string): number | undefined {
    const container = this.#valueAt(path);
    if (Array.isArray(container)) return undefined;
    const entry = this.#entry(container, key);
    return entry === -1 ? undefined : this.#offsets.get(container as object)![entry];
  }

  /** The starts of keys, or of a list's entries, in order of the file. */
  entries(path: Path): [string | number, number][] {
    const container = this.#valueAt(path);
    const offsets = this.#offsets.get(container as object);
    if (!offsets) return [];
    const keys = Array.isArray(container) ? [...container.keys()] : Object.keys(container as object);
    return keys.map((key, index) => [key, offsets[1 + 3 * index]!]);
  }

  /** Line and column of an offset, both from 1. */
  position(offset: number): { line: number; column: number } {
    this.#lines ??= lineStarts(this.#text);
    let [low, high] = [0, this.#lines.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lines[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - this.#lines[low]! + 1 };
  }

  #valueAt(path: Path): unknown {
    let node: unknown = this.#root;
    for (const step of path) {
      if (this.#entry(node, step) === -1) return undefined;
      node = (node as Container)[step];
    }
    return node;
  }

  /** The index of an entry's offsets; -1: there is none. */
  #entry(container: unknown, step: string | number): number {
    if (typeof container !== 'object' || container === null) return -1;
    if (Array.isArray(container)) {
      const index = Number(step);
      return Number.isInteger(index) && index >= 0 && index < container.length ? 1 + 3 * index : -1;
    }
    const key = String(step);
    if (!Object.hasOwn(container, key)) return -1;
    const known = this.#indices.get(container);
    if (known) return known.get(key)!;
    const keys = Object.keys(container);
    if (keys.length <= MANY_KEYS) return 1 + 3 * keys.indexOf(key);
    const indices = new Map(keys.map((one, index) => [one, 1 + 3 * index]));
    this.#indices.set(container, indices);
    return indices.get(key)!;
  }
}

function lineStarts(text: string): Int32Array {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return Int32Array.from(starts);
}
