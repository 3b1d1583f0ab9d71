/**
 * Probes from this agent to the agents of other hosts: echo requests past all paths, over the real network alone. The mesh sends too
 * little for its losses to be noticed soon.
 */
import type { Echoes, EchoOwner } from './echoes.ts';
import type { UnderlayLoss } from './underlay-loss.ts';

/** To one host after the other. */
const INTERVAL_MS = 200;
/** Where the network may lose too much: 40 a second, 21 kb/s. */
const SUSPECTED_A_TURN = 4;
/** Of so many hosts at once: the others are named after them. */
const MOST_SUSPECTED = 2;
/** After so many without any answer, ICMP is not allowed there, and it is asked seldom. */
const UNANSWERED = 8;
const SELDOM_MS = 10_000;
/** So long an answer takes at the most: as long as nobody knows better … */
const FIRST_WAIT_MS = 100;
/** … and then twice the shortest round trip, and what a busy machine adds. */
const MARGIN_MS = 10;

export interface OtherHost {
  readonly host: string;
  /** IPv4, of its agent; `undefined`: it has none, or it is not known. */
  readonly address?: string | undefined;
}

interface Probed {
  readonly address: string;
  readonly owner: EchoOwner;
  /** Round trip, ms; `undefined`: it has not answered yet. */
  shortestMs: number | undefined;
  unanswered: number;
  /** Not before. */
  dueAt: number;
}

export class HostProbes {
  readonly #echoes: Echoes;
  readonly #loss: UnderlayLoss;
  /** Those that were asked longest ago come first. */
  readonly #hosts = new Map<string, Probed>();
  #dueAt = 0;

  constructor(echoes: Echoes, loss: UnderlayLoss) {
    this.#echoes = echoes;
    this.#loss = loss;
  }

  /** The hosts to be probed from now on. */
  keep(others: readonly OtherHost[]): void {
    const addresses = new Map(others.map(({ host, address }) => [host, address]));
    for (const [host, { address }] of this.#hosts)
      if (addresses.get(host) !== address) this.#hosts.delete(host);
    for (const [host, address] of addresses)
      if (address !== undefined && !this.#hosts.has(host)) this.#hosts.set(host, this.#begin(host, address));
  }

  /** To be called every turn. */
  turn(now: number): void {
    let hurried = 0;
    for (const [host, probed] of this.#hosts) {
      if (hurried >= MOST_SUSPECTED) break;
      if (probed.shortestMs === undefined || !this.#loss.isSuspicious(host, now)) continue;
      hurried++;
      for (let one = 0; one < SUSPECTED_A_TURN; one++) this.#send(probed, now);
    }
    if (this.#dueAt > now) return;
    for (const [host, probed] of this.#hosts) {
      if (probed.dueAt > now) continue;
      this.#dueAt = now + INTERVAL_MS;
      this.#hosts.delete(host);
      this.#hosts.set(host, probed);
      this.#send(probed, now);
      return;
    }
  }

  #send(probed: Probed, now: number): void {
    const { address, owner, shortestMs } = probed;
    if (shortestMs === undefined && probed.unanswered >= UNANSWERED) probed.dueAt = now + SELDOM_MS;
    const waitMs = shortestMs === undefined ? FIRST_WAIT_MS : 2 * shortestMs + MARGIN_MS;
    this.#echoes.send(undefined, address, { waitMs, now, owner });
  }

  #begin(host: string, address: string): Probed {
    const note = (outcome: number | undefined, now: number): void => {
      if (this.#hosts.get(host) !== probed) return;
      if (outcome === undefined) probed.unanswered++;
      else {
        probed.shortestMs = Math.min(outcome, probed.shortestMs ?? outcome);
        probed.dueAt = 0;
      }
      // Who never answered may not be allowed to.
      if (probed.shortestMs !== undefined) this.#loss.noteProbe(host, outcome === undefined, now);
    };
    const overdue = (now: number): void => {
      if (this.#hosts.get(host) === probed && probed.shortestMs !== undefined) this.#loss.suspect(host, now);
    };
    const owner = { note, forget: () => {}, overdue };
    const probed: Probed = { address, owner, shortestMs: undefined, unanswered: 0, dueAt: 0 };
    return probed;
  }
}
