/** Endpoints that have as many tasks as they may, and try to start more: told while it lasts. */
import { fromMillis, toSeconds } from '../../proto/units.ts';
import type { Timers } from '../clock/clock.ts';
import type { GroupCount } from '../kernel/groups/task-groups.ts';

/** So many endpoints are looked at in a turn; each takes some hundredths of a millisecond. */
const LOOKS_AT_ONCE = 50;
const LOOK_MS = 250;
/** Told for this long after the last refusal. */
const TOLD_LOOKS = 40;

export interface CrowdPorts {
  readonly timers: Timers;
  /** The endpoints with a group, also those in which only `netfold exec` has started something. */
  readonly names: () => readonly string[];
  /** What an endpoint's group has; `undefined`: it has none. */
  readonly count: (endpoint: string) => GroupCount | undefined;
}

interface Watched {
  refused: number;
  problem: string | undefined;
  /** The turn until which it is told. */
  until: number;
}

export class Crowds {
  readonly #ports: CrowdPorts;
  readonly #watched = new Map<string, Watched>();
  #waiting: string[] = [];
  #turn = 0;
  #stop: (() => void) | undefined;

  constructor(ports: CrowdPorts) {
    this.#ports = ports;
  }

  /** From now on. */
  start(): void {
    this.#stop ??= this.#ports.timers.every(LOOK_MS, () => this.#look());
  }

  get problems(): string[] {
    return [...this.#watched.values()].flatMap(({ problem }) => problem ?? []);
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #look(): void {
    this.#turn++;
    if (this.#waiting.length === 0) this.#waiting = this.#begin();
    for (const name of this.#waiting.splice(0, LOOKS_AT_ONCE)) this.#judge(name, this.#watched.get(name)!);
  }

  /** All that are here now; those that are gone are forgotten. */
  #begin(): string[] {
    const names = new Set(this.#ports.names());
    for (const name of this.#watched.keys()) if (!names.has(name)) this.#watched.delete(name);
    for (const name of names)
      if (!this.#watched.has(name)) this.#watched.set(name, { refused: 0, problem: undefined, until: 0 });
    return [...names];
  }

  #judge(name: string, watched: Watched): void {
    const count = this.#ports.count(name);
    const { tasks = 0, most = 0, refused = 0 } = count ?? {};
    // A group in which nobody may start anything is being ended. One that was made anew has counted from 0.
    if (count && most > 0 && refused > watched.refused) {
      watched.until = this.#turn + TOLD_LOOKS;
      watched.problem = describe(name, most);
    } else if (!count || (tasks < most && this.#turn >= watched.until)) watched.problem = undefined;
    watched.refused = refused;
  }
}

const describe = (name: string, most: number): string =>
  `${name} has as many processes and threads as it may have, ${most.toLocaleString('en')}: the kernel refuses to start more` +
  ` (told until ${toSeconds(fromMillis(TOLD_LOOKS * LOOK_MS))} s after the last refusal); crash it, or give its service more with \`processes\``;
