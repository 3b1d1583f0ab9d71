/** Variables of a procedure, of a namespace, and of all: plain ones and arrays, and links to those of others (`upvar`). */
import { TclError } from './errors.ts';

export interface Variable {
  value?: string;
  /** Of an array. */
  elements?: Map<string, Variable>;
}

export interface Namespace {
  /** `::` for the outermost, else `::a::b`. */
  readonly name: string;
  readonly variables: Map<string, Variable>;
}

/** What a procedure, or the script outside of all, can see. */
export interface Frame {
  readonly level: number;
  /** The frame of `uplevel 1`. */
  readonly caller: Frame | undefined;
  readonly namespace: Namespace;
  /** Those of the namespace itself outside of procedures. */
  readonly variables: Map<string, Variable>;
  /** The words of the call, for `info level`. */
  readonly words: readonly string[];
}

export const ROOT = '::';

/** `a(b)` → its two parts. */
export function splitElement(name: string): { readonly base: string; readonly index?: string } {
  if (!name.endsWith(')')) return { base: name };
  const open = name.indexOf('(');
  return open === -1 ? { base: name } : { base: name.slice(0, open), index: name.slice(open + 1, -1) };
}

/** The namespace before the last `::`, if there is one, and what comes after it. */
export function splitQualified(name: string): { readonly space?: string; readonly tail: string } {
  const at = name.lastIndexOf('::');
  return at === -1 ? { tail: name } : { space: name.slice(0, at) || ROOT, tail: name.slice(at + 2) };
}

export class Variables {
  readonly root: Namespace = { name: ROOT, variables: new Map() };
  readonly global: Frame;
  frame: Frame;
  readonly #spaces = new Map<string, Namespace>([[ROOT, this.root]]);

  constructor() {
    this.global = {
      level: 0,
      caller: undefined,
      namespace: this.root,
      variables: this.root.variables,
      words: [],
    };
    this.frame = this.global;
  }

  /** By its name as seen from here; made if it is missing. */
  space(name: string): Namespace {
    const full = this.fullName(name);
    let found = this.#spaces.get(full);
    if (!found) {
      found = { name: full, variables: new Map() };
      this.#spaces.set(full, found);
    }
    return found;
  }

  hasSpace(name: string): boolean {
    return this.#spaces.has(this.fullName(name));
  }

  /** `a::b` → `::a::b`. */
  fullName(name: string): string {
    if (name.startsWith('::'))
      return name.length > 2 ? name.replace(/:{3,}/g, '::').replace(/::$/, '') || ROOT : ROOT;
    if (name === '') return this.frame.namespace.name;
    const here = this.frame.namespace.name;
    return here === ROOT ? `::${name}` : `${here}::${name}`;
  }

  /** The map that holds a name, and its name there. */
  #home(name: string, make: boolean): { readonly map: Map<string, Variable>; readonly key: string } {
    const { space, tail } = splitQualified(name);
    if (space === undefined) {
      const { variables, namespace } = this.frame;
      // A namespace sees the outermost variables that it has not itself.
      if (variables === namespace.variables && !variables.has(tail) && !make && this.root.variables.has(tail))
        return { map: this.root.variables, key: tail };
      return { map: variables, key: tail };
    }
    const full = this.fullName(space);
    const known = this.#spaces.get(full) ?? this.#spaces.get(space.startsWith('::') ? space : `::${space}`);
    if (!known) {
      if (make) throw new TclError(`can't set "${name}": parent namespace doesn't exist`);
      return { map: new Map(), key: tail };
    }
    return { map: known.variables, key: tail };
  }

  /** The variable or the element; `undefined`: there is none. */
  find(base: string, index?: string): Variable | undefined {
    const { map, key } = this.#home(base, false);
    const found = map.get(key);
    return index === undefined ? found : found?.elements?.get(index);
  }

  /** The same, made if it is missing. Throws `TclError`. */
  make(base: string, index?: string): Variable {
    const { map, key } = this.#home(base, true);
    let found = map.get(key);
    if (!found) {
      found = {};
      map.set(key, found);
    }
    if (index === undefined) return found;
    if (found.value !== undefined) throw new TclError(`can't set "${base}(${index})": variable isn't array`);
    found.elements ??= new Map();
    let element = found.elements.get(index);
    if (!element) {
      element = {};
      found.elements.set(index, element);
    }
    return element;
  }

  get(base: string, index?: string): string {
    const value = this.find(base, index)?.value;
    if (value !== undefined) return value;
    throw this.#unreadable(base, index);
  }

  #unreadable(base: string, index: string | undefined): TclError {
    const name = index === undefined ? base : `${base}(${index})`;
    const whole = this.find(base);
    const why =
      whole === undefined || (whole.value === undefined && !whole.elements)
        ? 'no such variable'
        : index === undefined
          ? 'variable is array'
          : whole.elements
            ? 'no such element in array'
            : "variable isn't array";
    return new TclError(`can't read "${name}": ${why}`, `set ${name} before it is used`);
  }

  set(base: string, index: string | undefined, value: string): void {
    const variable = this.make(base, index);
    if (variable.elements) throw new TclError(`can't set "${base}": variable is array`);
    variable.value = value;
  }

  /** Returns whether there was one. */
  unset(base: string, index?: string): boolean {
    const { map, key } = this.#home(base, false);
    const found = map.get(key);
    if (index !== undefined) return found?.elements?.delete(index) ?? false;
    if (!found || (found.value === undefined && !found.elements)) return false;
    // Links to it see that it is gone.
    delete found.value;
    delete found.elements;
    map.delete(key);
    return true;
  }

  /** `local` here is from now on the same variable as that one. */
  link(local: string, variable: Variable): void {
    const { map, key } = this.#home(local, true);
    map.set(key, variable);
  }

  exists(base: string, index?: string): boolean {
    const found = this.find(base, index);
    return found !== undefined && (found.value !== undefined || found.elements !== undefined);
  }
}
