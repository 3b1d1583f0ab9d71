import { describe, expect, it } from 'vitest';
import { dueTimes, lagsOf } from '../../../bench/events/lags.ts';
import { flapping, manyEvents } from '../../../bench/events/topologies.ts';
import { parseInterface } from '../../../bench/measure/traffic/byte-counters.ts';
import { loadTopology } from '../../../topology/load.ts';

const due = (text: string): number[] => dueTimes(loadTopology(text, 'test.yaml').topology);

describe('what is due', () => {
  it('in the bench of many events is 200 events within 10 s', () => {
    const { events } = loadTopology(manyEvents(), 'test.yaml').topology;
    const timed = events.filter(({ at }) => at >= 2e6);
    // The flap is one line, and 50 toggles.
    expect(timed.length - 1 + 50).toBe(200);
    const times = due(manyEvents());
    expect(Math.min(...times)).toBeGreaterThanOrEqual(2000);
    expect(Math.max(...times)).toBeLessThanOrEqual(12_000);
    // Only few fall together.
    expect(times.length).toBeGreaterThan(190);
  });

  it('in that of the flap is a toggle every 100 ms', () => {
    const times = due(flapping(60));
    expect(times).toHaveLength(600);
    times.forEach((at, index) => {
      expect(at).toBe(2000 + 100 * index);
    });
  });
});

describe('lags', () => {
  const change = (dueMs: number, appliedMs: number, settledMs: number) => ({
    dueMicros: dueMs * 1000,
    appliedMicros: appliedMs * 1000,
    settledMicros: settledMs * 1000,
    epoch: 1,
  });

  it('are from due to in force, in whatever order the agent was done with them', () => {
    const changes = [change(200, 203, 204), change(100, 101, 207)];
    expect(lagsOf([100, 200], changes)).toEqual([
      { dueMs: 100, appliedMs: 1, settledMs: 107 },
      { dueMs: 200, appliedMs: 3, settledMs: 4 },
    ]);
  });

  it('of what was done with an earlier one are counted from their own time', () => {
    expect(lagsOf([100, 120], [change(100, 150, 151)])).toEqual([
      { dueMs: 100, appliedMs: 50, settledMs: 51 },
      { dueMs: 120, appliedMs: 30, settledMs: 31 },
    ]);
  });

  it('of what was never done are none', () => {
    const [missed] = lagsOf([300], [change(100, 101, 102)]);
    expect(missed).toEqual({ dueMs: 300, appliedMs: Number.NaN, settledMs: Number.NaN });
    expect(lagsOf([300], [])[0]!.settledMs).toBeNaN();
  });
});

it('the counters of an interface are the first column of what came and of what went', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:      11       1    0    0    0     0          0         0       22       2    0    0    0     0       0          0
  eth0: 3333333      33    1    2    3     4          5         6  4444444      44    7    8    9    10      11         12
`;
  expect(parseInterface(text)).toEqual({ received: 3333333, sent: 4444444 });
});
