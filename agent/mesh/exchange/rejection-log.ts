/** Logs which peer was refused what, within a bounded number of lines. */

import { Remembered } from '../members/remembered.ts';
import type { Origin, RejectCode, Rejection } from '../wire/rejections.ts';

/** The same kind from the same peer is logged again after this. */
export const NAMED_AGAIN_MS = 60_000;
/** At most so many lines of a kind in `NAMED_AGAIN_MS`, for all peers: a new identity costs an outsider nothing. */
export const MAX_LINES = 20;
/** Gossip arrives on several ways, and the slower copies are late. This is normal, and is only counted. */
const ORDINARY: ReadonlySet<RejectCode> = new Set(['STALE_SEQUENCE', 'STALE_INCARNATION', 'HOST_LEFT']);

/** As in pino. */
export interface MeshLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export class RejectionLog {
  readonly #log: MeshLog | undefined;
  readonly #now: () => number;
  readonly #named = new Remembered<{ until: number; more: number }>();
  readonly #windows = new Map<RejectCode, { ends: number; lines: number }>();

  constructor(log: MeshLog | undefined, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  note({ rejected, reason }: Rejection, origin: Origin): void {
    if (ORDINARY.has(rejected)) return;
    const now = this.#now();
    const key = `${rejected} ${origin.peer ?? origin.address ?? ''}`;
    const known = this.#named.get(key);
    if (known && now < known.until) {
      known.more++;
      return;
    }
    if (!this.#hasRoom(rejected, now)) return;
    this.#named.set(key, { until: now + NAMED_AGAIN_MS, more: 0 }, now);
    const before = known && known.more > 0 ? { before: known.more } : {};
    this.#log?.warn({ code: rejected, ...origin, ...before }, `mesh: ${reason}`);
  }

  #hasRoom(code: RejectCode, now: number): boolean {
    const window = this.#windows.get(code);
    if (window && now < window.ends) return window.lines++ < MAX_LINES;
    this.#windows.set(code, { ends: now + NAMED_AGAIN_MS, lines: 1 });
    return true;
  }
}
