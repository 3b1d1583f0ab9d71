import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  announcedRate,
  decodeRate,
  encodeRate,
  MAX_RATE_CODE,
} from '../../../../agent/mesh/wire/rate-code.ts';

const rate = fc.double({ min: 0, max: 12, noNaN: true }).map((exponent) => 10 ** exponent);

test('a rate is at most 0.2 % off, and whole bits per second are exact up to 511', () => {
  for (let bps = 0; bps < 512; bps++) expect(announcedRate(bps)).toBe(bps);
  fc.assert(
    fc.property(
      rate.filter((bps) => bps > 511),
      (bps) => Math.abs(announcedRate(bps) / bps - 1) < 0.002,
    ),
    { seed: 1 },
  );
});

test('a larger rate never has a smaller code, and codes are read back exactly', () => {
  fc.assert(
    fc.property(rate, rate, (a, b) => a > b || encodeRate(a) <= encodeRate(b)),
    { seed: 2 },
  );
  for (let code = 0; code <= MAX_RATE_CODE; code++) {
    if (code < 512 || code % 512 >= 256) expect(encodeRate(decodeRate(code))).toBe(code);
  }
});

test('any traffic has a code above 0, none has 0, absurd rates have the largest', () => {
  expect([0, -1, Number.NaN].map(encodeRate)).toEqual([0, 0, 0]);
  expect(encodeRate(0.001)).toBe(1);
  expect(encodeRate(Number.POSITIVE_INFINITY)).toBe(MAX_RATE_CODE);
  expect(decodeRate(MAX_RATE_CODE)).toBe(511 * 2 ** 31);
});
