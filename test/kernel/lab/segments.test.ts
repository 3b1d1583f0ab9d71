/** Broadcast and multicast: they reach who shares a bridge with the sender, each over its own path, and nobody else. */
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { place, run, runIn, startLab, until } from '../../support/lab/lab.ts';

const GROUPS = ['224.0.0.251', '239.1.2.3', '255.255.255.255', '10.255.255.255', 'ff02::fb'];
const PORT = 5007;
const LOSSY_PACKETS = 60;

const TOPOLOGY = `
services: { a: { replicas: 2 }, b: { forward: true }, lossy: {}, far: {}, peer: {} }
bridges: [s, t]
links:
  - { from: a, to: s, latency: 20ms }
  - { from: b, to: s, latency: 10ms, bandwidth: 1Mbps }
  - { from: lossy, to: s, latency: 5ms, loss: 50% }
  - { from: s, to: t, latency: 1ms }
  - { from: far, to: t, latency: 1ms }
  - { from: peer, to: b, latency: 1ms }
`;

interface Heard {
  readonly group: string;
  readonly from: string;
  readonly milliseconds: number;
  readonly bytes: number;
}

/** Prints what comes, until it is told the end. What is sent begins with the instant and the group. */
const LISTEN = `
  const { createSocket } = require('node:dgram');
  const sockets = [createSocket('udp4'), createSocket({ type: 'udp6', ipv6Only: true })];
  const now = () => performance.timeOrigin + performance.now();
  for (const socket of sockets)
    socket.on('message', (data, { address }) => {
      const [sent, group] = data.toString().split(' ');
      if (group === 'end') return sockets.forEach((one) => one.close());
      const milliseconds = now() - Number(sent);
      console.log(JSON.stringify({ group, from: address, milliseconds, bytes: data.length }));
    });
  sockets[0].bind(${PORT}, () => {
    for (const group of ['224.0.0.251', '239.1.2.3']) sockets[0].addMembership(group);
    sockets[1].bind(${PORT}, () => {
      sockets[1].addMembership('ff02::fb', '::%eth0');
      console.log('{}');
    });
  });`;

const send = (bytes: number, count: number, ends: readonly string[]): string => `
  const { createSocket } = require('node:dgram');
  const { setTimeout: sleep } = require('node:timers/promises');
  const [four, six] = ['udp4', 'udp6'].map((type) => createSocket(type));
  const say = (word, address) => new Promise((resolve, reject) => {
    const text = (performance.timeOrigin + performance.now()) + ' ' + word + ' ';
    const isV6 = address.includes(':');
    (isV6 ? six : four).send(text.padEnd(${bytes}, 'x'), ${PORT}, isV6 ? address + '%eth0' : address,
      (error) => error ? reject(error) : resolve());
  });
  four.bind(0, async () => {
    four.setBroadcast(true);
    for (const group of ${JSON.stringify(GROUPS)}) await say(group, group), await sleep(20);
    for (let left = ${count}; left > 0; left--) await say('many', '224.0.0.251'), await sleep(5);
    await sleep(300);
    // Unicast, which comes also from elsewhere.
    for (const address of ${JSON.stringify(ends)}) for (let left = 5; left > 0; left--) await say('end', address);
    four.close();
    six.close();
  });`;

/** What each of the endpoints hears of what `a.0` sends to all groups. */
async function heardBy(lab: Experiment, nodes: readonly string[], bytes: number): Promise<Heard[][]> {
  const outputs = nodes.map((node) => `/tmp/netfold-test-${process.pid}-${node}`);
  for (const file of outputs) writeFileSync(file, '');
  const listening = nodes.map((node, index) =>
    runIn(
      place(lab, node),
      'sh',
      '-c',
      'exec timeout 40 "$0" -e "$1" >"$2"',
      process.execPath,
      LISTEN,
      outputs[index]!,
    ),
  );
  const listeners = async (): Promise<number> =>
    (await Promise.all(outputs.map((file) => run('grep', ['-c', '{}', file])))).filter(
      ({ code }) => code === 0,
    ).length;
  await until(async () => (await listeners()) === nodes.length, 'all listen', 30_000);
  const ends = nodes.map((node) => place(lab, node).address);
  const sent = await runIn(place(lab, 'a.0'), process.execPath, '-e', send(bytes, LOSSY_PACKETS, ends));
  expect(sent).toMatchObject({ code: 0, err: '' });
  expect(await Promise.all(listening)).toEqual(nodes.map(() => ({ code: 0, out: '', err: '' })));
  const texts = await Promise.all(outputs.map((file) => run('sh', ['-c', 'cat "$0" && rm "$0"', file])));
  return texts.map(({ out }) =>
    out
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as Heard),
  );
}

it('reach all on the segment over their paths, and none elsewhere', { retry: 1 }, async () => {
  const lab = await startLab(TOPOLOGY, { hosts: 2 });
  const sender = lab.plan.endpoints.find(({ name }) => name === 'a.0')!;
  const heard = await heardBy(lab, ['a.1', 'b', 'lossy', 'far', 'peer'], 1400);
  const [other, b, lossy, far, peer] = heard as [Heard[], Heard[], Heard[], Heard[], Heard[]];

  expect({ far, peer }).toEqual({ far: [], peer: [] });
  for (const [all, leastMs] of [
    [other, 40],
    [b, 30],
  ] as const) {
    // Every one once, as it was sent.
    const groups = all.filter(({ group }) => group !== 'many');
    expect(groups.map(({ group }) => group)).toEqual(GROUPS);
    expect(new Set(groups.map(({ from }) => from.replace(/%.*/, '')))).toEqual(new Set(sender.addresses));
    expect(new Set(all.map(({ bytes }) => bytes))).toEqual(new Set([1400]));
    // The path's latency; a busy machine adds to it.
    for (const { milliseconds } of all) expect(milliseconds).toBeGreaterThan(leastMs - 0.5);
  }
  expect(other.filter(({ group }) => group === 'many')).toHaveLength(LOSSY_PACKETS);
  // Half of them: fewer than a tenth or more than nine tenths come once in ten million runs.
  const came = lossy.filter(({ group }) => group === 'many').length;
  expect(came).toBeGreaterThan(LOSSY_PACKETS / 10);
  expect(came).toBeLessThan((LOSSY_PACKETS * 9) / 10);
});
