/** How far endpoints are. */
import { beforeEach, expect, test } from 'vitest';
import type { Measured } from '../../../agent/underlay/round-trip.ts';
import { FLOOR_MICROS, LASTING_LOOKS } from '../../../agent/underlay/round-trip.ts';
import { type OtherHost, Underlay } from '../../../agent/underlay/underlay.ts';
import { micros } from '../../../proto/units.ts';

const ENDPOINTS = [
  { number: 0, host: 'here' },
  { number: 1, host: 'far' },
  { number: 2, host: 'near' },
  { number: 3, host: 'far' },
];

let hosts: OtherHost[];
let trips: Record<string, Measured>;
let asked: string[];
let underlay: Underlay;

beforeEach(() => {
  hosts = [
    { name: 'far', peer: 'P1' },
    { name: 'near', peer: 'P2' },
  ];
  trips = {
    P1: { kernelMicros: micros(60_000), clockMicros: micros(61_000) },
    P2: { kernelMicros: micros(90), clockMicros: micros(2000) },
  };
  asked = [];
  const measure = ({ peer }: OtherHost): Measured => {
    asked.push(peer);
    return trips[peer]!;
  };
  underlay = new Underlay(
    { hosts: () => hosts, measure },
    { endpoints: ENDPOINTS.length, floorMicros: FLOOR_MICROS },
  );
});

test('an endpoint is half of its host’s round trip away; those here, and those nearby, are not', () => {
  expect(underlay.setEndpoints(ENDPOINTS)).toBe(true);
  expect([...underlay.realLatency]).toEqual([0, 30_000, 0, 30_000]);
  expect(underlay.status()).toEqual([
    { host: 'far', roundTripMs: 60, subtractedMs: 30 },
    { host: 'near', roundTripMs: 0.09, subtractedMs: 0 },
  ]);
});

test('the same again is no change, and the array stays', () => {
  underlay.setEndpoints(ENDPOINTS);
  const { realLatency } = underlay;
  trips.P1 = { kernelMicros: micros(59_900), clockMicros: undefined };
  expect(underlay.look()).toBe(false);
  expect(underlay.setEndpoints(ENDPOINTS)).toBe(false);
  expect(underlay.realLatency).toBe(realLatency);
});

test('hosts that were measured are measured again once a second only', () => {
  underlay.setEndpoints(ENDPOINTS);
  asked = [];
  underlay.setEndpoints(ENDPOINTS);
  expect(asked).toEqual([]);
  underlay.look();
  expect(asked).toEqual(['P1', 'P2']);
});

test('a host that can not be measured yet counts as near, and status shows it', () => {
  trips.P1 = { kernelMicros: undefined, clockMicros: undefined };
  expect(underlay.setEndpoints(ENDPOINTS)).toBe(false);
  expect(underlay.status()[0]).toEqual({ host: 'far', roundTripMs: null, subtractedMs: 0 });
  trips.P1 = { kernelMicros: micros(60_000), clockMicros: undefined };
  expect(underlay.look(false)).toBe(true);
  expect(underlay.realLatency[3]).toBe(30_000);
});

test('of a host that has gone nothing is forgotten; an endpoint that moves is as far as where it went', () => {
  underlay.setEndpoints(ENDPOINTS);
  hosts = hosts.slice(1);
  expect(underlay.look()).toBe(false);
  expect(underlay.setEndpoints([{ number: 1, host: 'near' }])).toBe(true);
  expect([...underlay.realLatency]).toEqual([0, 0, 0, 30_000]);
});

test('a way that has become longer is reckoned with when it lasts', () => {
  underlay.setEndpoints(ENDPOINTS);
  trips.P1 = { kernelMicros: micros(60_000), clockMicros: micros(80_000) };
  const looks = Array.from({ length: LASTING_LOOKS }, () => underlay.look());
  expect(looks.indexOf(true)).toBe(LASTING_LOOKS - 1);
  expect(underlay.realLatency[1]).toBe(40_000);
});

test('what has become longer is so now, and not reckoned with before it lasts', () => {
  underlay.setEndpoints(ENDPOINTS);
  expect(underlay.latencyNow).toBe(underlay.realLatency);
  const longer = new Map([
    ['near', micros(24_000)],
    ['far', micros(50_000)],
  ]);
  underlay.setLonger(longer);
  const { latencyNow } = underlay;
  expect([...latencyNow]).toEqual([0, 30_000, 12_000, 30_000]);
  expect([...underlay.realLatency]).toEqual([0, 30_000, 0, 30_000]);
  underlay.setLonger(longer);
  underlay.look();
  expect(underlay.latencyNow).toBe(latencyNow);
  underlay.setEndpoints([{ number: 0, host: 'near' }]);
  expect([...underlay.latencyNow]).toEqual([12_000, 30_000, 12_000, 30_000]);
  underlay.setLonger(new Map());
  expect(underlay.latencyNow).toBe(underlay.realLatency);
});

test('a host that has just come counts at once where it is far, by what the kernel saw; nearer ones when it lasts', () => {
  trips.P1 = { kernelMicros: micros(6000), clockMicros: micros(40_000) };
  trips.P2 = { kernelMicros: micros(3000), clockMicros: micros(3500) };
  underlay.setEndpoints(ENDPOINTS);
  expect([...underlay.realLatency]).toEqual([0, 3000, 0, 3000]);
  for (let look = 1; look < LASTING_LOOKS; look++) underlay.look();
  expect([...underlay.realLatency]).toEqual([0, 3000, 0, 3000]);
  underlay.look();
  expect([...underlay.realLatency]).toEqual([0, 20_000, 1500, 20_000]);
});
