import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DelayEntry, PathTable } from '../../../agent/enforce/delay-line/path-table.ts';
import { Random } from '../../../agent/enforce/delay-line/random.ts';
import { addressBytes } from '../../../agent/kernel/addresses.ts';

type Settings = Omit<DelayEntry, 'source'>;
const NOTHING: Settings = { delayMs: 0, jitterMs: 0, loss: 0 };

const table = (): PathTable => new PathTable(new Random(1));

function find(paths: PathTable, address: string): number {
  const view = new DataView(addressBytes(address).buffer);
  return paths.find(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}

function settings(paths: PathTable, address: string): Settings | undefined {
  const entry = find(paths, address);
  if (entry < 0) return undefined;
  return {
    delayMs: paths.delayMs[entry]!,
    jitterMs: paths.jitter.get(entry)?.deviationMs ?? 0,
    loss: paths.loss[entry]!,
  };
}

test('IPv4 and IPv6 addresses that end alike are different', () => {
  const paths = table();
  const addresses = ['10.1.2.3', '::a01:203', 'fd00::a01:203', 'fd00:0:1::a01:203', 'fd00:0:0:1::a01:203'];
  for (const [index, address] of addresses.entries())
    paths.set({ ...NOTHING, source: addressBytes(address), delayMs: index + 1 });
  expect(addresses.map((address) => settings(paths, address)?.delayMs)).toEqual([1, 2, 3, 4, 5]);
  expect(paths.size).toBe(5);
});

test('strangers are not found', () => {
  const paths = table();
  expect(find(paths, '10.1.2.3')).toBe(-1);
  paths.set({ ...NOTHING, source: addressBytes('10.1.2.3') });
  expect(find(paths, '10.1.2.4')).toBe(-1);
  expect(find(paths, 'fd00::a01:203')).toBe(-1);
  expect(find(paths, '10.1.2.3')).toBe(0);
});

test('an address within a larger array is read from its place', () => {
  const paths = table();
  const key = new Uint8Array(40);
  key.set(addressBytes('fd00::7'), 12);
  paths.set({ ...NOTHING, source: key.subarray(12, 28), delayMs: 3 });
  expect(settings(paths, 'fd00::7')?.delayMs).toBe(3);
});

test('every field can be set anew, without another entry', () => {
  const paths = table();
  const source = addressBytes('10.1.2.3');
  paths.set({ source, delayMs: 20, jitterMs: 2, loss: 0.01 });
  expect(settings(paths, '10.1.2.3')).toEqual({ delayMs: 20, jitterMs: 2, loss: 0.01 });
  paths.set({ source, delayMs: 5, jitterMs: 0.5, loss: 0 });
  expect(settings(paths, '10.1.2.3')).toEqual({ delayMs: 5, jitterMs: 0.5, loss: 0 });
  paths.set({ source, ...NOTHING });
  expect(settings(paths, '10.1.2.3')).toEqual(NOTHING);
  expect(paths.size).toBe(1);
});

test('jitter goes on where it is when the same is set again', () => {
  const paths = table();
  const source = addressBytes('10.1.2.3');
  paths.set({ source, delayMs: 20, jitterMs: 2, loss: 0 });
  const jitter = paths.jitter.get(0);
  paths.set({ source, delayMs: 30, jitterMs: 2, loss: 0.5 });
  expect(paths.jitter.get(0)).toBe(jitter);
});

describe('whether anything can get lost', () => {
  test('is known of all paths, and again when loss ends', () => {
    const paths = table();
    expect(paths.hasLoss()).toBe(false);
    for (let host = 1; host <= 20; host++)
      paths.set({ ...NOTHING, source: addressBytes(`10.0.0.${host}`), delayMs: 1, jitterMs: 1 });
    expect(paths.hasLoss()).toBe(false);
    paths.set({ ...NOTHING, source: addressBytes('10.0.0.20'), loss: 1e-6 });
    expect(paths.hasLoss()).toBe(true);
    paths.set({ ...NOTHING, source: addressBytes('10.0.0.20') });
    expect(paths.hasLoss()).toBe(false);
  });
});

test('growing keeps when the last packet of each path leaves', () => {
  const paths = table();
  for (let host = 0; host < 100; host++) {
    paths.set({ ...NOTHING, source: addressBytes(`10.0.0.${host}`) });
    paths.lastRelease[host] = host * 1.5;
  }
  expect(Array.from(paths.lastRelease.subarray(0, 100))).toEqual(
    Array.from({ length: 100 }, (_, n) => n * 1.5),
  );
});

/** Addresses from a small pool, many with equal last words, and more than fit at first. */
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

test('is always the same as a Map', () => {
  fc.assert(
    fc.property(entries, fc.array(address), (sets, others) => {
      const paths = table();
      const model = new Map<string, Settings>();
      for (const { address: text, ...rest } of sets) {
        paths.set({ source: addressBytes(text), ...rest });
        model.set(Buffer.from(addressBytes(text)).toString('hex'), rest);
      }
      expect(paths.size).toBe(model.size);
      expect(paths.hasLoss()).toBe([...model.values()].some(({ loss }) => loss > 0));
      for (const text of [...sets.map((set) => set.address), ...others])
        expect(settings(paths, text)).toEqual(model.get(Buffer.from(addressBytes(text)).toString('hex')));
    }),
    { seed: 14, numRuns: 200 },
  );
});
