import { describe, expect, it, test } from 'vitest';
import { laneAddress, laneOf, readLaneAddress } from '../../../agent/enforce/lanes.ts';
import { addressBytes } from '../../../agent/kernel/netlink/addresses.ts';

const [TCP, UDP, ICMP, ICMP6, FRAGMENT] = [6, 17, 1, 58, 44];
const SEED = 7;

interface Header {
  readonly from?: string;
  readonly to?: string;
  readonly protocol?: number;
  readonly ports?: readonly [number, number];
  /** Flags and offset of IPv4; or of the header for fragments of IPv6, which is there then. */
  readonly fragment?: number;
  /** Options of IPv4, in words. */
  readonly options?: number;
}

function packet({
  from = '10.1.0.1',
  to = '10.2.0.1',
  protocol = TCP,
  ports = [1, 2],
  ...rest
}: Header): Uint8Array {
  const { fragment, options = 0 } = rest;
  const isV4 = !from.includes(':');
  const header = isV4 ? 20 + 4 * options : fragment === undefined ? 40 : 48;
  const bytes = new Uint8Array(header + 20);
  const view = new DataView(bytes.buffer);
  bytes[0] = isV4 ? 0x45 + options : 0x60;
  if (isV4) {
    view.setUint16(6, fragment ?? 0x4000);
    bytes[9] = protocol;
  } else {
    bytes[6] = fragment === undefined ? protocol : FRAGMENT;
    if (fragment !== undefined) {
      bytes[40] = protocol;
      view.setUint16(42, fragment);
    }
  }
  bytes.set(addressBytes(from).subarray(isV4 ? 12 : 0), isV4 ? 12 : 8);
  bytes.set(addressBytes(to).subarray(isV4 ? 12 : 0), isV4 ? 16 : 24);
  view.setUint16(header, ports[0]);
  view.setUint16(header + 2, ports[1]);
  return bytes;
}

const lane = (header: Header, lanes = 16, seed = SEED): number => {
  const bytes = packet(header);
  // Not at the beginning of what was received.
  const data = new Uint8Array(bytes.length + 3);
  data.set(bytes, 3);
  return laneOf(seed, lanes, data, 3, bytes.length);
};

const lanesOf = (headers: readonly Header[], lanes = 16, seed = SEED): number[] =>
  headers.map((header) => lane(header, lanes, seed));
const ports = Array.from({ length: 400 }, (_, index): Header => ({ ports: [30_000 + index, 443] }));

describe.each([
  ['IPv4', { from: '10.1.0.1', to: '10.2.0.1' }],
  ['IPv6', { from: 'fd00::1', to: 'fd00::2' }],
] as const)('flows over %s', (family, ends) => {
  it.each([2, 3, 4, 16])('are spread evenly over %d paths', (lanes) => {
    const flows = Array.from({ length: 8000 }, (_, index) => ({
      ...ends,
      ports: [1024 + index, 80] as const,
    }));
    const counts = Array.from({ length: lanes }, () => 0);
    for (const one of lanesOf(flows, lanes)) counts[one]!++;
    for (const count of counts)
      expect(Math.abs(count - 8000 / lanes)).toBeLessThan(5 * Math.sqrt(8000 / lanes));
  });

  it('have one path, and come back by the one with the same place', () => {
    for (const header of ports) {
      const [one, other] = header.ports!;
      const back = { from: ends.to, to: ends.from, ports: [other, one] as const };
      expect(lane({ ...ends, ...header })).toBe(lane(back));
    }
  });

  it('are told apart by protocol, ports, addresses and seed', () => {
    const all = ports.map((header) => ({ ...ends, ...header }));
    const seen = lanesOf(all);
    const others = [
      lanesOf(all.map((header) => ({ ...header, protocol: UDP }))),
      lanesOf(all.map((header) => ({ ...header, ports: [header.ports![0], 80] as const }))),
      lanesOf(all.map((header) => ({ ...header, to: family === 'IPv4' ? '10.2.0.2' : 'fd00::3' }))),
      lanesOf(all, 16, SEED + 1),
    ];
    for (const other of others) {
      const same = other.filter((one, index) => one === seen[index]).length;
      expect(same).toBeGreaterThan(5);
      expect(same).toBeLessThan(60);
    }
  });

  it('without ports take one path, and so do all fragments, the first one too', () => {
    const of = (header: Header): Set<number> =>
      new Set(lanesOf(ports.map((one) => ({ ...ends, ...one, ...header }))));
    expect(of({ protocol: family === 'IPv4' ? ICMP : ICMP6 }).size).toBe(1);
    const [first, middle, last] = family === 'IPv4' ? [0x2000, 0x20b9, 0x0172] : [0x0001, 0x05c9, 0x0b90];
    const parts = [first, middle, last].map((fragment) => of({ protocol: UDP, fragment }));
    expect(parts).toEqual([parts[0], parts[0], parts[0]]);
    expect(parts[0]!.size).toBe(1);
    expect(of({ protocol: UDP }).size).toBe(16);
  });
});

test('options of IPv4 are not taken for ports', () => {
  for (const header of ports) expect(lane({ ...header, options: 3 })).toBe(lane(header));
});

test('a header that is cut off has no ports', () => {
  const [one, other] = [packet({ ports: [1, 2] }), packet({ ports: [3, 4] })];
  expect(laneOf(SEED, 16, one, 0, 23)).toBe(laneOf(SEED, 16, other, 0, 23));
});

test('the text of a target says address and lane', () => {
  for (const address of ['10.1.0.2', 'fd00::2'])
    for (const place of [0, 1, 15])
      expect(readLaneAddress(laneAddress(address, place))).toEqual({ address, lane: place });
  expect(laneAddress('10.1.0.2', 0)).toBe('10.1.0.2');
});
