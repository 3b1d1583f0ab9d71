import { expect, test } from 'vitest';
import { addressBytes } from '../../../agent/kernel/netlink/addresses.ts';
import { PathTable } from '../../../agent/linux/delay-line/path-table.ts';
import { Random } from '../../../agent/linux/delay-line/random.ts';
import { NAP_MS, Pace, QUICK_MS, SLICE_MS } from '../../../agent/linux/delay-line/wake/pace.ts';

/** So many packets a second, one at a time, for so long. */
function send(pace: Pace, fromMs: number, perSecond: number, ms: number): number {
  for (let now = fromMs; now < fromMs + ms; now += 1000 / perSecond) pace.arrived(1, now);
  return fromMs + ms;
}

test('packets lie about while there are very many of them, and only then', () => {
  const pace = new Pace();
  expect(pace.napMs).toBe(0);
  const later = send(pace, 0, 300, 500);
  expect(pace.napMs).toBe(0);
  const busy = send(pace, later, 3000, 100);
  expect(pace.napMs).toBe(NAP_MS);
  send(pace, busy, 300, 100);
  expect(pace.napMs).toBe(0);
});

test('with very many, releases wait for each other, until there are fewer; also when none comes any more', () => {
  const pace = new Pace();
  const many = send(pace, 0, 1500, 100);
  expect(pace.sliceMs(many)).toBe(0);
  const crowd = send(pace, many, 3000, 100);
  expect(pace.sliceMs(crowd)).toBe(SLICE_MS);
  expect(pace.sliceMs(crowd + 100)).toBe(0);
});

test('a pause of the machine is no lull, and a burst no crowd', () => {
  const pace = new Pace();
  pace.arrived(9, 0);
  pace.arrived(9, 500);
  pace.arrived(1, 1000);
  expect(pace.napMs).toBe(0);
});

test('a table knows how many of its paths are too quick for that', () => {
  const table = new PathTable();
  const set = (host: number, latencyMs: number, loss = 0): number =>
    table.set(
      { sources: [addressBytes(`10.0.0.${host}`)], latencyMs, jitterMs: 0, distribution: 'normal', loss },
      new Random(1),
    );
  for (let host = 0; host < 20; host++) set(host, QUICK_MS);
  expect(table.quick).toBe(0);
  set(3, QUICK_MS - 0.1);
  set(4, 0);
  // There is no path.
  set(5, 0, 1);
  expect(table.quick).toBe(2);
  set(3, 10);
  expect(table.quick).toBe(1);
  table.remove(set(4, 1), 0);
  expect(table.quick).toBe(0);
  for (let host = 0; host < 20; host++) table.remove(set(host, 1), 0);
  expect([table.quick, table.size, table.needsFrames]).toEqual([0, 0, false]);
});
