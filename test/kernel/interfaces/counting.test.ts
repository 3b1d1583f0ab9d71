/** What ends the counting of an endpoint's traffic, and what does not (`packet_notifier`, net/packet/af_packet.c). */
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createNamespaces, removeNamespace } from '../../../agent/kernel/netns/namespaces.ts';
import { numbersByAddress } from '../../../agent/linux/objects/endpoint-numbers.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';

const ELSEWHERE = `netfold-elsewhere-${process.pid}`;

let cable: Cable;
let programs: Programs;

beforeEach(() => {
  cable = layCable();
  programs = loadPrograms(4, 8);
  programs.usage.setEndpoints(numbersByAddress([cable.a, cable.b]));
  programs.countTraffic(cable.a);
  createNamespaces([ELSEWHERE]);
});

afterEach(async () => {
  removeNamespace(ELSEWHERE);
  await programs.close();
  cable.remove();
});

const ip = (words: string): void => {
  execFileSync('ip', words.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
};
const name = (): string => cable.a.namespace.split('/').at(-1)!;

function isCounted(): boolean {
  programs.usage.read();
  try {
    ip(`netns exec ${name()} ping -c1 -W1 -n 10.9.0.2`);
  } catch {
    // It was sent, which is all that counts.
  }
  return programs.usage.read().count > 0;
}

it('not: another name, or a time without being up', () => {
  expect(isCounted()).toBe(true);
  ip(`-n ${name()} link set eth0 down`);
  expect(programs.resumeCounting(cable.a)).toBe(false);
  ip(`-n ${name()} link set eth0 name renamed0`);
  ip(`-n ${name()} link set renamed0 up`);
  expect(programs.resumeCounting(cable.a)).toBe(false);
  expect(isCounted()).toBe(true);
});

it('a time in another namespace: it is noticed, and the traffic counted again', () => {
  ip(`-n ${name()} link set eth0 netns ${ELSEWHERE}`);
  expect(() => programs.resumeCounting(cable.a)).toThrow(expect.objectContaining({ code: 'INTERFACE_GONE' }));
  ip(`-n ${ELSEWHERE} link set eth0 netns ${name()}`);
  ip(`-n ${name()} address add 10.9.0.1/24 dev eth0`);
  ip(`-n ${name()} link set eth0 up`);
  expect(isCounted()).toBe(false);
  expect(programs.resumeCounting(cable.a)).toBe(true);
  expect(isCounted()).toBe(true);
  expect(programs.resumeCounting(cable.a)).toBe(false);
});
