/**
 * The due times of events, and the times from which they were in force by the agents' records. Pure; milliseconds.
 */
import { Player } from '../../agent/timeline/player.ts';
import { fromMillis, micros, toMillis } from '../../proto/units.ts';
import type { EventChange } from '../../proto/view.ts';
import type { Topology } from '../../topology/model/model.ts';

/** Instants of events that start a new epoch, milliseconds since the start. */
export function dueTimes(topology: Topology): number[] {
  const player = new Player(topology, (_, error) => {
    throw error;
  });
  const due: number[] = [];
  for (let at = player.nextAt; at !== undefined; at = player.nextAt) {
    if (player.advance(at).graph && at > 0) due.push(toMillis(at));
  }
  return due;
}

export interface Lags {
  readonly dueMs: number;
  /** From the instant until in force: bandwidth and shares; and with delays and losses as well. */
  readonly appliedMs: number;
  readonly settledMs: number;
}

/**
 * One value for each due instant. If an agent was so late that it combined two instants, the second has the time of
 * the combined one. NaN: it was never in force.
 */
export function lagsOf(due: readonly number[], events: readonly EventChange[]): Lags[] {
  const inOrder = [...events].sort((a, b) => a.dueMicros - b.dueMicros);
  return due.map((dueMs) => {
    const done = inOrder.findLast(({ dueMicros }) => dueMicros <= fromMillis(dueMs));
    const isDone = done !== undefined && done.appliedMicros >= fromMillis(dueMs);
    return {
      dueMs,
      appliedMs: isDone ? toMillis(micros(done.appliedMicros)) - dueMs : Number.NaN,
      settledMs: isDone ? toMillis(micros(done.settledMicros)) - dueMs : Number.NaN,
    };
  });
}
