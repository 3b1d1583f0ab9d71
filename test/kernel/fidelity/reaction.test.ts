/** What agents remember of how they reacted to events: each change of a share, in force with the event that made it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { agentSocket } from '../../../controller/names.ts';
import { callJson } from '../../../proto/http-json.ts';
import type { AgentRecord } from '../../../proto/view.ts';
import { startLab } from '../../support/lab/lab.ts';

/**
 * Round trips of 30 and 60 ms, so 20 and 10 Mb/s of 30; the clients are on different hosts. Where cubic is not on the machine's list for
 * all, choosing it takes NET_ADMIN, at both ends of iperf3.
 */
const TOPOLOGY = `
services:
  client: { replicas: 2, cap_add: [NET_ADMIN], run: "iperf3 -C cubic -t 60 -c server.$NETFOLD_REPLICA" }
  server: { replicas: 2, cap_add: [NET_ADMIN], run: "iperf3 -s" }
bridges: [s, t]
links:
  - { from: client.0, to: s, latency: 10ms, bandwidth: 100Mbps }
  - { from: client.1, to: s, latency: 25ms, bandwidth: 100Mbps }
  - { from: s, to: t, latency: 0ms, up: 30Mbps, down: 9Mbps }
  - { from: t, to: server, latency: 5ms, up: 100Mbps, down: 80Mbps }
events:
  - at 1s join client.0
  - at 3s join client.1
  - at 6s set client.0--s latency=40ms
  - at 8s crash client.1
`;

it('a flow’s share is in force with the event, on the host of another flow as well', {
  retry: 1,
}, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  const startAt = await lab.run();
  await sleep(startAt + 9500 - Date.now());
  const records = (await Promise.all(
    lab.plan.hosts.map(({ name }) => callJson(`unix:${agentSocket(lab.name, name)}`, '/record')),
  )) as AgentRecord[];
  const [first, second] = records;
  expect(records.map(({ host, tickMs, forgotten }) => ({ host, tickMs, forgotten }))).toEqual(
    ['host0', 'host1'].map((host) => ({ host, tickMs: 50, forgotten: { shares: 0, events: 0 } })),
  );
  for (const { events } of records) {
    expect(events.map(({ dueMicros }) => dueMicros / 1e6)).toEqual([1, 3, 6, 8]);
    expect(events.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    for (const { dueMicros, appliedMicros, settledMicros } of events) {
      expect(appliedMicros).toBeGreaterThanOrEqual(dueMicros);
      expect(settledMicros).toBeGreaterThanOrEqual(appliedMicros);
    }
  }

  const shares = (record: AgentRecord | undefined, client: string) =>
    record!.shares.filter(({ from, to }) => from === client && to.startsWith('server'));
  /** What a share was from the last change within an epoch on, in Mb/s. */
  const after = (client: string, record: AgentRecord | undefined, epoch: number): number =>
    (shares(record, client).findLast((change) => change.epoch === epoch)?.shareBps ?? Number.NaN) / 1e6;
  expect([1, 2, 3, 4].map((epoch) => after('client.0', first, epoch))).toEqual([
    expect.closeTo(30, 1),
    expect.closeTo(20, 1),
    // Round trips of 90 and 60 ms.
    expect.closeTo(12, 1),
    expect.closeTo(30, 1),
  ]);
  expect([2, 3, 4].map((epoch) => after('client.1', second, epoch))).toEqual([
    expect.closeTo(10, 1),
    expect.closeTo(18, 1),
    0,
  ]);

  // The crash of the one is known to the other's host by the timeline, not by silence, nor by gossip.
  for (const [record, client] of [
    [first, 'client.0'],
    [second, 'client.1'],
  ] as const) {
    const crash = record!.events.at(-1)!;
    const change = shares(record, client).find(({ epoch }) => epoch === 4)!;
    expect(change.atMicros).toBeGreaterThanOrEqual(crash.dueMicros);
    expect(change.atMicros).toBeLessThanOrEqual(crash.appliedMicros);
  }
});
