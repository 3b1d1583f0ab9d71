/** All that a script has made so far, how it is found again, and what is told of the script. */
import { type Micros, micros } from '../../../proto/units.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { EventAction, Target } from '../../model/events.ts';
import { MAX_ENDPOINTS, MAX_SCRIPT_EVENTS } from '../../model/limits.ts';
import { Suggestions } from '../../model/names.ts';
import type { Notes, Place } from '../../networks/notes.ts';
import { TclError, TclStop } from '../../tcl/errors.ts';
import type { Call, Interpreter, ScriptText } from '../../tcl/interpreter.ts';
import {
  KIND_NAMES,
  type Lan,
  type Link,
  type Node,
  nameOf,
  type OneWay,
  type Other,
  type Thing,
  type ThingOf,
} from './things.ts';

/** What a thing does when it is called: `$link down`. `args`: after the method's name. */
export type Method<T> = (thing: T, args: readonly string[], call: Call) => string;
export type Methods<T> = Readonly<Record<string, Method<T>>>;

/** Something that the script does at an instant. */
export interface Due {
  readonly at: Micros;
  readonly script: ScriptText;
  readonly place: Place;
}

/** An event whose target has no name yet. */
export interface Happening {
  readonly at: Micros;
  readonly place: Place;
  /** What the command stands in the script for, in messages. */
  readonly field: string;
  /** Absent: it is about the whole experiment. */
  readonly of?: Link | Lan | OneWay | Node;
  readonly make: (targets: readonly Target[]) => EventAction;
  /** Of a program that a sequence waits for. */
  readonly waits?: { readonly code: number; readonly timeout?: Micros };
}

/** What happens at once, or a time in which nothing does. */
export type Part =
  | { readonly kind: 'step'; readonly happenings: readonly Happening[] }
  | { readonly kind: 'pause'; readonly time: Micros };

/** A sequence that the script has started. */
export interface PlayedSequence {
  readonly at: Micros;
  readonly name: string;
  readonly place: Place;
  readonly parts: readonly Part[];
  /** What it does if a step fails. */
  readonly errors: readonly Part[];
}

export interface Collecting {
  readonly parts: Part[];
  /** The step that is being read. */
  step: Happening[];
  /** Whether it waits for programs. */
  readonly waits: boolean;
}

/** The array with what parameters are instead of their defaults. */
export const SETTINGS = 'netfold_parameters';
/** A thing takes as long as so many commands, and more memory. */
const STEPS_OF_A_THING = 3;

export class World {
  readonly tcl: Interpreter;
  readonly findings: Findings;
  readonly notes: Notes;
  readonly nodes: Node[] = [];
  readonly links: Link[] = [];
  readonly lans: Lan[] = [];
  readonly others: Other[] = [];
  readonly due: Due[] = [];
  readonly happenings: Happening[] = [];
  readonly sequences: PlayedSequence[] = [];
  /** What a sequence does that is being read; absent: none is. */
  collecting: Collecting | undefined;
  /** Within `make-simulated`. */
  isSimulating = false;
  #parts = 0;
  /** What is read once the whole script is known. */
  readonly atEnd: (() => void)[] = [];
  /** Names of `define-template-parameter`. */
  readonly parameters = new Set<string>();
  /** Variables of classes: `Queue set limit_ 50`. */
  readonly classValues = new Map<string, string>();
  /** `undefined`: the script is not playing events. */
  now: Micros | undefined;
  routing: string | undefined;
  isEmulab = false;
  readonly #things = new Map<string, Thing>();
  readonly #byEnds = new Map<string, Link>();
  readonly #told = new Set<string>();
  readonly #suggestions = new Suggestions();
  #counter = 0;

  constructor(tcl: Interpreter, findings: Findings, notes: Notes) {
    this.tcl = tcl;
    this.findings = findings;
    this.notes = notes;
  }

  /** Keeps a thing, which is from now on a command. Returns its handle. */
  add<T extends Thing>(
    make: (handle: string) => T,
    call: (thing: T, args: readonly string[], call: Call) => string,
  ): string {
    this.tcl.budget.spend(STEPS_OF_A_THING);
    const handle = `_o${++this.#counter}`;
    const thing = make(handle);
    this.#things.set(handle, thing);
    this.tcl.commands.set(handle, (args, at) => call(thing, args, at));
    if (thing.kind === 'node') {
      if (this.nodes.length >= MAX_ENDPOINTS)
        throw new TclStop('limit', `there are more than ${MAX_ENDPOINTS} nodes`);
      this.nodes.push(thing);
    } else if (thing.kind === 'link') {
      this.links.push(thing);
      const [a, b] = thing.ends;
      this.#byEnds.set(`${a.handle} ${b.handle}`, thing);
      if (thing.back) this.#byEnds.set(`${b.handle} ${a.handle}`, thing);
    } else if (thing.kind === 'lan') this.lans.push(thing);
    else if (thing.kind === 'other') this.others.push(thing);
    return handle;
  }

  /** A variable gets a value. If that is a thing without a name, the thing has the variable's. */
  assigned(base: string, index: string | undefined, value: string): string {
    const thing = this.#things.get(value);
    if (!thing || thing.name !== undefined) return value;
    const plain = base.slice(base.lastIndexOf(':') + 1);
    const name = index === undefined ? plain : `${plain}-${index}`;
    thing.name = name;
    const run = this.tcl.commands.get(thing.handle)!;
    // Events may name it bare; what is called so already stays what it is.
    if (this.tcl.commands.has(name) || this.#things.has(name)) return value;
    this.tcl.commands.set(name, run);
    this.#things.set(name, thing);
    return name;
  }

  thing(text: string): Thing | undefined {
    return this.#things.get(text);
  }

  /** Throws `TclError`. */
  the<K extends Thing['kind']>(text: string | undefined, ...kinds: readonly K[]): ThingOf<K> {
    const thing = text === undefined ? undefined : this.#things.get(text);
    if (thing && (kinds as readonly string[]).includes(thing.kind)) return thing as ThingOf<K>;
    const wanted = `a ${kinds.map((kind) => KIND_NAMES[kind]).join(' or a ')}`;
    const found =
      text === undefined
        ? 'nothing is given'
        : thing
          ? `${quote(nameOf(thing))} is a ${KIND_NAMES[thing.kind]}`
          : `${quote(text)} is none`;
    throw new TclError(`expected ${wanted}, but ${found}`, 'give the variable that holds it, e.g. $n0');
  }

  /** The link that leads from one node to the other. Throws `TclError`. */
  linkBetween(from: Node, to: Node): Link {
    const link = this.#byEnds.get(`${from.handle} ${to.handle}`);
    if (link) return link;
    throw new TclError(
      `there is no link from ${nameOf(from)} to ${nameOf(to)}`,
      'make it before, with duplex-link',
    );
  }

  schedule(due: Due): void {
    if (this.due.length >= MAX_SCRIPT_EVENTS)
      throw new TclStop('limit', `the script has more than ${MAX_SCRIPT_EVENTS} events`);
    this.due.push(due);
  }

  happen(happening: Omit<Happening, 'at'>): void {
    if (this.happenings.length >= MAX_SCRIPT_EVENTS)
      throw new TclStop('limit', `there are more than ${MAX_SCRIPT_EVENTS} events`);
    const happens = { ...happening, at: this.now ?? micros(0) };
    if (!this.collecting) this.happenings.push(happens);
    else if (++this.#parts > MAX_SCRIPT_EVENTS)
      throw new TclStop('limit', `there are more than ${MAX_SCRIPT_EVENTS} events`);
    else this.collecting.step.push(happens);
  }

  /** Something of the script means nothing here: told once in full. `what`: its name. */
  leaveOut(what: string, place: Place, message: string, remedy = ''): void {
    // In a loop it is the same one.
    const key = `${place.line} ${what}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.notes.tell({ code: 'KEY_IGNORED', what, shown: 1 }, place, what, message, remedy);
  }

  /** A name that nothing has: most likely a slip. */
  unknown(name: string, what: string, known: () => Iterable<string>, place: Place): void {
    const key = `${place.line} unknown ${name}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const shown = name.slice(0, 60);
    this.notes.tell(
      { code: 'NAME_UNKNOWN', what: `unknown: ${shown}`, shown: 1 },
      place,
      shown,
      `${what} ${quote(name)}: it is left out`,
      this.#suggestions.of(name, known, ''),
    );
  }

  /** Runs what may be refused; the refusal is told, and the script goes on. */
  attempt(place: Place, field: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof TclError)) throw error;
      this.findings.error('VALUE_INVALID', error.place ?? place, field, error.message, error.remedy);
    }
  }
}

/** What is made for each script once. */
export function perWorld<T>(make: (world: World) => T): (world: World) => T {
  const made = new WeakMap<World, { readonly value: T }>();
  return (world) => {
    const known = made.get(world) ?? { value: make(world) };
    made.set(world, known);
    return known.value;
  };
}

/** Calls the method of a thing that its first argument names. */
export function callMethod<T extends Thing>(
  world: World,
  methods: Methods<T>,
  thing: T,
  args: readonly string[],
  call: Call,
): string {
  const [name, ...rest] = args;
  if (name === undefined)
    throw new TclError(`nothing is asked of the ${KIND_NAMES[thing.kind]} ${nameOf(thing)}`);
  if (Object.hasOwn(methods, name)) return methods[name]!(thing, rest, call);
  world.unknown(name, `a ${KIND_NAMES[thing.kind]} has no`, () => Object.keys(methods), call.place);
  return '';
}
