import { expect, it } from 'vitest';
import { trafficRows } from '../../../controller/traffic-rows.ts';
import type { TrafficStatus } from '../../../proto/status.ts';

const NOTHING: TrafficStatus = {
  ...{ name: 'web', kind: 'constant', protocol: 'udp', from: 'a.0', to: 'b.0', sources: 2 },
  ...{
    sent: 0,
    sentBytes: 0,
    refused: 0,
    late: 0,
    received: 0,
    receivedBytes: 0,
    delaySumMs: 0,
    mostDelayMs: 0,
  },
};

it('what the host of the sender and that of the receiver tell is one row', () => {
  const sender = { ...NOTHING, sent: 100, sentBytes: 100_000, refused: 3, late: 1 };
  const receiver = { ...NOTHING, received: 95, receivedBytes: 95_000, delaySumMs: 950, mostDelayMs: 30 };
  const tcp = { ...NOTHING, name: 'bulk', kind: 'greedy', protocol: 'tcp', sent: 50, received: 40 };
  const files = { ...NOTHING, name: 'files', kind: 'ftp', protocol: 'tcp', received: 2, delaySumMs: 800 };
  expect(trafficRows([[sender, tcp], [receiver], [files]])).toMatchObject([
    {
      name: 'web',
      sources: 2,
      sent: 100,
      refused: 3,
      late: 1,
      received: 95,
      lost: 8,
      meanDelayMs: 10,
      mostDelayMs: 30,
    },
    { name: 'bulk', lost: null, meanDelayMs: null },
    { name: 'files', lost: null, meanDelayMs: 400 },
  ]);
});

it('entries of one name that are of TCP and of UDP are two rows', () => {
  const flows = { ...NOTHING, name: 'day', kind: 'flows' };
  const [tcp, udp] = [
    { ...flows, protocol: 'tcp', sent: 4, received: 3, delaySumMs: 60 },
    { ...flows, sent: 10, received: 7, delaySumMs: 7 },
  ];
  expect(trafficRows([[tcp, udp]])).toMatchObject([
    { protocol: 'tcp', lost: null, meanDelayMs: 20 },
    { protocol: 'udp', lost: 3, meanDelayMs: 1 },
  ]);
});
