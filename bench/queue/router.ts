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
}

let routers = 0;

/**
 * Passes to `use` two hosts with a router between them, whose interfaces both have the rate and the queue. Hosts send
 * single frames: a queue that counts packets would count a GSO packet of 44 frames as one.
 */
export async function withRouter<T>(
  { rateBps, packets }: LinkSettings,
  interruption: Interruption,
  use: (flow: Flow) => Promise<T>,
): Promise<T> {
  const prefix = `router-${process.pid}-${++routers}`;
  const names = ['a', 'r', 'b'].map((name) => `${prefix}-${name}`);
  const [a, r, b] = names as [string, string, string];
  try {
    for (const name of names) await ip('netns', 'add', name);
    await connect([a, 'eth0', '10.91.1.1'], [r, 'eth0', '10.91.1.2']);
    await connect([b, 'eth0', '10.91.2.1'], [r, 'eth1', '10.91.2.2']);
    await ip('-n', a, 'route', 'add', 'default', 'via', '10.91.1.2');
    await ip('-n', b, 'route', 'add', 'default', 'via', '10.91.2.2');
    await inside(r, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const burst = burstBytes(toBytesPerSecond(rateBps));
    for (const device of ['eth0', 'eth1']) {
      await tc(r, `qdisc add dev ${device} root handle 1: htb default 1`);
      await tc(r, `class add dev ${device} parent 1: classid 1:1 htb rate ${rateBps}bit burst ${burst}`);
      await tc(r, `qdisc add dev ${device} parent 1:1 pfifo limit ${packets}`);
    }
    const flow = { from: placeOf(a, '10.91.1.1'), to: placeOf(b, '10.91.2.1') };
    return await interruption.race(() => use(flow));
  } finally {
    for (const name of names) await ip('netns', 'delete', name).catch(() => {});
  }
}

type End = readonly [namespace: string, device: string, address: string];

async function connect(host: End, router: End): Promise<void> {
  const [name, device, address] = host;
  const [peer, peerDevice, peerAddress] = router;
  await ip('link', 'add', device, 'netns', name, 'type', 'veth', 'peer', 'name', peerDevice, 'netns', peer);
  for (const [namespace, dev] of [host, router]) {
    await ip('-n', namespace, 'link', 'set', dev, 'gso_max_segs', '1', 'up');
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }
  await ip('-n', name, 'address', 'add', `${address}/24`, 'dev', device);
  await ip('-n', peer, 'address', 'add', `${peerAddress}/24`, 'dev', peerDevice);
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
