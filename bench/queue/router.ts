/** A router made by hand: three namespaces in a row, and the kernel's own HTB and pfifo on the middle one. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { burstBytes } from '../../agent/enforce/derive.ts';
import { inNamespace } from '../../controller/names.ts';
import type { Flow, Place } from '../../controller/verify/traffic.ts';
import { type Bps, toBytesPerSecond } from '../../proto/units.ts';
import type { Interruption } from '../lab.ts';

const run = promisify(execFile);

export interface LinkSettings {
  readonly rateBps: Bps;
  readonly packets: number;
  /** The router's qdisc behind HTB; absent: a `pfifo` of so many packets. */
  readonly qdisc?: string;
}

let routers = 0;

/**
 * Passes to `use` two hosts, by their IPv4 and by their IPv6 addresses, with a router between them, whose interfaces both have
 * the rate and the queue. Hosts send single frames: a queue that counts packets would count a GSO packet of 44 frames as one.
 */
export async function withRouter<T>(
  { rateBps, packets, qdisc = `pfifo limit ${packets}` }: LinkSettings,
  interruption: Interruption,
  use: (flow: Flow, flow6: Flow) => Promise<T>,
): Promise<T> {
  const prefix = `router-${process.pid}-${++routers}`;
  const names = ['a', 'r', 'b'].map((name) => `${prefix}-${name}`);
  const [a, r, b] = names as [string, string, string];
  try {
    for (const name of names) await ip('netns', 'add', name);
    await connect([a, 'eth0', addressesOf(1, 1)], [r, 'eth0', addressesOf(1, 2)]);
    await connect([b, 'eth0', addressesOf(2, 1)], [r, 'eth1', addressesOf(2, 2)]);
    for (const [host, network] of [
      [a, 1],
      [b, 2],
    ] as const)
      for (const via of addressesOf(network, 2)) await ip('-n', host, 'route', 'add', 'default', 'via', via);
    await inside(r, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    for (const ends of [
      { host: [a, 'eth0', addressesOf(1, 1)], router: [r, 'eth0', addressesOf(1, 2)] },
      { host: [b, 'eth0', addressesOf(2, 1)], router: [r, 'eth1', addressesOf(2, 2)] },
    ] as const) {
      await knowNeighbour(ends.host, ends.router);
      await knowNeighbour(ends.router, ends.host);
    }
    const burst = burstBytes(toBytesPerSecond(rateBps));
    for (const device of ['eth0', 'eth1']) {
      await tc(r, `qdisc add dev ${device} root handle 1: htb default 1`);
      await tc(r, `class add dev ${device} parent 1: classid 1:1 htb rate ${rateBps}bit burst ${burst}`);
      await tc(r, `qdisc add dev ${device} parent 1:1 ${qdisc}`);
    }
    const between = (family: 0 | 1): Flow => ({
      from: placeOf(a, addressesOf(1, 1)[family]),
      to: placeOf(b, addressesOf(2, 1)[family]),
    });
    return await interruption.race(() => use(between(0), between(1)));
  } finally {
    for (const name of names) await ip('netns', 'delete', name).catch(() => {});
  }
}

type Addresses = readonly [ipv4: string, ipv6: string];
type End = readonly [namespace: string, device: string, addresses: Addresses];

const addressesOf = (network: number, host: number): Addresses => [
  `10.91.${network}.${host}`,
  `fd91:${network}::${host}`,
];

async function connect(host: End, router: End): Promise<void> {
  const [name, device] = host;
  const [peer, peerDevice] = router;
  await ip('link', 'add', device, 'netns', name, 'type', 'veth', 'peer', 'name', peerDevice, 'netns', peer);
  for (const [namespace, dev] of [host, router]) {
    await ip('-n', namespace, 'link', 'set', dev, 'gso_max_segs', '1', 'up');
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }
  for (const [namespace, dev, [ipv4, ipv6]] of [host, router]) {
    await ip('-n', namespace, 'address', 'add', `${ipv4}/24`, 'dev', dev);
    await ip('-n', namespace, 'address', 'add', `${ipv6}/64`, 'dev', dev, 'nodad');
  }
}

/**
 * What asks for a neighbour's hardware address, and the answer, wait in the queue as well. Who has asked gives up after
 * 3 s (man 7 arp, `mcast_solicit` and `retrans_time_ms`), and drops packets until the answer comes: behind 12 s of packets, rounds would
 * measure that.
 */
async function knowNeighbour([at, device]: End, [name, itsDevice, addresses]: End): Promise<void> {
  const { stdout } = await run('ip', ['-n', name, '-json', 'link', 'show', 'dev', itsDevice]);
  const [{ address: lladdr }] = JSON.parse(stdout) as [{ address: string }];
  for (const address of addresses)
    await ip('-n', at, 'neigh', 'replace', address, 'lladdr', lladdr, 'dev', device, 'nud', 'permanent');
}

const placeOf = (namespace: string, address: string): Place => ({ name: namespace, namespace, address });

async function ip(...words: string[]): Promise<void> {
  await run('ip', words);
}

async function inside(namespace: string, ...words: string[]): Promise<void> {
  const [program, ...args] = inNamespace(namespace, words);
  await run(program!, args);
}

const tc = (namespace: string, words: string): Promise<void> => inside(namespace, 'tc', ...words.split(' '));
