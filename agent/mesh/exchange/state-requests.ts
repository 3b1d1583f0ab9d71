/** Requests whole tables from peers, with limits per peer and in total. */
import { MAX_HOSTS } from '../wire/limits.ts';

/**
 * A peer whose digest keeps differing is asked this often: a lost message is repaired at once, and a flood of
 * messages does not cause a flood of requests.
 */
export const MIN_REQUEST_INTERVAL_MS = 250;
/** Concurrent requests: an agent that joins hundreds gets their tables a few at a time. */
export const MAX_REQUESTS_UNDER_WAY = 16;
const FORGET_AFTER_MS = 10_000;

export class StateRequests {
  readonly #ask: (peer: string) => Promise<void>;
  readonly #now: () => number;
  readonly #wanted = new Set<string>();
  readonly #underWay = new Set<string>();
  readonly #askedAt = new Map<string, number>();

  /** `ask` sends one request and doesn't reject. */
  constructor(ask: (peer: string) => Promise<void>, now: () => number) {
    this.#ask = ask;
    this.#now = now;
  }

  /** Asks `peer` now, or as soon as it may be asked again. */
  want(peer: string): void {
    if (this.#wanted.size < MAX_HOSTS) this.#wanted.add(peer);
    this.proceed();
  }

  /** Asks `peer` now, even if it did not answer recently: there is a new way to reach it. */
  wantAnew(peer: string): void {
    this.#askedAt.delete(peer);
    this.want(peer);
  }

  /** Asks those that may be asked by now. To be called regularly. */
  proceed(): void {
    const now = this.#now();
    for (const peer of this.#wanted) {
      if (this.#underWay.size >= MAX_REQUESTS_UNDER_WAY) return;
      const askedAt = this.#askedAt.get(peer) ?? Number.NEGATIVE_INFINITY;
      if (!this.#underWay.has(peer) && now - askedAt >= MIN_REQUEST_INTERVAL_MS) this.#start(peer, now);
    }
    for (const [peer, askedAt] of this.#askedAt) {
      if (now - askedAt > FORGET_AFTER_MS && !this.#underWay.has(peer)) this.#askedAt.delete(peer);
    }
  }

  clear(): void {
    this.#wanted.clear();
  }

  #start(peer: string, now: number): void {
    this.#wanted.delete(peer);
    this.#underWay.add(peer);
    this.#askedAt.set(peer, now);
    void this.#ask(peer).finally(() => {
      this.#underWay.delete(peer);
      this.proceed();
    });
  }
}
