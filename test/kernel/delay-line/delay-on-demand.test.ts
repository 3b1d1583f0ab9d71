/** The delay line whose paths come with the packets that need them, between two namespaces. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DemandedPath } from '../../../agent/enforce/ports.ts';
import { DelayLine } from '../../../agent/linux/delay-line/delay-line.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import { type PacketImpairment, packetImpairment } from '../../../proto/impairment.ts';
import { fromMillis } from '../../../proto/units.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { runIn, until } from '../../support/lab/lab.ts';

const STRANGER = '10.9.0.66';

let cable: Cable;
let programs: Programs;
let line: DelayLine;
/** The paths that the line has requested and forgotten, in order. */
let heard: string[];
let path: PacketImpairment | undefined;

beforeEach(async () => {
  cable = layCable();
  programs = loadPrograms(1);
  line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd, cores: 8 });
  heard = [];
});

afterEach(async () => {
  await line.stop();
  await programs.close();
  cable.remove();
});

const place = ({ name, namespace, addresses }: Cable['a']) => ({
  name,
  namespace: namespace.split('/').at(-1)!,
  address: addresses[0]!,
});

function towardsB(): DemandedPath {
  const { number: source, addresses } = cable.a;
  return { destination: cable.b.number, source, addresses, ...(path ? { path } : {}) };
}

async function begin(idleMs = 60_000): Promise<void> {
  await line.attach(cable.b, false);
  await line.onDemand({
    endpoints: [cable.a, cable.b],
    idleMs,
    ask: (destination, source) => {
      heard.push(`ask ${source} > ${destination}`);
      return towardsB();
    },
    forget: (destination, source) => heard.push(`forget ${source} > ${destination}`),
  });
}

/** Round trips in milliseconds of pings from `a`. */
async function pings(count: number, to = cable.b.addresses[0]!, ...options: string[]): Promise<number[]> {
  const words = ['ping', '-n', '-i', '0.2', '-W', '1', '-c', String(count), ...options, to];
  const { out } = await runIn(place(cable.a), ...words);
  return [...out.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]));
}

const delayed = (byMs: number): PacketImpairment => packetImpairment({ latency: fromMillis(byMs) });

it('delays the first packet of a pair as all others, once it has asked', async () => {
  // IPv6 takes its time until it speaks to its neighbours.
  for (const address of cable.b.addresses)
    await until(async () => (await pings(1, address)).length === 1, `${address} answers`);
  path = delayed(150);
  await begin();
  for (const address of cable.b.addresses) {
    const trips = await pings(1, address);
    expect(trips).toHaveLength(1);
    expect(trips[0]).toBeGreaterThan(149.5);
    expect(trips[0]).toBeLessThan(250);
  }
  expect(await pings(3)).toHaveLength(3);
  // Both families are one pair.
  expect(heard).toEqual(['ask 0 > 1']);
});

it('keeps the order of what comes while it asks', async () => {
  path = delayed(30);
  await begin();
  const { out } = await runIn(place(cable.a), 'ping', '-n', '-l', '20', '-c', '20', cable.b.addresses[0]!);
  const sequence = [...out.matchAll(/icmp_seq=(\d+)/g)].map((match) => Number(match[1]));
  expect(sequence).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(heard).toHaveLength(1);
});

it('loses everything where there is no path, from the first packet on, until there is one', async () => {
  path = undefined;
  await begin();
  expect(await pings(2)).toEqual([]);
  path = delayed(100);
  await line.change([towardsB()]);
  const [first] = await pings(1);
  expect(first).toBeGreaterThan(99.5);
  expect(heard).toEqual(['ask 0 > 1']);
});

it('lets pass what strangers send', async () => {
  await begin();
  await runIn(place(cable.a), 'ip', 'address', 'add', `${STRANGER}/24`, 'dev', 'eth0');
  expect(await pings(2, cable.b.addresses[0]!, '-I', STRANGER)).toHaveLength(2);
  expect(heard).toEqual([]);
});

it('forgets a path that is idle, and asks again', async () => {
  path = delayed(50);
  await begin(500);
  await pings(5);
  expect(heard).toEqual(['ask 0 > 1']);
  await until(() => heard.length === 2, 'the path is forgotten');
  path = delayed(90);
  const [again] = await pings(1);
  expect(again).toBeGreaterThan(89.5);
  expect(heard).toEqual(['ask 0 > 1', 'forget 0 > 1', 'ask 0 > 1']);
});
