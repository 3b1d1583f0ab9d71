/** Relative settings that come to less than they say: a value ends at its limit, and what has no limit has no half. */
import { formatRatio } from '../../proto/units.ts';
import { CHANGEABLE } from '../events/changes.ts';
import type { Findings } from '../model/diagnostics.ts';
import type { Change, TopologyEvent } from '../model/events.ts';
import { changedLink, numberOf } from './graph-at.ts';
import type { ActiveSetting, Atom, NetworkState } from './state.ts';

/** For each setting so many links and earlier settings are looked at, for a file so many in all. */
const MAX_LINKS = 20;
const MAX_WORK = 1_000_000;

export class Clamped {
  readonly #state: NetworkState;
  readonly #found = new Map<TopologyEvent, string>();
  #work = 0;

  constructor(state: NetworkState) {
    this.#state = state;
  }

  /** Atoms of the timeline, each when its change has just been made. */
  add(atom: Atom): void {
    if (atom.verb !== 'set' || atom.event.action.verb !== 'set' || this.#found.has(atom.event)) return;
    if (atom.event.action.changes.every(({ to }) => to.kind === 'value')) return;
    const settings = [...this.#state.settings];
    // With the texts of the traces that it names.
    const { changes } = settings.at(-1)!.action;
    const earlier = settings.slice(0, -1);
    for (const { link, side } of atom.links.slice(0, MAX_LINKS)) {
      this.#work += earlier.reduce((sum, { links }) => sum + links.length, 1);
      if (this.#work > MAX_WORK) return;
      const problem = this.#problem(link, side, changes, earlier);
      if (problem) this.#found.set(atom.event, problem);
      if (problem) return;
    }
  }

  #problem(
    number: number,
    side: 'up' | 'down',
    changes: readonly Change[],
    earlier: readonly ActiveSetting[],
  ): string | undefined {
    let link = this.#state.expansion.graph.links[number]!;
    for (const { action, links } of earlier) {
      const selected = links.find((one) => one.link === number);
      if (selected) for (const change of action.changes) link = changedLink(link, change, selected.side);
    }
    for (const change of changes) {
      const { name, rule, direction } = CHANGEABLE.get(change.property)!;
      const value = numberOf(link, name);
      const isMeant = direction === undefined || direction === side;
      const { to } = change;
      link = changedLink(link, change, side);
      if (!isMeant || to.kind === 'value' || rule.kind !== 'quantity') continue;
      if (value === undefined || !Number.isFinite(value))
        return `${change.property} does not change: ${link.name} has no limit then`;
      const next = to.kind === 'factor' ? value * to.factor : value + to.difference;
      if (next >= rule.least && next <= rule.most + NOISE) continue;
      const how =
        to.kind === 'factor'
          ? formatRatio(to.factor)
          : `${to.difference < 0 ? '-' : '+'}${rule.format(Math.abs(to.difference))}`;
      return `${change.property}=${how} goes beyond the limit: ${link.name} has ${rule.format(value)} then, and gets ${rule.format(numberOf(link, name)!)}`;
    }
    return undefined;
  }

  report(findings: Findings, field: (event: TopologyEvent) => string): void {
    for (const [event, message] of this.#found)
      findings.warning(
        'VALUE_CLAMPED',
        event.position,
        field(event),
        message,
        'write the value that you mean',
      );
  }
}

/** 10 % + 90 % is a little more than 1. */
const NOISE = 1e-9;
