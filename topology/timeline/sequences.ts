/**
 * Which steps of sequences are due when. It follows from the file and from what was told (`notify`, `ended`) alone, each with its
 * instant, so all hosts with the same commands have the same steps at the same instants. Pure.
 */
import { type Micros, micros } from '../../proto/units.ts';
import { ENDPOINT_ONLY } from '../events/scopes.ts';
import type { Targets } from '../events/targets.ts';
import type { EndedAction, NotifyAction, Target, TopologyEvent } from '../model/events.ts';
import type { Expectation } from '../model/expectations.ts';
import type { Topology } from '../model/model.ts';
import { formatReference, type NodeReference } from '../model/names.ts';
import { type Cause, type Sequence, type SequenceStep, witnessOf } from '../model/sequences.ts';

export interface SequenceState {
  readonly name: string;
  /** `waits`: for its beginning. */
  readonly state: 'waits' | 'runs' | 'done' | 'failed';
  /** Its step, from 1; null: it has none now. */
  readonly step: number | null;
  /** Since when; null: it waits. */
  readonly since: Micros | null;
  /** Whom, or what, it waits for; what has failed. Empty: nothing. */
  readonly about: readonly string[];
}

export interface Unfolded {
  /** The same instant and step are the same object each time. */
  readonly events: readonly TopologyEvent[];
  readonly states: readonly SequenceState[];
}

/** A text that endpoints log: each then notifies the name. */
export interface AwaitedLog {
  readonly name: string;
  readonly text: string;
  readonly endpoints: readonly string[];
}

/** An expectation that a step waits for: the host of the endpoint tells when it holds, or that it did not in time. */
export interface AwaitedCondition {
  readonly sequence: string;
  /** From 1. */
  readonly step: number;
  readonly endpoint: string;
  readonly expectation: Expectation;
  readonly timeout: Micros | undefined;
}

/** What was told of sequences. */
export type Told = TopologyEvent & { readonly action: NotifyAction | EndedAction };

export const isTold = (event: TopologyEvent): event is Told =>
  event.action.verb === 'notify' || event.action.verb === 'ended';

export class Sequences {
  readonly #byName: ReadonlyMap<string, Sequence>;
  /** Names of the endpoints that a step is about. */
  readonly #endpoints = new Map<SequenceStep, readonly string[]>();
  readonly #events = new Map<string, TopologyEvent>();

  /** Throws `TargetError` if targets are wrong. `names`: of the endpoints, by number. */
  constructor({ sequences = [] }: Pick<Topology, 'sequences'>, targets: Targets, names: readonly string[]) {
    this.#byName = new Map(sequences.map((one) => [one.name, one]));
    const named = (all: readonly Target[]): string[] =>
      targets.select(all, 'run', ENDPOINT_ONLY).endpoints.map((number) => names[number]!);
    for (const step of sequences.flatMap(({ steps }) => steps)) {
      if (step.kind === 'program') this.#endpoints.set(step, named(step.action.targets));
      if (step.kind === 'wait' && step.from) this.#endpoints.set(step, named(step.from));
      const node = step.kind === 'condition' ? witnessOf(step.expectation) : undefined;
      if (node) this.#endpoints.set(step, named([{ kind: 'node', node, position: step.position }]));
    }
  }

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  /** Whether something waits for the name: from endpoints, others are of no use. */
  isAwaited(name: string): boolean {
    return [...this.#byName.values()].some(
      ({ start, steps }) =>
        ('after' in start && start.after.name === name) ||
        steps.some((step) => step.kind === 'wait' && step.name === name),
    );
  }

  /** Texts in logs for which steps wait, and the names of the endpoints. */
  get logs(): readonly AwaitedLog[] {
    return [...this.#endpoints].flatMap(([step, endpoints]) =>
      step.kind === 'wait' && step.log !== undefined ? [{ name: step.name, text: step.log, endpoints }] : [],
    );
  }

  get conditions(): readonly AwaitedCondition[] {
    return [...this.#byName.values()].flatMap(({ name, steps }) =>
      steps.flatMap((step, index) => {
        const [endpoint] = this.#endpoints.get(step) ?? [];
        if (step.kind !== 'condition' || endpoint === undefined) return [];
        const { expectation, timeout } = step;
        return [{ sequence: name, step: index + 1, endpoint, expectation, timeout }];
      }),
    );
  }

  /** Whether there is such a program in the endpoint, or it has to say whether an expectation holds. */
  has({ sequence, step, endpoint }: Pick<EndedAction, 'sequence' | 'step' | 'endpoint'>): boolean {
    const found = this.#byName.get(sequence)?.steps[step - 1];
    return found !== undefined && (this.#endpoints.get(found)?.includes(numbered(endpoint)) ?? false);
  }

  unfold(told: readonly Told[]): Unfolded {
    const unfolding = new Unfolding(this.#byName, this.#endpoints, new Facts(told), this.#events);
    for (const sequence of this.#byName.values()) unfolding.follow(sequence);
    const { events, states } = unfolding;
    return { events, states: [...this.#byName.keys()].map((name) => states.get(name)!) };
  }
}

/** The endpoint's name, as everywhere: numbered. */
const numbered = ({ name, replica = 0 }: NodeReference): string => formatReference({ name, replica });

interface End {
  readonly at: Micros;
  readonly code: number | undefined;
}

/** The first of each kind counts. */
class Facts {
  readonly #notified = new Map<string, Micros>();
  readonly #ended = new Map<string, End>();

  constructor(told: readonly Told[]) {
    for (const { at, action } of told)
      if (action.verb === 'ended') {
        const key = keyOf(action.sequence, action.step, numbered(action.endpoint));
        if (at < (this.#ended.get(key)?.at ?? Number.POSITIVE_INFINITY))
          this.#ended.set(key, { at, code: action.code });
      } else {
        const keys = [action.name, ...(action.from ? [keyOf(action.name, 0, numbered(action.from))] : [])];
        for (const key of keys)
          if (at < (this.#notified.get(key) ?? Number.POSITIVE_INFINITY)) this.#notified.set(key, at);
      }
  }

  notified(name: string, endpoint?: string): Micros | undefined {
    return this.#notified.get(endpoint === undefined ? name : keyOf(name, 0, endpoint));
  }

  ended(sequence: string, step: number, endpoint: string): End | undefined {
    return this.#ended.get(keyOf(sequence, step, endpoint));
  }
}

const keyOf = (name: string, step: number, endpoint: string): string => `${name} ${step} ${endpoint}`;

type ConditionStep = Extract<SequenceStep, { kind: 'condition' }>;

/** Where a sequence is after a step. */
type Progress =
  | { readonly kind: 'on'; readonly at: Micros }
  | { readonly kind: 'waits'; readonly about: readonly string[] }
  | { readonly kind: 'failed'; readonly at: Micros; readonly about: readonly string[] };

class Unfolding {
  readonly events: TopologyEvent[] = [];
  readonly states = new Map<string, SequenceState>();
  readonly #byName: ReadonlyMap<string, Sequence>;
  readonly #endpoints: ReadonlyMap<SequenceStep, readonly string[]>;
  readonly #facts: Facts;
  readonly #known: Map<string, TopologyEvent>;
  /** Those that are being followed: they wait for each other. */
  readonly #open = new Set<string>();

  constructor(
    byName: ReadonlyMap<string, Sequence>,
    endpoints: ReadonlyMap<SequenceStep, readonly string[]>,
    facts: Facts,
    known: Map<string, TopologyEvent>,
  ) {
    this.#byName = byName;
    this.#endpoints = endpoints;
    this.#facts = facts;
    this.#known = known;
  }

  follow(sequence: Sequence): SequenceState | undefined {
    const { name, start } = sequence;
    const found = this.states.get(name);
    if (found || this.#open.has(name)) return found;
    this.#open.add(name);
    const begun = 'at' in start ? start.at : this.#causedAt(start.after);
    const waits = { name, state: 'waits', step: null, since: null } as const;
    const state =
      begun === undefined
        ? { ...waits, about: 'after' in start ? [causeText(start.after)] : [] }
        : this.#steps(sequence, begun);
    this.#open.delete(name);
    this.states.set(name, state);
    return state;
  }

  #steps({ name, steps }: Sequence, begun: Micros): SequenceState {
    let at = begun;
    for (const [index, step] of steps.entries()) {
      const number = index + 1;
      const progress = this.#step(name, number, step, at);
      if (progress.kind === 'failed') {
        const { about } = progress;
        return { name, state: 'failed', step: number, since: progress.at, about };
      }
      if (progress.kind === 'waits')
        return { name, state: 'runs', step: number, since: at, about: progress.about };
      at = progress.at;
    }
    return { name, state: 'done', step: null, since: at, about: [] };
  }

  #step(name: string, number: number, step: SequenceStep, at: Micros): Progress {
    switch (step.kind) {
      case 'action':
        this.#add(name, number, at, step, step.action);
        return { kind: 'on', at };
      case 'pause':
        return { kind: 'on', at: micros(at + step.time) };
      case 'wait':
        return this.#wait(step, at);
      case 'program': {
        const { action, timeout } = step;
        const program = { sequence: name, step: number, ...(timeout !== undefined && { timeout }) };
        this.#add(name, number, at, step, { ...action, program });
        return this.#program(name, number, step, at);
      }
      case 'condition':
        return this.#condition(name, number, step, at);
    }
  }

  #add(
    name: string,
    number: number,
    at: Micros,
    { position }: SequenceStep,
    action: TopologyEvent['action'],
  ): void {
    const key = `${name} ${number} ${at}`;
    const event = this.#known.get(key) ?? { at, action, position };
    this.#known.set(key, event);
    this.events.push(event);
  }

  #wait(step: Extract<SequenceStep, { kind: 'wait' }>, at: Micros): Progress {
    const endpoints = this.#endpoints.get(step);
    const times = endpoints
      ? endpoints.map((endpoint) => this.#facts.notified(step.name, endpoint))
      : [this.#causedAt({ name: step.name, fails: false })];
    const missing = endpoints?.filter((_, index) => times[index] === undefined) ?? [];
    if (times.includes(undefined))
      return {
        kind: 'waits',
        about: [awaitedText(step, missing)],
      };
    return { kind: 'on', at: latest(at, times as Micros[]) };
  }

  #program(
    name: string,
    number: number,
    step: Extract<SequenceStep, { kind: 'program' }>,
    at: Micros,
  ): Progress {
    const endpoints = this.#endpoints.get(step)!;
    const ends = endpoints.map((endpoint) => this.#facts.ended(name, number, endpoint));
    const running = endpoints.filter((_, index) => !ends[index]);
    if (running.length > 0) return { kind: 'waits', about: running };
    const last = latest(
      at,
      ends.map((end) => end!.at),
    );
    const failed = endpoints.flatMap((endpoint, index) => {
      const { code } = ends[index]!;
      if (code === step.code) return [];
      return [code === undefined ? `${endpoint} was ended` : `${endpoint} exited with ${code}`];
    });
    return failed.length === 0 ? { kind: 'on', at: last } : { kind: 'failed', at: last, about: failed };
  }

  /** Told as of a program: 0, it holds. */
  #condition(name: string, number: number, step: ConditionStep, at: Micros): Progress {
    const [endpoint] = this.#endpoints.get(step)!;
    const end = this.#facts.ended(name, number, endpoint!);
    const what = step.line.replace(/^wait\s+for\s+/, '');
    if (!end) return { kind: 'waits', about: [what] };
    const last = latest(at, [end.at]);
    return end.code === 0
      ? { kind: 'on', at: last }
      : { kind: 'failed', at: last, about: [`${what}: it did not hold`] };
  }

  #causedAt({ name, fails }: Cause): Micros | undefined {
    const sequence = this.#byName.get(name);
    if (!sequence) return this.#facts.notified(name);
    const state = this.follow(sequence);
    return state?.state === (fails ? 'failed' : 'done') ? state.since! : undefined;
  }
}

const latest = (at: Micros, times: readonly Micros[]): Micros => micros(Math.max(at, ...times));

export const causeText = ({ name, fails }: Cause): string => (fails ? `${name} fails` : name);

function awaitedText(
  { name, log }: Extract<SequenceStep, { kind: 'wait' }>,
  missing: readonly string[],
): string {
  if (log !== undefined) return `${JSON.stringify(log)} in the log of ${missing.join(' ')}`;
  return [name, ...(missing.length > 0 ? ['from', ...missing] : [])].join(' ');
}
