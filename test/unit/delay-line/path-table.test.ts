import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressBytes } from '../../../agent/kernel/netlink/addresses.ts';
import { AddressIndex } from '../../../agent/linux/delay-line/address-index.ts';
import { pathOf } from '../../../agent/linux/delay-line/addressing.ts';
import { type DelayEntry, PathTable } from '../../../agent/linux/delay-line/path-table.ts';
import { Random } from '../../../agent/linux/delay-line/random.ts';

type Settings = Omit<DelayEntry, 'sources'>;
const NOTHING: Settings = { latencyMs: 0, jitterMs: 0, distribution: 'normal', loss: 0 };
const NOW = 1000;

function entry(addresses: string, settings: Partial<Settings> = {}): DelayEntry {
  return { ...NOTHING, ...settings, sources: addresses.split(' ').map(addressBytes) };
}

function tableOf(...entries: DelayEntry[]): PathTable {
  return next(new PathTable(), ...entries);
}

function next(table: PathTable, ...entries: DelayEntry[]): PathTable {
  table.replace(entries, new Random(1), NOW);
  return table;
}

/** Sets when the last packet of each leaves. */
function hold(table: PathTable, releases: Readonly<Record<string, number>>): void {
  for (const [address, at] of Object.entries(releases)) table.lastRelease[find(table, address)] = at;
}

function find(paths: PathTable, address: string): number {
  const view = new DataView(addressBytes(address).buffer);
  return paths.find(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}

function settings(paths: PathTable, address: string): Settings | undefined {
  const index = find(paths, address);
  if (index < 0) return undefined;
  const jitter = paths.jitter.get(index);
  return {
    latencyMs: paths.delayMs[index]!,
    jitterMs: jitter?.deviationMs ?? 0,
    distribution: (jitter?.distribution ?? 'normal') as Settings['distribution'],
    loss: paths.loss[index]!,
  };
}

test('IPv4 and IPv6 addresses that end alike are different', () => {
  const addresses = ['10.1.2.3', '::a01:203', 'fd00::a01:203', 'fd00:0:1::a01:203', 'fd00:0:0:1::a01:203'];
  const paths = tableOf(...addresses.map((address, index) => entry(address, { latencyMs: index + 1 })));
  expect(addresses.map((address) => settings(paths, address)?.latencyMs)).toEqual([1, 2, 3, 4, 5]);
  expect(paths.size).toBe(5);
});

test('strangers are not found', () => {
  const paths = tableOf(entry('10.1.2.3'));
  expect(find(new PathTable(), '10.1.2.3')).toBe(-1);
  expect(find(paths, '10.1.2.4')).toBe(-1);
  expect(find(paths, 'fd00::a01:203')).toBe(-1);
  expect(find(paths, '10.1.2.3')).toBeGreaterThanOrEqual(0);
});

test('an address within a larger array is read from its place', () => {
  const key = new Uint8Array(40);
  key.set(addressBytes('fd00::7'), 12);
  const paths = tableOf({ ...NOTHING, sources: [key.subarray(12, 28)], latencyMs: 3 });
  expect(settings(paths, 'fd00::7')?.latencyMs).toBe(3);
});

test('every field can be set anew', () => {
  const first: Settings = { latencyMs: 20, jitterMs: 2, distribution: 'pareto', loss: 0.01 };
  const second: Settings = { latencyMs: 5, jitterMs: 2, distribution: 'uniform', loss: 0 };
  let paths = tableOf(entry('10.1.2.3', first));
  expect(settings(paths, '10.1.2.3')).toEqual(first);
  paths = next(paths, entry('10.1.2.3', second));
  expect(settings(paths, '10.1.2.3')).toEqual(second);
  paths = next(paths, entry('10.1.2.3'));
  expect(settings(paths, '10.1.2.3')).toEqual(NOTHING);
});

test('an address that is named twice belongs to the later path', () => {
  const paths = tableOf(
    entry('10.1.2.3', { latencyMs: 9, jitterMs: 1, loss: 0.5 }),
    entry('10.1.2.3', { latencyMs: 4 }),
  );
  expect(settings(paths, '10.1.2.3')).toEqual({ ...NOTHING, latencyMs: 4 });
});

test('all addresses of a source are one path', () => {
  const pair = (a: string, b: string): DelayEntry => entry(`${a} ${b}`, { jitterMs: 2 });
  const paths = tableOf(pair('10.0.0.1', 'fd00::1'), pair('10.0.0.2', 'fd00::2'));
  expect(find(paths, 'fd00::1')).toBe(find(paths, '10.0.0.1'));
  expect(find(paths, 'fd00::2')).toBe(find(paths, '10.0.0.2'));
  expect(find(paths, '10.0.0.2')).not.toBe(find(paths, '10.0.0.1'));
  hold(paths, { '10.0.0.1': NOW + 5, '10.0.0.2': NOW + 9 });
  const jitter = paths.jitter.get(find(paths, '10.0.0.1'));
  // An address that comes late, and a source that is gone with both of its own.
  next(paths, entry('10.0.0.1 fd00::1 fd00::11', { jitterMs: 2 }));
  const late = find(paths, 'fd00::11');
  expect([paths.size, late, paths.lastRelease[late], paths.jitter.get(late)]).toEqual([
    2,
    find(paths, '10.0.0.1'),
    NOW + 5,
    jitter,
  ]);
  const gone = find(paths, 'fd00::2');
  expect([find(paths, '10.0.0.2'), paths.isGone[gone], paths.lastRelease[gone]]).toEqual([gone, 1, NOW + 9]);
  // Two paths that become one go on in the order of both.
  next(paths, entry('10.0.0.2 10.0.0.1'));
  expect(paths.lastRelease[find(paths, '10.0.0.1')]).toBe(NOW + 9);
});

test('a path that loses an address to another keeps the rest', () => {
  const paths = tableOf(entry('10.0.0.1 fd00::1', { latencyMs: 4 }));
  paths.set(entry('fd00::1', { latencyMs: 6 }), new Random(1));
  expect([settings(paths, '10.0.0.1')?.latencyMs, settings(paths, 'fd00::1')?.latencyMs, paths.size]).toEqual(
    [4, 6, 2],
  );
  paths.set(entry('10.0.0.1', { latencyMs: 7 }), new Random(1));
  expect([settings(paths, '10.0.0.1')?.latencyMs, settings(paths, 'fd00::1')?.latencyMs, paths.size]).toEqual(
    [7, 6, 2],
  );
});

describe('what goes on when paths are replaced', () => {
  test('jitter, where it is the same', () => {
    const shaken = { jitterMs: 2, distribution: 'uniform' } as const;
    const paths = tableOf(entry('10.0.0.9'), entry('10.1.2.3', { ...shaken, latencyMs: 20 }));
    const jitter = () => paths.jitter.get(find(paths, '10.1.2.3'));
    const first = jitter();
    next(paths, entry('10.1.2.3', { ...shaken, latencyMs: 30, loss: 0.5 }));
    expect(jitter()).toBe(first);
    next(paths, entry('10.1.2.3', { jitterMs: 2 }));
    const second = jitter();
    expect(second).not.toBe(first);
    next(paths, entry('10.1.2.3', { jitterMs: 3 }));
    expect(jitter()).not.toBe(second);
  });

  test('the order of packets, wherever the path stands', () => {
    const hosts = Array.from({ length: 100 }, (_, host) => `10.0.0.${host}`);
    const paths = tableOf(...hosts.map((host) => entry(host, { latencyMs: 5 })));
    hold(paths, Object.fromEntries(hosts.map((host, index) => [host, index * 20])));
    next(paths, ...hosts.toReversed().map((host) => entry(host)));
    expect(hosts.map((host) => paths.lastRelease[find(paths, host)])).toEqual(
      Array.from({ length: 100 }, (_, index) => index * 20),
    );
    expect(paths.isGone.some((gone) => gone !== 0)).toBe(false);
  });

  test('and when a single one is set: order, jitter, and when it was seen', () => {
    const shaken = { jitterMs: 2, latencyMs: 5 };
    const paths = tableOf(entry('10.0.0.1', shaken), entry('10.0.0.2', shaken));
    hold(paths, { '10.0.0.1': NOW + 3, '10.0.0.2': NOW + 4 });
    paths.lastSeen[find(paths, '10.0.0.1')] = NOW - 1;
    const jitter = paths.jitter.get(find(paths, '10.0.0.1'));
    const path = paths.set(entry('10.0.0.1', { ...shaken, latencyMs: 8 }), new Random(1));
    expect(path).toBe(find(paths, '10.0.0.1'));
    expect([paths.delayMs[path], paths.lastRelease[path], paths.lastSeen[path]]).toEqual([
      8,
      NOW + 3,
      NOW - 1,
    ]);
    expect(paths.jitter.get(path)).toBe(jitter);
    expect(settings(paths, '10.0.0.2')).toEqual({ ...NOTHING, ...shaken });
    expect(paths.size).toBe(2);
  });
});

describe('a path that is no longer named', () => {
  test('is forgotten', () => {
    const paths = next(tableOf(entry('10.0.0.1'), entry('10.0.0.2', { latencyMs: 7 })), entry('10.0.0.2'));
    expect([paths.size, find(paths, '10.0.0.1'), settings(paths, '10.0.0.2')]).toEqual([1, -1, NOTHING]);
  });

  test('is gone, and not forgotten, while its packets are held', () => {
    const paths = tableOf(entry('10.0.0.1', { latencyMs: 9, jitterMs: 1, loss: 0.1 }), entry('fd00::2'));
    hold(paths, { '10.0.0.1': NOW + 5, 'fd00::2': NOW });
    next(paths, entry('10.0.0.3'));
    expect([paths.size, find(paths, 'fd00::2')]).toEqual([2, -1]);
    const index = find(paths, '10.0.0.1');
    expect([paths.isGone[index], paths.lastRelease[index], paths.isGone[find(paths, '10.0.0.3')]]).toEqual([
      1,
      NOW + 5,
      0,
    ]);
    expect(settings(paths, '10.0.0.1')).toEqual(NOTHING);
    expect(paths.needsFrames).toBe(false);
    paths.replace([], new Random(1), NOW + 4);
    expect(find(paths, '10.0.0.1')).toBe(index);
    paths.replace([], new Random(1), NOW + 5);
    expect(paths.size).toBe(0);
  });

  test('comes back in order', () => {
    const paths = tableOf(entry('10.0.0.1', { latencyMs: 9 }));
    hold(paths, { '10.0.0.1': NOW + 5 });
    next(paths);
    next(paths, entry('10.0.0.1', { latencyMs: 3 }));
    const path = find(paths, '10.0.0.1');
    expect([paths.size, paths.isGone[path], paths.delayMs[path], paths.lastRelease[path]]).toEqual([
      1,
      0,
      3,
      NOW + 5,
    ]);
  });
});

test('whether anything can get lost is known of all paths, and again when loss ends', () => {
  const hosts = Array.from({ length: 20 }, (_, host) =>
    entry(`10.0.0.${host}`, { latencyMs: 1, jitterMs: 1 }),
  );
  let paths = tableOf(...hosts);
  expect(paths.needsFrames).toBe(false);
  paths = next(paths, ...hosts, entry('10.0.0.20', { loss: 1e-6 }));
  expect(paths.needsFrames).toBe(true);
  paths = next(paths, ...hosts, entry('10.0.0.20'));
  expect(paths.needsFrames).toBe(false);
});

/** Addresses from a small pool, many with equal last words. */
const address = fc
  .tuple(fc.constantFrom('10.0.', 'fd00::', 'fd00:1::', 'fd00:0:0:2::'), fc.nat(3), fc.nat(9))
  .map(([prefix, a, b]) => (prefix.includes('.') ? `${prefix}${a}.${b}` : `${prefix}a00:${a}0${b}`));
const entries = fc.array(
  fc.record({
    address,
    latencyMs: fc.constantFrom(0, 5, 20.25),
    jitterMs: fc.constantFrom(0, 1.5),
    loss: fc.constantFrom(0, 0.1, 1),
  }),
  { maxLength: 120 },
);

test('holds always what a Map of the last set would, and nothing of the sets before', () => {
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 4 }), fc.array(address), (sets, others) => {
      const paths = new PathTable();
      for (const set of sets) next(paths, ...set.map(({ address: text, ...rest }) => entry(text, rest)));
      const model = new Map(
        (sets.at(-1) ?? []).map(({ address: text, ...rest }) => [text, { ...NOTHING, ...rest }]),
      );
      expect(paths.size).toBe(model.size);
      expect(paths.needsFrames).toBe([...model.values()].some(({ loss }) => loss > 0 && loss < 1));
      for (const text of [...sets.flat().map((set) => set.address), ...others])
        expect(settings(paths, text)).toEqual(model.get(text));
    }),
    { seed: 14, numRuns: 200 },
  );
});

test('an address that is another endpoint’s from now on is no path’s, whatever is held of it', () => {
  const table = tableOf(
    entry('10.0.0.1 fd00::1', { latencyMs: 1, loss: 0.5 }),
    entry('10.0.0.2', { latencyMs: 9 }),
  );
  hold(table, { '10.0.0.1': NOW + 5 });
  table.forgetAddress(addressBytes('10.0.0.1'));
  expect([find(table, '10.0.0.1'), settings(table, 'fd00::1')?.latencyMs]).toEqual([-1, 1]);
  expect([table.size, table.needsFrames]).toEqual([2, true]);
  table.forgetAddress(addressBytes('fd00::1'));
  table.forgetAddress(addressBytes('10.0.0.77'));
  expect([table.size, table.needsFrames, find(table, '10.0.0.2') >= 0]).toEqual([1, false, true]);
});

/** The latency that packets from a port have. */
function latencyOf(paths: PathTable, source: string, port: number): number {
  const packet = new Uint8Array(28);
  packet.set([0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 17]);
  packet.set(addressBytes(source).subarray(12), 12);
  packet.set([10, 0, 0, 9, port >> 8, port & 255], 16);
  const own = new Uint32Array([0, 0, 0xffff, 0x0a000009]);
  const path = pathOf({ table: paths, own, book: new AddressIndex() }, packet, 0, packet.length);
  return paths.delayMs[path]!;
}

const latenciesOf = (paths: PathTable, source: string): number[] =>
  [...new Set(Array.from({ length: 64 }, (_, port) => latencyOf(paths, source, 1000 + port)))].toSorted();

test('packets are spread over the paths of their source that there are', () => {
  const all = [0, 1, 2].map((lane) =>
    entry('10.0.0.1 10.0.0.2', { latencyMs: lane + 1, ...(lane > 0 && { lane }) }),
  );
  const paths = tableOf(entry('10.0.0.3', { latencyMs: 7 }));
  expect(paths.needsHeaders).toBe(false);
  next(paths, ...all, entry('10.0.0.3', { latencyMs: 7 }));
  expect(paths.needsHeaders).toBe(true);
  for (const source of ['10.0.0.1', '10.0.0.2']) expect(latenciesOf(paths, source)).toEqual([1, 2, 3]);
  expect(latenciesOf(paths, '10.0.0.3')).toEqual([7]);
  const first = latencyOf(paths, '10.0.0.1', 1000);
  expect(latencyOf(paths, '10.0.0.1', 1000)).toBe(first);
  paths.set(entry('10.0.0.1 10.0.0.2', { lane: 2, loss: 1, isAbsent: true }), new Random(1));
  expect(latenciesOf(paths, '10.0.0.1')).toEqual([1, 2]);
  paths.set(all[2]!, new Random(1));
  expect(latenciesOf(paths, '10.0.0.1')).toEqual([1, 2, 3]);
  next(paths, all[0]!);
  expect(latenciesOf(paths, '10.0.0.1')).toEqual([1]);
  expect(paths.size).toBe(1);
});
