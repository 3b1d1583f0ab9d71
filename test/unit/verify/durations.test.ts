import { describe, expect, it } from 'vitest';
import { fillSeconds, isSlow, planPings, planTcp } from '../../../controller/verify/durations.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import type { Path } from '../../../topology/model/model.ts';

const FRAME = 98;

function pathsOf(link: string): [Path, Path] {
  const text = `services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, ${link} }]\n`;
  const folding = new Folding(expandGraph(loadTopology(text, 'a.yaml').topology));
  return [folding.path(0, 1)!, folding.path(1, 0)!];
}
const pings = (link: string) => planPings(...pathsOf(link), FRAME);

describe('pings', () => {
  it('are many and quick on ordinary paths, more of them where packets are lost', () => {
    expect(pings('latency: 20ms, bandwidth: 20Mbps')).toMatchObject({ count: 250, intervalMs: 10 });
    expect(pings('latency: 20ms, loss: 1%')).toMatchObject({ count: 1500, intervalMs: 3 });
  });
  it.each([
    ['8Kbps', 98],
    ['128Kbps', 6.125],
    ['64Kbps', 12.25],
  ])('take a quarter of %s at most', (rate, frameMs) => {
    const { count, intervalMs } = pings(`bandwidth: ${rate}`)!;
    expect(frameMs / intervalMs).toBeLessThanOrEqual(0.25);
    expect(count * intervalMs).toBeLessThanOrEqual(30_000);
    expect(count).toBeGreaterThanOrEqual(10);
  });
  it('are slow by the slower direction', () => {
    expect(pings('up: 100Mbps, down: 8Kbps')!.intervalMs).toBe(392);
    expect(isSlow(...pathsOf('up: 100Mbps, down: 8Kbps'), FRAME)).toBe(true);
    expect(isSlow(...pathsOf('bandwidth: 100Mbps'), FRAME)).toBe(false);
    expect(isSlow(...pathsOf('latency: 1ms'), FRAME)).toBe(false);
  });
  it('go on until jitter has been different often enough', () => {
    const { count, intervalMs } = pings('latency: 90ms, jitter: 30ms')!;
    expect(count * intervalMs).toBe(100 * 6 * 30);
    expect(pings('latency: 3s, jitter: 1s')!).toMatchObject({ count: 3000, intervalMs: 10 });
  });
  it('wait for answers that take long', () => {
    expect(pings('latency: 5s')!.patienceMs).toBeGreaterThan(10_000);
  });
  it('are none where ten of them take more than half a minute', () => {
    expect(pings('bandwidth: 500bps')).toBeUndefined();
    expect(pings('latency: 16s')).toBeUndefined();
  });
});

describe('TCP', () => {
  const LEAST = { seconds: 4, settleSeconds: 1 };
  const plan = (link: string, tries?: number) => {
    const [path, back] = pathsOf(link);
    return planTcp(LEAST, fillSeconds(path, back), path.bandwidth, tries);
  };
  it('takes seconds on ordinary paths', () => {
    expect(plan('latency: 10ms, bandwidth: 20Mbps')).toEqual({ settleSeconds: 2, seconds: 4 });
  });
  it('has time to fill long and fast ones', () => {
    const { settleSeconds, seconds } = plan('latency: 300ms, bandwidth: 100Mbps');
    expect(settleSeconds).toBeGreaterThan(20);
    expect(settleSeconds).toBeLessThanOrEqual(30);
    expect(seconds).toBe(4);
  });
  it('counts hundreds of frames of slow ones', () => {
    expect(plan('bandwidth: 100Kbps').seconds).toBe(25);
  });
  it('takes twice the time in its second try, and never more than a minute', () => {
    expect(plan('latency: 10ms, bandwidth: 20Mbps', 2)).toEqual({ settleSeconds: 3, seconds: 8 });
    expect(plan('latency: 300ms, bandwidth: 100Mbps', 2)).toEqual({ settleSeconds: 30, seconds: 8 });
  });
});
