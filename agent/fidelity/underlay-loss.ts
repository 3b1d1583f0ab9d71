/**
 * What the real network between hosts loses, by TCP's own count of the mesh's connections: what it has sent again, without what
 * the other end had already (RFC 2883). Pure.
 */
import { CAUSES, type Symptom } from './causes.ts';

/** Over so long; the mesh alone sends some segments a second. */
const WINDOW_MS = 20_000;
/** Of fewer segments, one that is sent again says nothing. */
const LEAST_SEGMENTS = 50;
/** One or two may have been late. */
const LEAST_LOST = 3;

/** Of all connections to the agent of a host, since they began. */
export interface Segments {
  readonly host: string;
  readonly sent: number;
  readonly lost: number;
}

interface Sample {
  readonly at: number;
  readonly sent: number;
  readonly lost: number;
}

export class UnderlayLoss {
  readonly #samples = new Map<string, Sample[]>();

  look(now: number, hosts: readonly Segments[]): Symptom[] {
    const here = new Set(hosts.map(({ host }) => host));
    for (const host of this.#samples.keys()) if (!here.has(host)) this.#samples.delete(host);
    return hosts.flatMap((one) => this.#judge(now, one));
  }

  #judge(now: number, { host, sent, lost }: Segments): Symptom[] {
    const known = this.#samples.get(host) ?? [];
    // A connection has ended, and its counts with it.
    const before = (known.at(-1)?.sent ?? 0) > sent ? [] : known;
    const samples = [...before.filter(({ at }) => now - at <= WINDOW_MS), { at: now, sent, lost }];
    this.#samples.set(host, samples);
    const grown = { sent: sent - samples[0]!.sent, lost: lost - samples[0]!.lost };
    const measured = grown.lost / grown.sent;
    if (grown.sent < LEAST_SEGMENTS || grown.lost < LEAST_LOST) return [];
    if (measured <= CAUSES.UNDERLAY_LOSSY.bound) return [];
    const message = `the real network to ${host} has lost ${grown.lost} of ${grown.sent} segments of the mesh: paths there lose more than the topology says`;
    return [{ code: 'UNDERLAY_LOSSY', host, measured, message }];
  }
}
