/** `<dynamic>`: its `<schedule>` entries as events, and how many replicas they need. */
import type { Micros } from '../../../proto/units.ts';
import type { Names } from '../../model/check.ts';
import { quote } from '../../model/diagnostics.ts';
import type { Change, EventAction, LifecycleVerb, Target, TopologyEvent } from '../../model/events.ts';
import { MAX_ENDPOINTS } from '../../model/limits.ts';
import type { LinkPair, Service } from '../../model/model.ts';
import { parseReference, suggest } from '../../model/names.ts';
import type { PopulationChange } from '../../model/population.ts';
import type { Position } from '../../model/position.ts';
import { type Attributes, readImpairment } from './attributes.ts';
import { replicasNeeded } from './replicas.ts';

const ACTIONS: readonly LifecycleVerb[] = ['join', 'leave', 'crash', 'disconnect', 'reconnect'];
const NODE_ATTRIBUTES = ['name', 'time', 'action', 'amount'];
const LINK_ATTRIBUTES = [
  'origin',
  'dest',
  'time',
  'action',
  'latency',
  'jitter',
  'drop',
  'upload',
  'download',
  'network',
];

interface Entry {
  readonly attributes: Attributes;
  readonly at: Micros;
  readonly name?: string;
  readonly link?: readonly [origin: string, dest: string];
  readonly action: LifecycleVerb | undefined;
  readonly amount: number;
}

export class Schedule {
  /** In order of time; entries of one instant in the order of the file. */
  readonly #entries: readonly Entry[];
  readonly #file: string;
  readonly #withoutReuse = new Set<string>();
  readonly #fields = new Map<TopologyEvent, string>();
  readonly #byName = new Map<string, Entry[]>();

  constructor(elements: readonly Attributes[], file: string) {
    this.#file = file;
    this.#entries = elements.flatMap((attributes) => readEntry(attributes) ?? []).sort((a, b) => a.at - b.at);
    for (const entry of this.#entries) {
      if (entry.name === undefined) continue;
      const known = this.#byName.get(entry.name);
      if (known) known.push(entry);
      else this.#byName.set(entry.name, [entry]);
    }
  }

  /** The replicas that the joins need, here and `elsewhere`; `undefined` if nothing joins. */
  replicasOf(name: string, reuse: boolean, elsewhere: readonly PopulationChange[]): number | undefined {
    const entries = this.#byName.get(name) ?? [];
    if (!reuse && entries.some(({ action }) => action === 'join')) this.#withoutReuse.add(name);
    const changes = entries.flatMap(({ at, action, amount }): PopulationChange[] => {
      if (action !== 'join' && action !== 'leave' && action !== 'crash') return [];
      return [{ at, direction: action === 'join' ? 'join' : 'leave', amount: { count: amount } }];
    });
    return replicasNeeded([...changes, ...elsewhere], reuse);
  }

  /** The services for which each join starts new replicas. */
  get withoutReuse(): ReadonlySet<string> {
    return this.#withoutReuse;
  }

  fieldOf(event: TopologyEvent): string {
    return this.#fields.get(event) ?? '<dynamic>';
  }

  /** The events, and the links that the schedule adds: a `join` of a link that the file has not declared. */
  compile(
    services: readonly Service[],
    names: Names,
    links: readonly LinkPair[],
    supervisors: ReadonlySet<string>,
  ): { events: TopologyEvent[]; joining: LinkPair[] } {
    const declared = new Set(links.flatMap(({ from, to }) => [`${from}>${to}`, `${to}>${from}`]));
    const joining: LinkPair[] = [];
    const instances = new Map(
      services.filter(({ name }) => this.#withoutReuse.has(name)).map(({ name }) => [name, new Instances()]),
    );
    const events = this.#entries.flatMap((entry): TopologyEvent[] => {
      if (entry.link) {
        if (entry.link.some((end) => supervisors.has(end))) return [];
        if (entry.action === 'join' && !declared.has(entry.link.join('>'))) {
          const added = this.#newLink(entry);
          if (!added) return [];
          joining.push(added);
          declared.add(entry.link.join('>')).add(entry.link.toReversed().join('>'));
          return [
            this.#event(entry, { verb: 'join', targets: [linkTarget(entry.link, false, added.position)] }),
          ];
        }
        return this.#linkEvents(entry, names);
      }
      if (supervisors.has(entry.name!)) return [];
      return this.#nodeEvent(entry, names, instances.get(entry.name!));
    });
    return { events, joining };
  }

  #nodeEvent(entry: Entry, names: Names, instances: Instances | undefined): TopologyEvent[] {
    const { attributes, amount } = entry;
    const [name, verb] = [entry.name!, entry.action!];
    const position = this.#position(entry);
    const target = (replica?: number): Target => ({
      kind: 'node',
      node: replica === undefined ? { name } : { name, replica },
      position,
    });
    if (!names.services.has(name) && !names.bridges.has(name)) {
      const remedy = names.suggest(name, 'name a service or a bridge of this file');
      attributes.error('NAME_UNKNOWN', 'name', `there is no service or bridge ${quote(name)}`, remedy);
      return [];
    }
    if (names.bridges.has(name)) return [this.#event(entry, { verb, targets: [target()] })];
    const replicas = instances?.take(verb, amount);
    if (!replicas) return [this.#event(entry, { verb, targets: [target()], amount })];
    return [this.#event(entry, { verb, targets: replicas.map((replica) => target(replica)), amount })];
  }

  #linkEvents(entry: Entry, names: Names): TopologyEvent[] {
    const { attributes, action } = entry;
    const [origin, dest] = entry.link!;
    const position = this.#position(entry);
    for (const [key, end] of [
      ['origin', origin],
      ['dest', dest],
    ] as const) {
      const problem = names.problem(end);
      if (problem) attributes.error(problem.code, key, problem.message, problem.remedy);
      if (problem) return [];
    }
    const events: TopologyEvent[] = [];
    if (action !== undefined) {
      events.push(
        this.#event(entry, { verb: action, targets: [linkTarget([origin, dest], false, position)] }),
      );
      if (action !== 'join') return events;
    }
    const shared = readChanges(attributes);
    const upload = attributes.bandwidth('upload');
    const download = attributes.bandwidth('download');
    const up: Change[] =
      upload === undefined
        ? shared
        : [...shared, { property: 'bandwidth', to: { kind: 'value', value: upload } }];
    if (up.length > 0) {
      events.push(
        this.#event(entry, {
          verb: 'set',
          targets: [linkTarget([origin, dest], true, position)],
          changes: up,
        }),
      );
    }
    // As in Kollaps, the reverse direction changes only if `download` is given.
    if (download !== undefined) {
      const down: Change[] = [...shared, { property: 'bandwidth', to: { kind: 'value', value: download } }];
      events.push(
        this.#event(entry, {
          verb: 'set',
          targets: [linkTarget([dest, origin], true, position)],
          changes: down,
        }),
      );
    }
    if (events.length === 0) {
      attributes.warning(
        'KEY_IGNORED',
        undefined,
        'this entry changes nothing',
        'give an action or a property',
      );
    }
    return events;
  }

  #newLink(entry: Entry): LinkPair | undefined {
    const { attributes } = entry;
    for (const required of ['latency', 'upload']) attributes.required(required);
    const up = attributes.bandwidth('upload');
    const down = attributes.bandwidth('download');
    if (up === undefined || !attributes.has('latency')) return undefined;
    const properties = readImpairment(attributes);
    const [from, to] = entry.link!;
    return {
      from,
      to,
      up: { ...properties, bandwidth: up },
      ...(down === undefined ? {} : { down: { ...properties, bandwidth: down } }),
      tags: [],
      position: this.#position(entry),
    };
  }

  #event(entry: Entry, action: EventAction): TopologyEvent {
    const event = { at: entry.at, action, position: this.#position(entry) };
    this.#fields.set(event, entry.attributes.field());
    return event;
  }

  #position({ attributes }: Entry): Position {
    return { file: this.#file, line: attributes.element.line, column: attributes.element.column };
  }
}

/** The replicas of a service without `reuse`: each join starts new ones, and the youngest leave first. */
class Instances {
  #started = 0;
  #present: number[] = [];

  /** The replicas of an entry; `undefined` if an amount is equivalent, or if there are too few. */
  take(verb: LifecycleVerb, amount: number): number[] | undefined {
    if (verb === 'join') {
      const joining = Array.from({ length: amount }, (_, index) => this.#started + index);
      this.#started += amount;
      for (const one of joining) this.#present.push(one);
      return joining;
    }
    if (amount > this.#present.length) return undefined;
    if (verb === 'leave' || verb === 'crash') return this.#present.splice(this.#present.length - amount);
    return undefined;
  }
}

function readEntry(attributes: Attributes): Entry | undefined {
  const isLink = attributes.has('origin') || attributes.has('dest');
  attributes.warnOfUnknown(isLink ? LINK_ATTRIBUTES : NODE_ATTRIBUTES);
  const at = attributes.required('time') === undefined ? undefined : attributes.seconds('time');
  const action = readAction(attributes, isLink);
  const amount = attributes.count('amount', MAX_ENDPOINTS) ?? 1;
  if (isLink) {
    const origin = attributes.required('origin');
    const dest = attributes.required('dest');
    if (at === undefined || origin === undefined || dest === undefined || action === null) return undefined;
    return { attributes, at, link: [origin, dest], action, amount };
  }
  const name = attributes.required('name');
  if (at === undefined || name === undefined || !action) return undefined;
  return { attributes, at, name, action, amount };
}

/** `undefined`: missing, which is allowed for links only; null: wrong, and reported. */
function readAction(attributes: Attributes, isLink: boolean): LifecycleVerb | undefined | null {
  const text = attributes.text('action');
  if (text === undefined && isLink) return undefined;
  const allowed = isLink ? ACTIONS.slice(0, 2) : ACTIONS;
  const action = allowed.find((one) => one === text);
  if (action) return action;
  if (text === undefined) attributes.required('action');
  else
    attributes.error(
      'VALUE_INVALID',
      'action',
      `there is no action ${quote(text)} here`,
      suggest(text, allowed, `write one of ${allowed.join(' ')}`),
    );
  return null;
}

function readChanges(attributes: Attributes): Change[] {
  const changes: Change[] = [];
  const latency = attributes.milliseconds('latency');
  const jitter = attributes.milliseconds('jitter');
  const loss = attributes.fraction('drop');
  if (latency !== undefined) changes.push({ property: 'latency', to: { kind: 'value', value: latency } });
  if (jitter !== undefined) changes.push({ property: 'jitter', to: { kind: 'value', value: jitter } });
  if (loss !== undefined) changes.push({ property: 'loss', to: { kind: 'value', value: loss } });
  return changes;
}

function linkTarget(ends: readonly [string, string], directed: boolean, position: Position): Target {
  const [from, to] = ends.map((end) => parseReference(end) ?? { name: end }) as [
    { name: string },
    { name: string },
  ];
  return { kind: 'link', from, to, directed, position };
}
