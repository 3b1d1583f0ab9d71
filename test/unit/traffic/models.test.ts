/** Sizes of files and pages: the means that 3GPP2's tables give for their models, and the bounds. */
import { expect, it } from 'vitest';
import { Draws } from '../../../agent/traffic/draws.ts';
import { drawFile, drawPage } from '../../../agent/traffic/models.ts';
import { micros } from '../../../proto/units.ts';

/** The greatest part by which a mean of a sample may differ. */
const NEAR = 0.1;
const mean = (sample: readonly number[]): number => sample.reduce((sum, one) => sum + one, 0) / sample.length;

function isNear(value: number, target: number): void {
  expect(value / target).toBeGreaterThan(1 - NEAR);
  expect(value / target).toBeLessThan(1 + NEAR);
}

it('files have the size and the pauses that were asked for', () => {
  const draws = new Draws(1, 0);
  const files = Array.from({ length: 5000 }, () => drawFile({ size: 2e6, off: micros(3e6) }, draws));
  const sizes = files.map(({ bytes }) => bytes);
  isNear(mean(sizes), 2e6);
  // 0.722 MB.
  const spread = Math.sqrt(mean(sizes.map((one) => (one - mean(sizes)) ** 2)));
  isNear(spread, 0.722e6);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(5e6);
  isNear(mean(files.map(({ pauseMicros }) => pauseMicros)), 3e6);
});

it('pages have the objects of the model', () => {
  const draws = new Draws(1, 0);
  const pages = Array.from({ length: 20_000 }, () => drawPage({ off: micros(30e6) }, draws));
  isNear(mean(pages.map(({ objects }) => objects[0]!)), 10_710);
  const embedded = pages.flatMap(({ objects }) => objects.slice(1));
  // 7,758 bytes, with a deviation of sixteen times as much.
  expect(mean(embedded) / 7758).toBeGreaterThan(0.75);
  expect(mean(embedded) / 7758).toBeLessThan(1.25);
  expect(embedded.length / pages.length).toBeGreaterThan(5);
  expect(embedded.length / pages.length).toBeLessThan(6.3);
  expect(Math.max(...pages.map(({ objects }) => objects.length))).toBeLessThanOrEqual(54);
  isNear(mean(pages.map(({ readMicros }) => readMicros)), 30e6);
  expect(Math.min(...embedded)).toBeGreaterThanOrEqual(50);
});

it('the same seed draws the same, another source something else', () => {
  const pages = (index: number) => {
    const draws = new Draws(7, index);
    return Array.from({ length: 20 }, () => drawPage({ off: micros(1e6) }, draws));
  };
  expect(pages(0)).toEqual(pages(0));
  expect(pages(0)).not.toEqual(pages(1));
});
