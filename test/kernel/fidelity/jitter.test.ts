/** Jitter as packets meet it: mean, deviation and shape of each distribution. */
import { expect, it } from 'vitest';
import type { Distribution } from '../../../proto/impairment.ts';
import { place, run, startLab } from '../../support/lab/lab.ts';

const LATENCY_MS = 50;
const SECONDS = 20;
/** What a shared machine adds to a round trip, besides pauses. */
const MACHINE_MS = 0.5;

interface Case {
  readonly name: string;
  readonly deviationMs: number;
  readonly distribution: Distribution;
  /** How many paths are measured in parallel. */
  readonly paths: number;
  /** Farthest from the mean, in deviations. */
  readonly least: number;
  readonly most: number;
  /** Third standardized moment. */
  readonly skew: number;
}

/**
 * As many paths as the error of the measured deviation needs, to be a quarter of the 10 % that are allowed: about
 * √((k − 1) / 4n) for n samples, where the fourth moment k is 3, 1.8 and 8.2.
 */
const CASES: readonly Case[] = [
  { name: 'normal1', deviationMs: 1, distribution: 'normal', paths: 1, least: -5, most: 5, skew: 0 },
  { name: 'normal5', deviationMs: 5, distribution: 'normal', paths: 3, least: -5, most: 5, skew: 0 },
  { name: 'normal10', deviationMs: 10, distribution: 'normal', paths: 6, least: -5, most: 5, skew: 0 },
  {
    name: 'uniform5',
    deviationMs: 5,
    distribution: 'uniform',
    paths: 2,
    least: -Math.sqrt(3),
    most: Math.sqrt(3),
    skew: 0,
  },
  { name: 'pareto5', deviationMs: 5, distribution: 'pareto', paths: 9, least: -0.83, most: 4, skew: 2.23 },
];

const TOPOLOGY = `
services:
  source: {}
${CASES.map(({ name, paths }) => `  ${name}: { replicas: ${paths} }`).join('\n')}
links:
${CASES.map(
  ({ name, deviationMs, distribution }) =>
    `  - { from: source, to: ${name}, latency: ${LATENCY_MS}ms, jitter: ${deviationMs}ms, distribution: ${distribution}, oneway: true }
  - { from: ${name}, to: source, oneway: true }`,
).join('\n')}
`;

/** Delays beyond the latency, in milliseconds, by case; `spoiled` by the machine: later than the distribution can be. */
interface Measured {
  readonly delays: readonly number[];
  readonly spoiled: number;
}

async function measure(): Promise<Map<string, Measured>> {
  const lab = await startLab(TOPOLOGY);
  const { namespace } = place(lab, 'source');
  const roundTrips = async ({ name, deviationMs }: Case, replica: number): Promise<number[]> => {
    // Two intervals of the delay line's jitter: what lies so far apart is independent.
    const interval = Math.max(0.02, (12 * deviationMs) / 1000);
    const { address } = place(lab, `${name}.${replica}`);
    const times = ['-i', String(interval), '-c', String(Math.round(SECONDS / interval))];
    const { out } = await run('ip', ['netns', 'exec', namespace, 'ping', '-n', ...times, address]);
    return [...out.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]));
  };
  const measured = CASES.map(async (one): Promise<[string, Measured]> => {
    const replicas = Array.from({ length: one.paths }, (_, replica) => roundTrips(one, replica));
    const all = (await Promise.all(replicas)).flat().map((milliseconds) => milliseconds - LATENCY_MS);
    const delays = all.filter((delay) => delay < one.most * one.deviationMs + 4 * MACHINE_MS);
    return [one.name, { delays, spoiled: all.length - delays.length }];
  });
  return new Map(await Promise.all(measured));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const central = (values: readonly number[], power: number): number => {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** power));
};

it('has mean, deviation and shape that the file says', { timeout: 120_000, retry: 1 }, async () => {
  const measured = await measure();
  for (const { name, deviationMs, paths, least, most, skew } of CASES) {
    const { delays, spoiled } = measured.get(name)!;
    const expected = paths * Math.round(SECONDS / Math.max(0.02, (12 * deviationMs) / 1000));
    expect([name, delays.length + spoiled]).toEqual([name, expected]);
    expect(spoiled, `${name}: later than possible`).toBeLessThan(0.01 * expected);
    const deviation = Math.sqrt(central(delays, 2));
    expect(Math.abs(deviation / deviationMs - 1), `${name}: deviation ${deviation} ms`).toBeLessThan(0.1);
    const error = (4 * deviationMs) / Math.sqrt(delays.length);
    expect(Math.abs(mean(delays)), `${name}: mean`).toBeLessThan(MACHINE_MS + error);
    expect(Math.min(...delays), `${name}: earliest`).toBeGreaterThan(least * deviationMs - MACHINE_MS / 2);
    // That few are later than possible is what `spoiled` counts.
    expect(Math.max(...delays), `${name}: latest`).toBeGreaterThan(0.5 * most * deviationMs);
    expect(Math.abs(central(delays, 3) / deviation ** 3 - skew), `${name}: skew`).toBeLessThan(0.6);
  }
});
