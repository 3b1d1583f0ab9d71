import { describe, expect, it } from 'vitest';
import { shrink } from '../../../controller/expect/shrink.ts';
import { eventLinesOf, withSomeEvents } from '../../../topology/formats/native/expanded-text.ts';

/** A run fails if all of these are there. */
const needs =
  (...needed: number[]) =>
  async (kept: readonly number[]) =>
    needed.every((one) => kept.includes(one));

describe('shrink', () => {
  it.each([
    [8, [3]],
    [8, [0, 7]],
    [20, [2, 3, 11]],
    [1, [0]],
    [7, [0, 1, 2, 3, 4, 5, 6]],
  ])('of %d events finds those that are needed: %j', async (total, needed) => {
    expect(await shrink(total, needs(...needed), 1000)).toMatchObject({ kept: needed, isSmallest: true });
  });
  it('tries first whether it fails without any', async () => {
    expect(await shrink(9, async () => true, 100)).toEqual({ kept: [], runs: 1, isSmallest: true });
  });
  it('asks for the same events once', async () => {
    const asked: string[] = [];
    const fails = async (kept: readonly number[]) => {
      asked.push(kept.join());
      return needs(1, 5, 6)(kept);
    };
    const { runs } = await shrink(8, fails, 1000);
    expect(new Set(asked).size).toBe(asked.length);
    expect(runs).toBe(asked.length);
  });
  it('ends after so many runs, with what it has found', async () => {
    const { kept, runs, isSmallest } = await shrink(64, needs(5), 3);
    expect(runs).toBe(3);
    expect(isSmallest).toBe(false);
    expect(kept).toContain(5);
    expect(kept.length).toBeLessThan(64);
  });
  it('takes a run that can not say for one that does not fail', async () => {
    const fails = async (kept: readonly number[]) => (kept.length === 1 ? undefined : needs(2)(kept));
    expect(await shrink(4, fails, 100)).toMatchObject({ kept: [2, 3], isSmallest: false });
  });
});

describe('a file with some of its events', () => {
  const TEXT = `# A comment.
services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 1ms }]
events:
  - at 1s set a--b latency=2ms   # first
  - "at 2s run a \\"x\\""
  - at 3s crash b
expect: [reach a b]
`;
  it('keeps everything else', () => {
    expect(eventLinesOf(TEXT)).toEqual(['at 1s set a--b latency=2ms', 'at 2s run a "x"', 'at 3s crash b']);
    const text = withSomeEvents(TEXT, new Set([0, 2]));
    expect(eventLinesOf(text)).toEqual(['at 1s set a--b latency=2ms', 'at 3s crash b']);
    expect(text).toContain('# A comment.');
    expect(text).toContain('# first');
    expect(text).toContain('expect:');
  });
  it('may have none', () => {
    expect(withSomeEvents(TEXT, new Set())).not.toContain('events:');
    expect(eventLinesOf('services: { a: {} }\n')).toEqual([]);
  });
});
