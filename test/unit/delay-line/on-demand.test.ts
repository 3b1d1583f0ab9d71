/** Paths of the delay line that come with the packets that need them. */
import { describe, expect, test } from 'vitest';
import { addressBytes } from '../../../agent/kernel/netlink/addresses.ts';
import { OnDemand } from '../../../agent/linux/delay-line/on-demand.ts';
import { type DelayEntry, PathTable } from '../../../agent/linux/delay-line/path-table.ts';
import { Random } from '../../../agent/linux/delay-line/random.ts';
import { Unanswered } from '../../../agent/linux/delay-line/unanswered.ts';

const packet = (id: number, arrivedMs = id) => ({ id, mark: id + 100, arrivedMs, bytes: 98 });

describe('packets that wait for an answer', () => {
  test('are asked for once a pair, and given back in their order', () => {
    const waiting = new Unanswered();
    waiting.hold(7, 3, packet(1));
    waiting.hold(7, 3, packet(2));
    waiting.hold(3, 7, packet(3));
    expect(waiting.takeAsked()).toEqual([7, 3, 3, 7]);
    waiting.hold(7, 3, packet(4));
    expect(waiting.takeAsked()).toEqual([]);
    expect(waiting.answered(7, 3)).toEqual([packet(1), packet(2), packet(4)]);
    expect(waiting.answered(7, 3)).toEqual([]);
    waiting.hold(7, 3, packet(5));
    expect(waiting.takeAsked()).toEqual([7, 3]);
  });

  test('of a queue that is closed come in the order of their arrival, and no others', () => {
    const waiting = new Unanswered();
    waiting.hold(65_534, 65_533, packet(1, 20));
    waiting.hold(65_534, 0, packet(2, 10));
    waiting.hold(65_533, 65_533, packet(3, 5));
    expect(waiting.takeQueue(65_534)).toEqual([packet(2, 10), packet(1, 20)]);
    expect(waiting.answered(65_534, 0)).toEqual([]);
    expect(waiting.answered(65_533, 65_533)).toEqual([packet(3, 5)]);
  });
});

describe('paths on demand', () => {
  const entry = (address: string): DelayEntry => ({
    sources: [addressBytes(address)],
    latencyMs: 5,
    jitterMs: 0,
    distribution: 'normal',
    loss: 0,
  });

  test('are those of endpoints that are known now', () => {
    const demand = new OnDemand();
    const at = (address: string): number => demand.book.get(addressBytes(address));
    demand.begin([[4, ['10.0.0.1', 'fd00::1'].map(addressBytes)]], 1000, 0);
    expect([at('10.0.0.1'), at('fd00::1'), at('10.0.0.2')]).toEqual([4, 4, -1]);
    demand.begin([[5, [addressBytes('10.0.0.2')]]], 1000, 0);
    expect([at('10.0.0.1'), at('fd00::1'), at('10.0.0.2')]).toEqual([-1, -1, 5]);
  });

  test('addresses that are another endpoint’s, or nobody’s now, are named once', () => {
    const demand = new OnDemand();
    const bytes = (...addresses: string[]): Uint8Array[] => addresses.map(addressBytes);
    expect(
      demand.begin(
        [
          [4, bytes('10.0.0.4', 'fd00::4')],
          [5, bytes('10.0.0.5')],
        ],
        1000,
        0,
      ),
    ).toEqual([]);
    expect(
      demand.begin(
        [
          [4, bytes('10.0.0.4', 'fd00::4')],
          [5, bytes('10.0.0.5')],
        ],
        1000,
        0,
      ),
    ).toEqual([]);
    const moved = demand.begin(
      [
        [4, bytes('10.0.0.5', 'fd00::4')],
        [6, bytes('10.0.0.6')],
      ],
      1000,
      0,
    );
    expect(moved).toEqual(bytes('10.0.0.4', '10.0.0.5'));
    expect(demand.begin([[4, bytes('10.0.0.5', 'fd00::4')]], 1000, 0)).toEqual(bytes('10.0.0.6'));
  });

  test('a pair whose endpoint left and came back is forgotten once', () => {
    const demand = new OnDemand();
    const table = new PathTable();
    demand.begin([], 800, 0);
    const random = new Random(1);
    const pair = { queue: 1, source: 2, entry: entry('10.0.0.2') };
    // Twice, as for the table of a queue that was closed and the one that came after it.
    for (let life = 0; life < 2; life++) {
      table.set(pair.entry, random);
      demand.add(pair, 0);
    }
    expect(demand.forget(10_000, () => table)).toEqual([1, 2]);
    expect(table.size).toBe(0);
  });

  test('are forgotten when nothing has come for a while, or is held; each with its pair', () => {
    const tables = new Map([1, 2].map((queue) => [queue, new PathTable()]));
    const demand = new OnDemand();
    expect(demand.nextMs).toBe(Number.POSITIVE_INFINITY);
    demand.begin([], 800, 0);
    const paths = [1, 2].flatMap((queue) =>
      [8, 9].map((source) => {
        const one = entry(`10.0.${queue}.${source}`);
        const path = tables.get(queue)!.set(one, new Random(1));
        demand.add({ queue, source, entry: one }, 0);
        return { table: tables.get(queue)!, path };
      }),
    );
    // The second has been seen since, a packet of the third is held, and the queue of the fourth is gone.
    paths[1]!.table.lastSeen[paths[1]!.path] = 500;
    paths[2]!.table.lastRelease[paths[2]!.path] = 700;
    const forget = (now: number): number[] => demand.forget(now, (queue) => tables.get(queue));
    expect(demand.nextMs).toBe(100);
    expect(forget(799)).toEqual([]);
    paths[3]!.table.remove(paths[3]!.path, 799);
    expect(forget(1000)).toEqual([1, 8]);
    expect(forget(1400)).toEqual([1, 9]);
    expect(tables.get(1)!.size).toBe(0);
    expect(forget(1600)).toEqual([2, 8]);
    expect(forget(9000)).toEqual([]);
    expect(tables.get(2)!.size).toBe(0);
  });
});
