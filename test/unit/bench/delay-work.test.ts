import { expect, test } from 'vitest';
import { delayWork, delayWorkTables } from '../../../bench/measure/cpu/delay-work.ts';
import type { AgentStatus } from '../../../proto/status.ts';

/** Of an agent whose delay line has done `times` as much as another. */
function status(times: number): AgentStatus {
  const work = { turns: 50, receiveMs: 1, passMs: 4, released: 80, lateMs: 8, lateMs2: 2 };
  const grown = Object.fromEntries(Object.entries(work).map(([name, value]) => [name, value * times]));
  return { delay: { backend: 'delay-line', packets: 100 * times, work: grown } } as unknown as AgentStatus;
}

test('gives the work of all agents between two readings', () => {
  const work = delayWork([status(1), status(2)], [status(11), status(22)], 0.5)!;
  expect(work).toMatchObject({ packets: 3000, turns: 1500, receiveMs: 30, passMs: 120, seconds: 0.5 });
  const [table] = delayWorkTables('cpu', [{ what: '9 nodes', work, threadCores: 0.4 }]);
  const rows = table!.rows.map(({ what, unit, measured, note }) => [
    what,
    `${Number(measured!.toFixed(6))} ${unit}`,
    note,
  ]);
  expect(rows).toEqual([
    ['9 nodes: packets', '6000 1/s', ''],
    ['9 nodes: looks at what there is to do', '3000 1/s', '2.0 packets each'],
    ['9 nodes: giving packets back', '0.24 cores', '40.0 µs a packet'],
    ['9 nodes: taking packets', '0.06 cores', '10.0 µs a packet'],
    ['9 nodes: sleeping, waking, and the rest', '0.1 cores', '16.7 µs a packet'],
    ['9 nodes: released later than due', '0.1 ms', ''],
    ['9 nodes: the same, mean square', '0.025 ms²', ''],
  ]);
});

test('netem has no such account', () => {
  const netem = { delay: { backend: 'netem', packets: 5 } } as unknown as AgentStatus;
  const work = delayWork([netem], [netem], 1);
  expect(work).toBeUndefined();
  expect(delayWorkTables('cpu', [{ what: '9 nodes', work, threadCores: Number.NaN }])).toEqual([]);
});
