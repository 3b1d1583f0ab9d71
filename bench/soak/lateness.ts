/** How long after its instant a command is in force, by the agents' records. Pure. */
import type { AgentRecord } from '../../proto/record.ts';
import { micros, toMillis } from '../../proto/units.ts';

export class Lateness {
  /** Of each host: an instant, in microseconds → how long after it all was in force, in milliseconds. */
  readonly #hosts: readonly Map<number, number>[];

  constructor(hosts: number) {
    this.#hosts = Array.from({ length: hosts }, () => new Map());
  }

  /** To be called before the agents forget what they have recorded. */
  note(records: readonly AgentRecord[]): void {
    for (const [host, { events }] of records.entries())
      for (const { dueMicros, settledMicros } of events)
        this.#hosts[host]!.set(dueMicros, toMillis(micros(Math.max(0, settledMicros - dueMicros))));
  }

  /** Of each host: those of these instants that changed something. */
  of(due: readonly number[]): number[][] {
    return this.#hosts.map((found) => due.flatMap((at) => found.get(at) ?? []));
  }
}
