/** Endpoints on two interfaces of one namespace: a queue each, and nothing of one ends with the other. */
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ImpairedPath } from '../../../agent/enforce/ports.ts';
import { createDelayBackend } from '../../../agent/linux/delay/delay-backend.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { packetImpairment } from '../../../proto/impairment.ts';
import { fromMillis } from '../../../proto/units.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { runIn, until } from '../../support/lab/lab.ts';

const SECOND_INDEX = 3;
let cable: Cable;
let programs: Programs;
let delay: ReturnType<typeof createDelayBackend>;
let first: LocalEndpoint;
let second: LocalEndpoint;

const nameOf = ({ namespace }: LocalEndpoint): string => namespace.split('/').at(-1)!;
const ip = (line: string): void =>
  void execFileSync('ip', line.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });

beforeEach(() => {
  cable = layCable();
  const [a, b] = [nameOf(cable.a), nameOf(cable.b)];
  ip(`link add eth1 netns ${a} index ${SECOND_INDEX} type veth peer eth1 netns ${b} index ${SECOND_INDEX}`);
  for (const [at, name] of [a, b].entries()) {
    ip(`-n ${name} address add 10.9.1.${at + 1}/24 dev eth1`);
    ip(`-n ${name} link set eth1 up`);
  }
  programs = loadPrograms(16);
  delay = createDelayBackend('delay-line', programs, 1);
  first = cable.b;
  second = {
    ...cable.b,
    number: 7,
    name: 'c.0',
    ifname: 'eth1',
    ifindex: SECOND_INDEX,
    addresses: ['10.9.1.2'],
  };
});

afterEach(async () => {
  await delay.stop();
  await programs.close();
  cable.remove();
});

const pathTo = (destination: LocalEndpoint, source: string, milliseconds: number): ImpairedPath => ({
  ...packetImpairment({ latency: fromMillis(milliseconds) }),
  ...{ source: [source], destination: destination.addresses },
});

const place = (endpoint: LocalEndpoint) => ({
  ...{ name: endpoint.name, namespace: nameOf(endpoint), address: endpoint.addresses[0]! },
});

const medianTo = async (endpoint: LocalEndpoint): Promise<number> =>
  (await ping(place(cable.a), place(endpoint), 3, 20)).medianMs;

const rules = async (): Promise<string> => (await runIn(place(cable.b), 'nft', 'list', 'ruleset')).out;

test('each is delayed by its own path, what is removed is put back, and one that goes leaves the other its packets', {
  timeout: 30_000,
}, async () => {
  await until(async () => (await ping(place(cable.a), place(second), 1, 20)).received === 1, 'eth1 answers');
  for (const endpoint of [first, second]) await delay.attach(endpoint, false);
  await delay.set(first, [pathTo(first, '10.9.0.1', 300)]);
  await delay.set(second, [pathTo(second, '10.9.1.1', 600)]);
  expect((await rules()).match(/iif /g)).toHaveLength(2);
  expect(await medianTo(first)).toBeGreaterThan(299);
  expect(await medianTo(second)).toBeGreaterThan(599);
  expect([delay.repair!(first), delay.repair!(second)]).toEqual([[], []]);

  await runIn(place(cable.b), 'nft', 'flush', 'ruleset');
  expect(delay.repair!(second)).toEqual([expect.stringContaining('nftables rule')]);
  expect(delay.repair!(first)).toEqual([expect.stringContaining('nftables rule')]);
  expect([delay.repair!(first), delay.repair!(second)]).toEqual([[], []]);
  expect((await rules()).match(/iif /g)).toHaveLength(2);

  const held = ping(place(cable.a), place(first), 10, 20);
  await until(() => delay.counters().held > 2, 'packets of the first are held');
  await delay.detach(second);
  expect(await held).toMatchObject({ sent: 10, received: 10 });
  expect(await medianTo(second)).toBeLessThan(300);
  expect(await medianTo(first)).toBeGreaterThan(299);
  await delay.detach(first);
  expect(await rules()).toBe('');
});
