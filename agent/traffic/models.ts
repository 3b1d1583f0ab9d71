/**
 * Sizes and pauses of files and pages: the FTP and HTTP models by which 3GPP2 evaluates networks (C.R1002-0, "cdma2000 Evaluation
 * Methodology", 2004, tables of FTP and HTTP traffic; the same in IEEE 802.16m-08/004).
 */
import { fromSeconds, type Micros, micros } from '../../proto/units.ts';
import { FTP, WEB } from '../../topology/model/traffic.ts';
import type { Draws } from './draws.ts';
import type { TimedTraffic } from './packet-times.ts';

export interface File {
  readonly bytes: number;
  readonly pauseMicros: Micros;
}

/** Lognormal, with the mean that was asked for, up to 2.5 times that: the model's are 2 MB, and 5 MB at most. */
export function drawFile({ size, off }: Pick<TimedTraffic, 'size' | 'off'>, draws: Draws): File {
  const mu = Math.log(size) - FTP.sigma ** 2 / 2;
  const bytes = draws.within(1, size * FTP.mostMeans, () => draws.lognormal(mu, FTP.sigma));
  return { bytes: Math.ceil(bytes), pauseMicros: micros(draws.exponential(off)) };
}

export interface Page {
  /** Bytes, the main one first. */
  readonly objects: readonly number[];
  /** From the main object to the first of the others. */
  readonly parseMicros: Micros;
  readonly readMicros: Micros;
}

export function drawPage({ off }: Pick<TimedTraffic, 'off'>, draws: Draws): Page {
  const { main, embedded, count } = WEB;
  const object = ({ mu, sigma, least, most }: Readonly<Record<keyof typeof main, number>>): number =>
    Math.round(draws.within(least, most, () => draws.lognormal(mu, sigma)));
  const objects = [object(main)];
  const more = Math.round(Math.min(count.most, draws.paretoFrom(count.least, count.shape))) - count.least;
  for (let at = 0; at < more; at++) objects.push(object(embedded));
  return {
    objects,
    parseMicros: fromSeconds(draws.exponential(WEB.parseSeconds)),
    readMicros: micros(draws.exponential(off)),
  };
}
