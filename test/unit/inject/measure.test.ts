/** Which hosts ping which, and what comes back. */
import { expect, test } from 'vitest';
import {
  type Measurer,
  MOST_PINGED,
  parsePings,
  pingScript,
  roundTripsOf,
  toBePinged,
} from '../../../controller/inject/measure.ts';

const IPUTILS = `192.0.2.7 PING 192.0.2.7 (192.0.2.7) 56(84) bytes of data.  --- 192.0.2.7 ping statistics --- 25 packets transmitted, 16 received, 36% packet loss, time 4803ms rtt min/avg/max/mdev = 9.030/9.942/12.077/0.411 ms
`;
const BUSYBOX =
  '2001:db8::7 PING 2001:db8::7 (2001:db8::7): 56 data bytes  --- 2001:db8::7 ping statistics --- 25 packets transmitted, 25 packets received, 0% packet loss round-trip min/avg/max = 0.063/0.064/0.070 ms \n';
const LOST =
  '192.0.2.9 PING 192.0.2.9 (192.0.2.9) 56(84) bytes of data.  --- 192.0.2.9 ping statistics --- 25 packets transmitted, 0 received, 100% packet loss, time 4999ms \n';

test('ping’s least time counts, and the part of the loss that is one direction’s', () => {
  const found = parsePings(`${IPUTILS}${BUSYBOX}${LOST}no-ping \n\n`);
  expect(Object.fromEntries(found)).toEqual({
    '192.0.2.7': { roundTrip: 9030, loss: expect.closeTo(0.2, 10) },
    '2001:db8::7': { roundTrip: 63, loss: 0 },
  });
});

const host = (name: string, injections: readonly string[] = []): Measurer => ({
  ...{ name, address: name, canRoot: true, injections, known: new Map() },
});
const pairsOf = (there: readonly Measurer[]): string[] =>
  [...toBePinged(there)].flatMap(([one, others]) =>
    others.map((other) => [one.name, other.name].sort().join(' ')),
  );

test.each([0, 1, 2, 3, 4, 7, 8, 40])('of %i hosts, each pair is pinged once, by turns', (count) => {
  const there = Array.from({ length: count }, (_, index) => host(`h${index}`));
  const pairs = pairsOf(there);
  expect(pairs).toHaveLength((count * (count - 1)) / 2);
  expect(new Set(pairs).size).toBe(pairs.length);
  for (const others of toBePinged(there).values())
    expect(others.length).toBeLessThanOrEqual(Math.ceil(count / 2));
});

test('of many hosts, each pings a bounded number; hosts of one injection do not ping each other', () => {
  const many = Array.from({ length: 300 }, (_, index) => host(`h${index}`));
  for (const others of toBePinged(many).values()) expect(others).toHaveLength(MOST_PINGED);
  expect(pairsOf([host('a', ['wan']), host('b', ['wan']), host('c', ['lan']), host('d')]).sort()).toEqual([
    'a c',
    'a d',
    'b c',
    'b d',
    'c d',
  ]);
});

test('agents’ round trips are those of their status', () => {
  const hosts = [
    { host: 'b', roundTripMs: 9.03, subtractedMs: 4.5 },
    { host: 'c', roundTripMs: null, subtractedMs: 0 },
  ];
  const said = JSON.stringify({ agents: [{ state: 'running', underlay: { hosts } }] });
  expect([...roundTripsOf(said)]).toEqual([['b', 9030]]);
  for (const other of ['', 'absent', 'ended x', '{}', '{"agents":[{}]}', '[1]'])
    expect(roundTripsOf(other).size).toBe(0);
});

test('the script asks each address in its family', () => {
  const script = pingScript(['192.0.2.7', '2001:db8::7']);
  expect(script).toContain('\ntry 192.0.2.7 -4 &\ntry 2001:db8::7 -6 &\nwait\n');
});
