/** The lines of `netfold status` about hosts that are far apart. */
import { expect, test } from 'vitest';
import { wideAreaLines } from '../../../controller/cli/terminal/wide-area.ts';
import type { AgentStatus } from '../../../proto/status.ts';

type Facts = Pick<AgentStatus, 'host' | 'underlay' | 'metadata'>;

const METADATA = {
  bytesPerSecond: 500,
  budgetBytesPerSecond: null,
  threshold: 0.05,
  intervalMs: 0,
  level: 0,
};
const NEAR: Facts = {
  host: 'host-0',
  underlay: {
    hosts: [
      { host: 'host-1', roundTripMs: 0.1, subtractedMs: 0 },
      { host: 'host-2', roundTripMs: null, subtractedMs: 0 },
    ],
    tooSlow: { count: 0, worst: [] },
  },
  metadata: METADATA,
};

const lines = (facts: Partial<Facts>): string[] => wideAreaLines({ ...NEAR, ...facts } as AgentStatus);

test('nothing where all are near and nothing is bounded', () => {
  expect(lines({})).toEqual([]);
});

test('how far a host is, what is made of it, and for which paths it is too far', () => {
  const slow = (to: string, byMs: number) => ({ from: 'c.0', to, latencyMs: 10, realMs: 10 + byMs, byMs });
  const worst = [slow('d.0', 20.004), slow('e.0', 3), slow('f.0', 2), slow('g.0', 1)];
  expect(
    lines({
      underlay: {
        hosts: [{ host: 'host-1', roundTripMs: 60.1234, subtractedMs: 30 }],
        tooSlow: { count: 9, worst },
      },
    }),
  ).toEqual([
    'host-0 > host-1: real round trip 60.12 ms, each direction is made 30 ms shorter',
    'host-0: the real network is too slow for c.0 > d.0 (10 ms) by 20 ms, c.0 > e.0 (10 ms) by 3 ms, c.0 > f.0 (10 ms) by 2 ms, and 6 more paths',
  ]);
});

test('what is sent, the budget, and how coarse announcements are', () => {
  const metadata = { ...METADATA, budgetBytesPerSecond: 10_000 };
  expect(lines({ metadata })).toEqual(['host-0: sends 4Kbps of 80Kbps, announces changes above 5% at once']);
  expect(lines({ metadata: { ...metadata, threshold: 0.2, intervalMs: 200, level: 2 } })).toEqual([
    'host-0: sends 4Kbps of 80Kbps, announces changes above 20% every 200 ms',
  ]);
});
