/** What was due, against what the agents remember of when it was in force. Pure; milliseconds. */
import { Player } from '../../agent/timeline/player.ts';
import type { EventChange } from '../../proto/record.ts';
import type { Topology } from '../../topology/model/model.ts';

/** Instants at which something is due that makes a new version of the topology, milliseconds since the start. */
export function dueTimes(topology: Topology): number[] {
  const player = new Player(topology, (_, error) => {
    throw error;
  });
  const due: number[] = [];
  for (let at = player.nextAt; at !== undefined; at = player.nextAt) {
    if (player.advance(at).graph && at > 0) due.push(at / 1000);
  }
  return due;
}

export interface Lags {
  readonly dueMs: number;
  /** From due to in force: bandwidth and shares, and with delays and losses. */
  readonly appliedMs: number;
  readonly settledMs: number;
}

/**
 * One for each instant that was due. Where an agent was so late that it did two in one, the second is found with the
 * first. NaN: it was never done.
 */
export function lagsOf(due: readonly number[], events: readonly EventChange[]): Lags[] {
  const inOrder = [...events].sort((a, b) => a.dueMicros - b.dueMicros);
  return due.map((dueMs) => {
    const done = inOrder.findLast(({ dueMicros }) => dueMicros <= dueMs * 1000);
    const isDone = done !== undefined && done.appliedMicros >= dueMs * 1000;
    return {
      dueMs,
      appliedMs: isDone ? done.appliedMicros / 1000 - dueMs : Number.NaN,
      settledMs: isDone ? done.settledMicros / 1000 - dueMs : Number.NaN,
    };
  });
}
