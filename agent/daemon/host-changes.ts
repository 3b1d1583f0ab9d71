/** Writes into the run log which hosts join and leave, and which have the same commands as this one. */
import type { MeshHost } from '../mesh/members/model.ts';
import type { RunLog } from '../runlog/run-log.ts';

export class HostChanges {
  readonly #log: RunLog;
  /** Name → whether it has the same commands. */
  readonly #present = new Map<string, boolean>();

  constructor(log: RunLog) {
    this.#log = log;
  }

  /** Takes all present hosts. The cost is proportional to their number. */
  note(hosts: readonly MeshHost[]): void {
    const names = new Set<string>();
    for (const { name, self, inStep } of hosts) {
      if (self) continue;
      names.add(name);
      if (this.#present.get(name) === inStep) continue;
      this.#present.set(name, inStep);
      this.#log.append({ kind: 'host', name, present: true, inStep });
    }
    for (const [name, inStep] of this.#present) {
      if (names.has(name)) continue;
      this.#present.delete(name);
      this.#log.append({ kind: 'host', name, present: false, inStep });
    }
  }
}
