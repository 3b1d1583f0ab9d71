import { describe, expect, it } from 'vitest';
import { warnings } from '../support.ts';

const BASE = `services: { client: { replicas: 2 }, server: {} }
bridges: { s1: {}, s2: {} }
links:
  - { from: client, to: s1, latency: 20ms }
  - { from: s1, to: s2, latency: 20ms, loss: 10%, bandwidth: 10Mbps }
  - { from: server, to: s2 }
events:
`;
const warned = (...lines: string[]): string[] =>
  warnings(BASE + lines.map((line) => `  - ${line}\n`).join('')).map(
    ({ code, line, message }) => `${line} ${code} ${message}`,
  );

describe('windows that overlap', () => {
  it('names both lines where the first that ends cuts the other one short', () => {
    expect(warned('from 0s to 20s flap s1--s2 every 5s', 'from 7s to 12s leave s1--s2')).toEqual([
      '9 EVENT_OVERLAP this brings s1->s2 back at 12s, while the flap in line 8 goes on until 20s, and 1 more',
    ]);
    expect(warned('from 7s to 30s leave s1->s2', 'from 1s to 20s flap s1--s2 every 5s')).toEqual([
      '9 EVENT_OVERLAP this brings s1->s2 back at 16s, while the leave in line 8 goes on until 30s',
    ]);
    expect(warned('from 5s to 15s leave s1->s2', 'from 10s to 20s leave s1--s2')).toEqual([
      '8 EVENT_OVERLAP this brings s1->s2 back at 15s, while the leave in line 9 goes on until 20s',
    ]);
    expect(warned('from 5s to 15s leave client.0', 'from 1s to 20s disconnect client')).toEqual([
      '8 EVENT_OVERLAP this brings client.0 back at 15s, while the disconnect in line 9 goes on until 20s',
    ]);
  });

  it.each([
    [['from 0s to 5s leave s1--s2', 'from 5s to 9s leave s1--s2']],
    [['from 0s to 20s leave s1--s2', 'at 5s join s1--s2']],
    [['from 0s to 20s leave client.0', 'from 5s to 9s leave client.1']],
    [['from 0s to 9s disconnect client.0', 'from 1s to 20s leave client.0']],
  ])('are none in %j', (lines) => expect(warned(...lines)).toEqual([]));
});

describe('a relative setting', () => {
  it.each([
    ['latency=-100ms', 'latency=-100ms goes beyond the limit: s1->s2 has 20ms then, and gets 0ms'],
    ['latency=+10m', 'latency=+600s goes beyond the limit: s1->s2 has 20ms then, and gets 600s'],
    ['loss=+95%', 'loss=+95% goes beyond the limit: s1->s2 has 10% then, and gets 100%'],
  ])('that is cut at a limit is told: %s', (change, message) => {
    expect(warned(`at 1s set s1--s2 ${change}`)).toEqual([`8 VALUE_CLAMPED ${message}`]);
  });

  it('is judged by the value of its instant', () => {
    expect(warned('at 1s set s1--s2 latency=9m', 'at 2s set s1--s2 latency=+9m')).toEqual([
      '9 VALUE_CLAMPED latency=+540s goes beyond the limit: s1->s2 has 540s then, and gets 600s',
    ]);
    expect(warned('at 1s set s1--s2 latency=200ms', 'at 2s set s1--s2 latency=-100ms loss=+90%')).toEqual([]);
  });

  it('of a bandwidth without a limit changes nothing', () => {
    expect(warned('at 1s set client--s1 bandwidth=50%')).toEqual([
      '8 VALUE_CLAMPED bandwidth does not change: client.0->s1 has no limit then',
    ]);
  });
});
