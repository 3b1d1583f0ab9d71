/** How long after its instant a command is in force, by the agents' records. Pure. */

import type { RunLogEntry } from '../../proto/run-log.ts';
import { micros, toMillis } from '../../proto/units.ts';
import type { AgentRecord } from '../../proto/view.ts';

export class Lateness {
  /** Of each host: an instant, in microseconds → how long after it all was in force, in milliseconds. */
  readonly #hosts: readonly Map<number, number>[];
  /** Of each host: the instants of commands that came after them → by how much, in milliseconds. */
  readonly #late: readonly Map<number, number>[];

  constructor(hosts: number) {
    this.#hosts = Array.from({ length: hosts }, () => new Map());
    this.#late = Array.from({ length: hosts }, () => new Map());
  }

  /** To be called before the agents forget what they have recorded. */
  note(records: readonly AgentRecord[]): void {
    for (const [host, { events }] of records.entries())
      for (const { dueMicros, settledMicros } of events)
        this.#hosts[host]!.set(dueMicros, toMillis(micros(Math.max(0, settledMicros - dueMicros))));
  }

  /** What a host's run log says of commands: one that comes late makes no epoch of its own, but is in force when it has come. */
  arrived(host: number, entries: readonly RunLogEntry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'command' || entry.atMicros === null) continue;
      const lateMicros = Math.round(entry.atMicros - entry.command.at);
      if (lateMicros > 0) this.#late[host]!.set(entry.command.at, toMillis(micros(lateMicros)));
    }
  }

  /** Of each host: those of these instants that changed something, and those of commands that came late. */
  of(due: readonly number[]): number[][] {
    return this.#hosts.map((found, host) =>
      due.flatMap((at) => this.#late[host]!.get(at) ?? found.get(at) ?? []),
    );
  }
}
