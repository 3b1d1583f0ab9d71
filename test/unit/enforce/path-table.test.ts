import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DelayEntry, PathTable } from '../../../agent/enforce/delay-line/path-table.ts';
import { Random } from '../../../agent/enforce/delay-line/random.ts';
import { addressBytes } from '../../../agent/kernel/addresses.ts';

type Settings = Omit<DelayEntry, 'sources'>;
const NOTHING: Settings = { delayMs: 0, jitterMs: 0, distribution: 'normal', loss: 0 };
const NOW = 1000;

function entry(addresses: string, settings: Partial<Settings> = {}): DelayEntry {
  return { ...NOTHING, ...settings, sources: addresses.split(' ').map(addressBytes) };
}

function tableOf(...entries: DelayEntry[]): PathTable {
  return next(PathTable.empty(), ...entries);
}

function next(before: PathTable, ...entries: DelayEntry[]): PathTable {
  return before.replacedBy(entries, new Random(1), NOW);
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
    delayMs: paths.delayMs[index]!,
    jitterMs: jitter?.deviationMs ?? 0,
    distribution: jitter?.distribution ?? 'normal',
    loss: paths.loss[index]!,
  };
}

test('IPv4 and IPv6 addresses that end alike are different', () => {
  const addresses = ['10.1.2.3', '::a01:203', 'fd00::a01:203', 'fd00:0:1::a01:203', 'fd00:0:0:1::a01:203'];
  const paths = tableOf(...addresses.map((address, index) => entry(address, { delayMs: index + 1 })));
  expect(addresses.map((address) => settings(paths, address)?.delayMs)).toEqual([1, 2, 3, 4, 5]);
  expect(paths.size).toBe(5);
});

test('strangers are not found', () => {
  const paths = tableOf(entry('10.1.2.3'));
  expect(find(PathTable.empty(), '10.1.2.3')).toBe(-1);
  expect(find(paths, '10.1.2.4')).toBe(-1);
  expect(find(paths, 'fd00::a01:203')).toBe(-1);
  expect(find(paths, '10.1.2.3')).toBe(0);
});

test('an address within a larger array is read from its place', () => {
  const key = new Uint8Array(40);
  key.set(addressBytes('fd00::7'), 12);
  const paths = tableOf({ ...NOTHING, sources: [key.subarray(12, 28)], delayMs: 3 });
  expect(settings(paths, 'fd00::7')?.delayMs).toBe(3);
});

test('every field can be set anew', () => {
  const first: Settings = { delayMs: 20, jitterMs: 2, distribution: 'pareto', loss: 0.01 };
  const second: Settings = { delayMs: 5, jitterMs: 2, distribution: 'uniform', loss: 0 };
  let paths = tableOf(entry('10.1.2.3', first));
  expect(settings(paths, '10.1.2.3')).toEqual(first);
  paths = next(paths, entry('10.1.2.3', second));
  expect(settings(paths, '10.1.2.3')).toEqual(second);
  paths = next(paths, entry('10.1.2.3'));
  expect(settings(paths, '10.1.2.3')).toEqual(NOTHING);
});

test('an address that is named twice belongs to the later path', () => {
  const paths = tableOf(
    entry('10.1.2.3', { delayMs: 9, jitterMs: 1, loss: 0.5 }),
    entry('10.1.2.3', { delayMs: 4 }),
  );
  expect(settings(paths, '10.1.2.3')).toEqual({ ...NOTHING, delayMs: 4 });
});

test('all addresses of a source are one path', () => {
  const before = tableOf(
    entry('10.0.0.1 fd00::1', { jitterMs: 2 }),
    entry('10.0.0.2 fd00::2', { jitterMs: 2 }),
  );
  expect(['10.0.0.1', 'fd00::1', '10.0.0.2', 'fd00::2'].map((address) => find(before, address))).toEqual([
    0, 0, 1, 1,
  ]);
  before.lastRelease.set([NOW + 5, NOW + 9]);
  // An address that comes late, and a source that is gone with both of its own.
  const after = next(before, entry('10.0.0.1 fd00::1 fd00::11', { jitterMs: 2 }));
  expect(after.size).toBe(2);
  expect([find(after, 'fd00::11'), after.lastRelease[0], after.jitter.get(0)]).toEqual([
    0,
    NOW + 5,
    before.jitter.get(0),
  ]);
  expect([find(after, '10.0.0.2'), find(after, 'fd00::2'), after.isGone[1], after.lastRelease[1]]).toEqual([
    1,
    1,
    1,
    NOW + 9,
  ]);
  // Two paths that become one go on in the order of both.
  expect(next(before, entry('10.0.0.2 10.0.0.1')).lastRelease[0]).toBe(NOW + 9);
});

describe('what goes on when paths are replaced', () => {
  test('jitter, where it is the same', () => {
    const shaken = { jitterMs: 2, distribution: 'uniform' } as const;
    const before = tableOf(entry('10.0.0.9'), entry('10.1.2.3', { ...shaken, delayMs: 20 }));
    const jitter = before.jitter.get(1);
    const after = next(before, entry('10.1.2.3', { ...shaken, delayMs: 30, loss: 0.5 }));
    expect(after.jitter.get(0)).toBe(jitter);
    expect(next(after, entry('10.1.2.3', { jitterMs: 2 })).jitter.get(0)).not.toBe(jitter);
    expect(next(after, entry('10.1.2.3', { ...shaken, jitterMs: 3 })).jitter.get(0)).not.toBe(jitter);
  });

  test('the order of packets, wherever the path stands', () => {
    const hosts = Array.from({ length: 100 }, (_, host) => `10.0.0.${host}`);
    const before = tableOf(...hosts.map((host) => entry(host, { delayMs: 5 })));
    for (let index = 0; index < 100; index++) before.lastRelease[index] = index * 20;
    const after = next(before, ...hosts.toReversed().map((host) => entry(host)));
    expect(Array.from(after.lastRelease.subarray(0, after.size))).toEqual(
      Array.from({ length: 100 }, (_, index) => (99 - index) * 20),
    );
    expect(after.isGone.some((gone) => gone !== 0)).toBe(false);
  });
});

describe('a path that is no longer named', () => {
  test('is forgotten', () => {
    const paths = next(tableOf(entry('10.0.0.1'), entry('10.0.0.2', { delayMs: 7 })), entry('10.0.0.2'));
    expect([paths.size, find(paths, '10.0.0.1'), find(paths, '10.0.0.2')]).toEqual([1, -1, 0]);
  });

  test('is gone, and not forgotten, while its packets are held', () => {
    const before = tableOf(entry('10.0.0.1', { delayMs: 9, jitterMs: 1, loss: 0.1 }), entry('fd00::2'));
    before.lastRelease.set([NOW + 5, NOW]);
    const gone = next(before, entry('10.0.0.3'));
    expect([gone.size, find(gone, 'fd00::2')]).toEqual([2, -1]);
    const index = find(gone, '10.0.0.1');
    expect([gone.isGone[index], gone.lastRelease[index], gone.isGone[find(gone, '10.0.0.3')]]).toEqual([
      1,
      NOW + 5,
      0,
    ]);
    expect(settings(gone, '10.0.0.1')).toEqual(NOTHING);
    expect(gone.hasLoss).toBe(false);
    expect(find(gone.replacedBy([], new Random(1), NOW + 4), '10.0.0.1')).toBe(0);
    expect(gone.replacedBy([], new Random(1), NOW + 5).size).toBe(0);
  });

  test('comes back in order', () => {
    const before = tableOf(entry('10.0.0.1', { delayMs: 9 }));
    before.lastRelease[0] = NOW + 5;
    const back = next(next(before), entry('10.0.0.1', { delayMs: 3 }));
    expect([back.size, back.isGone[0], back.delayMs[0], back.lastRelease[0]]).toEqual([1, 0, 3, NOW + 5]);
  });
});

test('whether anything can get lost is known of all paths, and again when loss ends', () => {
  const hosts = Array.from({ length: 20 }, (_, host) => entry(`10.0.0.${host}`, { delayMs: 1, jitterMs: 1 }));
  let paths = tableOf(...hosts);
  expect(paths.hasLoss).toBe(false);
  paths = next(paths, ...hosts, entry('10.0.0.20', { loss: 1e-6 }));
  expect(paths.hasLoss).toBe(true);
  paths = next(paths, ...hosts, entry('10.0.0.20'));
  expect(paths.hasLoss).toBe(false);
});

/** Addresses from a small pool, many with equal last words. */
const address = fc
  .tuple(fc.constantFrom('10.0.', 'fd00::', 'fd00:1::', 'fd00:0:0:2::'), fc.nat(3), fc.nat(9))
  .map(([prefix, a, b]) => (prefix.includes('.') ? `${prefix}${a}.${b}` : `${prefix}a00:${a}0${b}`));
const entries = fc.array(
  fc.record({
    address,
    delayMs: fc.constantFrom(0, 5, 20.25),
    jitterMs: fc.constantFrom(0, 1.5),
    loss: fc.constantFrom(0, 0.1, 1),
  }),
  { maxLength: 120 },
);

test('holds always what a Map of the last set would, and nothing of the sets before', () => {
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 4 }), fc.array(address), (sets, others) => {
      let paths = PathTable.empty();
      for (const set of sets)
        paths = next(paths, ...set.map(({ address: text, ...rest }) => entry(text, rest)));
      const model = new Map(
        (sets.at(-1) ?? []).map(({ address: text, ...rest }) => [text, { ...NOTHING, ...rest }]),
      );
      expect(paths.size).toBe(sets.at(-1)?.length ?? 0);
      for (const text of [...sets.flat().map((set) => set.address), ...others])
        expect(settings(paths, text)).toEqual(model.get(text));
    }),
    { seed: 14, numRuns: 200 },
  );
});
