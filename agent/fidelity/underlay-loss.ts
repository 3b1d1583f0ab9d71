/**
 * What the real network between hosts loses: by TCP's own count of the mesh's connections, what it has sent again without what the
 * other end had already (RFC 2883), and by probes from agent to agent. Pure.
 */
import { type Micros, ratio } from '../../proto/units.ts';
import { CAUSES, type Symptom } from './causes.ts';
import { LossTest } from './loss-test.ts';

const BOUND = ratio(CAUSES.UNDERLAY_LOSSY.bound);
/** It goes on until nothing was lost for so long. */
const CALM_MS = 5000;
/** TCP has sent something again, or a probe is overdue: for so long, more is asked. */
const SUSPECTED_MS = 1000;
/** Both ways, as a probe goes. */
const THERE_AND_BACK = 2;

/** Of all connections to the agent of a host, since they began. */
export interface Segments {
  readonly host: string;
  readonly sent: number;
  readonly lost: number;
  /** The shortest round trip of one of them that is open. */
  readonly shortestMicros?: Micros | undefined;
  /** IPv4, of one of them. */
  readonly address?: string | undefined;
}

interface Watched {
  readonly test: LossTest;
  /** At the last look. */
  sent: number;
  lost: number;
  /** Those that count: still lost a look later, when the other end has told of what it had already. */
  confirmed: number;
  suspectedUntil: number;
  lostAt: number;
  found: Symptom | undefined;
}

export class UnderlayLoss {
  readonly #hosts = new Map<string, Watched>();
  #isNew = false;

  /** What was before does not count. */
  forget(): void {
    this.#hosts.clear();
    this.#isNew = false;
  }

  /** What is so now. To be called once a second, or sooner. */
  look(now: number, hosts: readonly Segments[]): Symptom[] {
    const here = new Set(hosts.map(({ host }) => host));
    for (const host of this.#hosts.keys()) if (!here.has(host)) this.#hosts.delete(host);
    for (const one of hosts) this.#count(now, one);
    for (const known of this.#hosts.values()) if (now - known.lostAt > CALM_MS) known.found = undefined;
    return [...this.#hosts.values()].flatMap(({ found }) => found ?? []);
  }

  #count(now: number, { host, sent, lost }: Segments): void {
    const known = this.#hosts.get(host) ?? newcomer(sent, lost);
    this.#hosts.set(host, known);
    // A connection has ended, and its counts with it.
    if (sent < known.sent) Object.assign(known, { sent, lost, confirmed: lost });
    if (lost > known.lost) this.suspect(host, now);
    const grown = Math.max(0, Math.min(known.lost, lost) - known.confirmed);
    this.#note(host, known, now, { lost: grown, arrived: Math.max(0, sent - known.sent - grown), times: 1 });
    Object.assign(known, { sent, lost, confirmed: known.confirmed + grown });
  }

  /** A probe to the agent of a host has come back, or is lost. */
  noteProbe(host: string, isLost: boolean, now: number): void {
    const known = this.#hosts.get(host);
    const [lost, arrived] = isLost ? [1, 0] : [0, 1];
    if (known) this.#note(host, known, now, { lost, arrived, times: THERE_AND_BACK });
  }

  #note(
    host: string,
    known: Watched,
    now: number,
    { lost, arrived, times }: { lost: number; arrived: number; times: number },
  ): void {
    if (lost > 0) known.lostAt = now;
    known.test.note(lost, arrived, times);
    if (!known.test.isCertain) return;
    const { seen } = known.test;
    known.test.forget();
    if (!known.found) this.#isNew = true;
    known.found = symptomOf(host, seen);
  }

  /** Something may have been lost. */
  suspect(host: string, now: number): void {
    const known = this.#hosts.get(host);
    if (known) known.suspectedUntil = now + SUSPECTED_MS;
  }

  /** What was taken for lost came late. */
  forgive(host: string): void {
    this.#hosts.get(host)?.test.forget();
  }

  /** Whether more should be asked of it. */
  isSuspicious(host: string, now: number): boolean {
    const known = this.#hosts.get(host);
    if (!known || known.found) return false;
    return known.test.isSuspicious || now < known.suspectedUntil;
  }

  /** Whether a host was found since the last call, of which a look has not told. */
  takeNews(): boolean {
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew;
  }
}

const newcomer = (sent: number, lost: number): Watched => ({
  ...{ test: new LossTest(BOUND), sent, lost, confirmed: lost },
  ...{ suspectedUntil: Number.NEGATIVE_INFINITY, lostAt: Number.NEGATIVE_INFINITY, found: undefined },
});

function symptomOf(host: string, { lost, crossed }: LossTest['seen']): Symptom {
  const message = `the real network to ${host} has lost ${lost} of ${crossed} packets, segments of the mesh and probes of its agent: paths there lose more than the topology says`;
  return { code: 'UNDERLAY_LOSSY', host, measured: lost / crossed, message };
}
