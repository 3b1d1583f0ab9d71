/**
 * The events of a script → `TopologyEvent`s of one topology.
 *
 * As in Kollaps' translator, an amount counts for each named service, and is one instance if it is missing; `from …
 * to …` spreads joins, leaves, crashes and churn over the window, and is the duration of a `disconnect`.
 */
import { type Micros, micros, type Ratio, ratio } from '../../../proto/units.ts';
import { LIFECYCLE_SCOPE } from '../../events/scopes.ts';
import type { Findings } from '../../model/diagnostics.ts';
import type { Amount, LifecycleVerb, Target, TopologyEvent } from '../../model/events.ts';
import { MAX_EVENTS } from '../../model/limits.ts';
import type { Topology } from '../../model/model.ts';
import { parseReference } from '../../model/names.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import type { Position } from '../../model/position.ts';
import type { Script, ScriptAction, ScriptEvent, Selector } from './model.ts';

/** How many services, bridges and links the tags of all events may name together. */
const MAX_WORK = 1_000_000;

type WithAmount = Extract<ScriptAction, { readonly verb: LifecycleVerb | 'churn' }>;

interface Window {
  readonly at: Micros;
  readonly until?: Micros;
}

interface Place {
  readonly event: ScriptEvent;
  readonly window: Window;
  readonly seed: number;
}

/** The targets of a selector: services one by one, since amounts count for each, and all others together. */
interface Meant {
  readonly services: readonly (Target & { readonly kind: 'node' })[];
  readonly others: readonly Target[];
}

/** `base.topology` includes the script's declarations; errors go to `findings`. */
export function compileScript(script: Script, base: ParsedFile, findings: Findings): TopologyEvent[] {
  return new Compiler(script, base, findings).events();
}

class Compiler {
  readonly #script: Script;
  readonly #base: ParsedFile;
  readonly #findings: Findings;
  readonly #services: ReadonlySet<string>;
  readonly #bridges: ReadonlySet<string>;
  readonly #byTag: ReadonlyMap<string, Tagged>;
  readonly #compiled: TopologyEvent[] = [];
  readonly #quit: Micros | undefined;
  #work = 0;

  constructor(script: Script, base: ParsedFile, findings: Findings) {
    const { topology } = base;
    this.#script = script;
    this.#base = base;
    this.#findings = findings;
    this.#services = new Set(topology.services.map(({ name }) => name));
    this.#bridges = new Set(topology.bridges.map(({ name }) => name));
    this.#byTag = indexTags(topology);
    const isQuit = ({ action }: { readonly action: { readonly verb: string } }): boolean =>
      action.verb === 'quit';
    this.#quit = script.events.find(isQuit)?.time?.at ?? topology.events.find(isQuit)?.at;
  }

  events(): TopologyEvent[] {
    for (const [index, event] of this.#script.events.entries()) {
      if (this.#isOfSupervisor(event)) continue;
      this.#compile(event, index + 1);
      const events = this.#compiled.length + this.#base.topology.events.length;
      if (events <= MAX_EVENTS && this.#work <= MAX_WORK) continue;
      const message = `file and script together have more than ${MAX_EVENTS} events, one for each service, or they name too much`;
      this.#error('LIMIT', event.position, message, 'use fewer events or tags');
      break;
    }
    return this.#compiled;
  }

  #compile(event: ScriptEvent, seed: number): void {
    const { action, selector, position } = event;
    const window = event.time ?? this.#untilQuit(position);
    if (!window) return;
    if (action.verb === 'set' || action.verb === 'flap') {
      this.#add({ ...window, action: { ...action, targets: targetsOf(selector, position) }, position });
    } else if (action.verb === 'partition' || action.verb === 'quit') {
      this.#add({ ...window, action, position });
    } else {
      this.#compileAmounts(action, { event, window, seed });
    }
  }

  #compileAmounts(action: WithAmount, place: Place): void {
    const { selector, position } = place.event;
    const isSpread =
      action.verb === 'churn' || (place.window.until !== undefined && action.verb !== 'disconnect');
    if (!selector && !action.amount && !isSpread) {
      this.#addAction(action, [{ kind: 'all', position }], undefined, place);
      return;
    }
    const { services, others } = this.#meant(selector, position, action.verb);
    this.#work += services.length + others.length;
    for (const service of services) {
      if (this.#isRefused(action.verb, service.node.name, position)) return;
      this.#addAction(action, [service], action.amount ?? (selector ? { count: 1 } : undefined), place);
    }
    const [other] = others;
    if (!other) return;
    if (isSpread && this.#isBridgeOrLink(other)) {
      const message = `a window spreads ${action.verb} over services, and this names a bridge or a link`;
      this.#error('EVENT_TARGET', other.position, message, 'write at T for each end of the window');
      return;
    }
    // Each bridge and each link is one; a number for it is refused when the event is played.
    this.#addAction(action, others, selector?.kind === 'tagged' ? undefined : action.amount, place);
  }

  #addAction(action: WithAmount, targets: readonly Target[], amount: Amount | undefined, place: Place): void {
    const { event, window, seed } = place;
    const { verb } = action;
    const { position } = event;
    if (verb === 'disconnect' || verb === 'reconnect' || (verb !== 'churn' && window.until === undefined)) {
      this.#add({ ...window, action: { verb, targets, ...numberOrShare(amount) }, position });
      return;
    }
    const replace = action.verb === 'churn' ? action.replace : ratio(0);
    const chosen = amount ? { amount } : {};
    this.#add({
      ...window,
      action: { verb: 'scatter', what: verb, targets, ...chosen, replace, seed },
      position,
    });
  }

  #meant(selector: Selector | undefined, position: Position, verb: WithAmount['verb']): Meant {
    const place = selector?.kind === 'tagged' ? selector.position : position;
    const node = (name: string): Target & { kind: 'node' } => ({
      kind: 'node',
      node: { name },
      position: place,
    });
    if (!selector) return { services: [...this.#services].map(node), others: [] };
    if (selector.kind === 'named') {
      const { target } = selector;
      const isService = target.kind === 'node' && this.#services.has(target.node.name);
      return isService ? { services: [target], others: [] } : { services: [], others: [target] };
    }
    const tagged = selector.tags.map((tag) => this.#byTag.get(tag)).filter((one) => one !== undefined);
    const scope: readonly string[] = verb === 'churn' ? ['endpoint'] : LIFECYCLE_SCOPE[verb];
    const services = new Set(tagged.flatMap((one) => one.services));
    const others = tagged.flatMap(({ bridges, links }) => [
      ...(scope.includes('bridge') ? bridges.map(node) : []),
      ...(scope.includes('link') ? links.map((ends): Target => linkOf(ends, place)) : []),
    ]);
    // Tags without a target are refused when the event is played, which knows all tags.
    if (services.size + others.length === 0) return { services: [], others: targetsOf(selector, position) };
    return { services: [...services].map(node), others };
  }

  #isBridgeOrLink(target: Target): boolean {
    return target.kind === 'link' || (target.kind === 'node' && this.#bridges.has(target.node.name));
  }

  /** Churn without a window lasts from the start to the quit. */
  #untilQuit(position: Position): Window | undefined {
    if (this.#quit !== undefined && this.#quit > 0) return { at: micros(0), until: this.#quit };
    const message = 'churn without a window lasts until the quit, and there is none';
    this.#error('EVENT_TIME', position, message, 'write from T to T before it, or add e.g. at 10m quit');
    return undefined;
  }

  #isRefused(verb: WithAmount['verb'], service: string, position: Position): boolean {
    if (verb === 'disconnect' || verb === 'reconnect' || !this.#base.withoutReuse.has(service)) return false;
    const message = `${service} has reuse="false", so which of its replicas ${verb === 'churn' ? 'come and go' : verb} is up to <dynamic>`;
    this.#error('EVENT_TARGET', position, message, 'remove reuse="false", or write the event into <dynamic>');
    return true;
  }

  #isOfSupervisor({ selector, position }: ScriptEvent): boolean {
    if (selector?.kind !== 'named') return false;
    const { target } = selector;
    const ends =
      target.kind === 'node' ? [target.node] : target.kind === 'link' ? [target.from, target.to] : [];
    const isLeftOut = ({ name }: { name: string }): boolean =>
      this.#base.supervisors.has(name) || this.#script.supervisors.has(name);
    if (!ends.some(isLeftOut)) return false;
    const message = 'an event of a supervisor is left out';
    this.#findings.warning('SUPERVISOR_LEFT_OUT', position, 'event', message, '');
    return true;
  }

  #add(event: TopologyEvent): void {
    this.#compiled.push(event);
  }

  #error(
    code: 'LIMIT' | 'EVENT_TARGET' | 'EVENT_TIME',
    position: Position,
    message: string,
    remedy: string,
  ): void {
    this.#findings.error(code, position, 'event', message, remedy);
  }
}

interface Tagged {
  readonly services: string[];
  readonly bridges: string[];
  readonly links: (readonly [from: string, to: string])[];
}

function indexTags({ services, bridges, links }: Topology): Map<string, Tagged> {
  const found = new Map<string, Tagged>();
  const entry = (tag: string): Tagged => {
    const known = found.get(tag) ?? { services: [], bridges: [], links: [] };
    found.set(tag, known);
    return known;
  };
  for (const { name, tags } of services) for (const tag of new Set(tags)) entry(tag).services.push(name);
  for (const { name, tags } of bridges) for (const tag of new Set(tags)) entry(tag).bridges.push(name);
  for (const { from, to, tags } of links) for (const tag of new Set(tags)) entry(tag).links.push([from, to]);
  return found;
}

function linkOf([from, to]: readonly [string, string], position: Position): Target {
  return { kind: 'link', from: parseReference(from)!, to: parseReference(to)!, directed: false, position };
}

function targetsOf(selector: Selector | undefined, position: Position): Target[] {
  if (!selector) return [{ kind: 'all', position }];
  if (selector.kind === 'named') return [selector.target];
  return selector.tags.map((tag) => ({ kind: 'tag', tag, position: selector.position }));
}

function numberOrShare(amount: Amount | undefined): { amount?: number; share?: Ratio } {
  if (!amount) return {};
  return 'count' in amount ? { amount: amount.count } : { share: amount.share };
}
