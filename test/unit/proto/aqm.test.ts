import { describe, expect, it } from 'vitest';
import { foldImpairments, impairment } from '../../../proto/impairment.ts';
import { AQM_PATTERN, aqmOf, parseAqm } from '../../../proto/queue.ts';
import { bps, UnitError } from '../../../proto/units.ts';

describe('management of a queue', () => {
  it.each([
    ['red', 'red min=5packets max=15packets probability=10% weight=0.002'],
    [
      ' red  ecn min=10packets max=45420B weight=.25',
      'red min=10packets max=45420B probability=10% weight=0.25 ecn',
    ],
    ['codel ecn', 'codel target=5ms interval=100ms ecn'],
    ['codel interval=1s target=50ms', 'codel target=50ms interval=1s'],
  ])('%s', (text, canonical) => {
    expect(parseAqm(text)).toBe(canonical);
    expect(parseAqm(canonical)).toBe(canonical);
    expect(aqmOf(canonical)).toEqual(aqmOf(text));
    for (const one of [text, canonical]) expect(one).toMatch(new RegExp(AQM_PATTERN, 'u'));
  });

  it('counts packets as full frames, and takes the nearest power of two', () => {
    expect(aqmOf('red min=2packets max=4packets probability=5% weight=0.002')).toEqual({
      ...{ kind: 'red', minBytes: 3028, maxBytes: 6056, probability: 0.05, weightShift: 9, ecn: false },
    });
  });

  it.each([
    '',
    'fq',
    'red min=5',
    'red min=5packets min=6packets',
    'red min=15packets max=15packets',
    'red probability=0%',
    'red weight=0',
    'red weight=1',
    'red weight=x',
    'red min=1B',
    'red target=5ms',
    'codel target=0ms',
    'codel target=100ms',
    'codel interval=10s',
    'codel min=5packets',
    `red ${'x'.repeat(1000)}`,
  ])('refuses %j', (text) => {
    expect(() => parseAqm(text)).toThrow(UnitError);
  });

  it('of a path is that of its slowest link, where packets wait', () => {
    const link = (bandwidth: number, aqm?: string) =>
      impairment({ bandwidth: bps(bandwidth), ...(aqm !== undefined && { aqm }) });
    const fold = (...links: ReturnType<typeof link>[]): string | undefined =>
      foldImpairments([...links.keys()], links).aqm;
    expect(fold(link(1e6, 'a'), link(2e6, 'b'))).toBe('a');
    expect(fold(link(2e6, 'b'), link(1e6))).toBeUndefined();
    expect(fold(link(1e6), link(1e6, 'a'), link(1e6, 'b'))).toBe('a');
  });
});
