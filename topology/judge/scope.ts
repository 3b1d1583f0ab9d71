/** When a statement is to hold, in the time of a run. Pure. */
import { formatMicros, fromMillis, toMillis } from '../../proto/units.ts';
import type { Instant, When } from '../model/expectations.ts';
import { endpointName, type NodeReference } from '../model/names.ts';
import type { Evidence } from './evidence.ts';

export interface Finding {
  /** `inconclusive`: the run can't say, or was not faithful, so the application is not blamed. */
  readonly outcome: 'holds' | 'fails' | 'inconclusive';
  /** What was seen, in words. */
  readonly seen: string;
  /** When it broke; null or absent: it is a matter of the whole window. */
  readonly atMs?: number | null;
  /** What was measured in the whole window, in the unit of the expectation's value; absent: the run can't say. */
  readonly value?: number;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Scope extends Window {
  /** `all`: all the time; `once`: at some instant of it. */
  readonly how: 'all' | 'once';
  /** The event that it is after, for what is said of times; absent: the start of the run. */
  readonly sinceMs?: number;
}

/** Why it can't be judged. */
export class Unjudged extends Error {}

/** Throws `Unjudged` if what it is after did not happen. */
export function scopeOf(when: When, evidence: Evidence): Scope {
  switch (when.kind) {
    case 'run':
      return { how: 'all', fromMs: 0, toMs: evidence.endedMs };
    case 'window':
      return { how: 'all', fromMs: toMillis(when.from), toMs: toMillis(when.to) };
    case 'by':
      return { how: 'once', fromMs: 0, toMs: toMillis(when.by) };
    case 'within': {
      const fromMs = startOf(when.after, evidence);
      return { how: 'once', fromMs, toMs: fromMs + toMillis(when.within), sinceMs: fromMs };
    }
  }
}

function startOf(after: Instant, { events, logged }: Evidence): number {
  if ('at' in after) return toMillis(after.at);
  if ('event' in after) {
    const event = events.find(({ text }) => text.includes(after.event));
    if (event) return event.dueMs;
    // It was not recorded, and the file says when it was.
    if (after.due !== undefined) return toMillis(after.due);
    throw new Unjudged(`there was no event with "${after.event}"`);
  }
  const { node, text } = after.log;
  const hit = logged(endpointOf(node), text)[0];
  if (hit) return hit.tMs;
  throw new Unjudged(`${endpointOf(node)} did not write "${text}"`);
}

/** The endpoint's name, as everywhere: numbered. */
export const endpointOf = ({ name, replica = 0 }: NodeReference): string => endpointName(name, replica);

export const isIn = (tMs: number, { fromMs, toMs }: Window): boolean => tMs >= fromMs && tMs <= toMs;

export const instant = (ms: number): string => formatMicros(fromMillis(Math.round(ms)));

/** `at 12s`, or `after 2s` where it is about what came before. */
export const told = (tMs: number, { sinceMs }: Scope): string =>
  sinceMs === undefined ? `at ${instant(tMs)}` : `after ${instant(tMs - sinceMs)}`;

/** Throws `Unjudged` if the run ended before the time did. */
export function requireTime({ toMs }: Window, { endedMs }: Evidence): void {
  if (toMs > endedMs) throw new Unjudged(`the run ended at ${instant(endedMs)}`);
}
