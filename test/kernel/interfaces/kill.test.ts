/**
 * kill -9 at any time while an interface is taken over and changed: the next agent brings it to the right state, and
 * restoring it leaves it unchanged, every time.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import type { DelayBackend } from '../../../agent/enforce/ports.ts';
import { createDelayBackend } from '../../../agent/linux/delay/delay-backend.ts';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import { loadPrograms } from '../../../agent/linux/programs/programs.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { bps, micros, ratio } from '../../../proto/units.ts';
import type { Path } from '../../../topology/model/model.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { enforce } from '../../support/enforce.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { runIn } from '../../support/lab/lab.ts';
import { KILL_TRIES, LONGEST_LIFE_MS } from '../../support/speed.ts';
import { destinationTo, pathWith, wantedFor } from '../../support/states.ts';

const VICTIM = join(import.meta.dirname, '../../support/kernel/apply-for-ever.ts');
const SEED = 20;

let cable: Cable;

beforeEach(() => {
  cable = layCable();
});

afterEach(() => cable.remove());

const place = ({ name, namespace, addresses }: Cable['a']) => ({
  name,
  namespace: namespace.split('/').at(-1)!,
  address: addresses[0]!,
});

/** All that the kernel has on the interface of `a`, without counters and numbers that it chooses. */
async function machine(): Promise<string> {
  const commands = [
    'tc qdisc show dev eth0',
    'tc class show dev eth0',
    'tc filter show dev eth0 parent 4e46:',
    'tc filter show dev eth0 ingress',
    'ip -d link show dev eth0',
    'nft list ruleset',
  ];
  const outputs = await Promise.all(
    commands.map(async (command) => (await runIn(place(cable.a), 'sh', '-c', command)).out),
  );
  return outputs
    .join('\n')
    .replaceAll(/(bfifo|pfifo|netem) [0-9a-f]+:/g, '$1 N:')
    .replaceAll(/leaf [0-9a-f]+:/g, 'leaf N:')
    .replaceAll(/\bid \d+|tag [0-9a-f]+|# handle \d+|direct_packets_stat \d+/g, '')
    .split('\n')
    .sort()
    .join('\n');
}

/** Starts a victim, and kills it so many milliseconds after it was started, or after it began to change things. */
async function killedAfter(
  milliseconds: number,
  from: 'start' | 'attached',
  backend: DelayBackend['name'],
  seed: number,
): Promise<void> {
  const args = [VICTIM, JSON.stringify(cable.a), backend, String(seed)];
  const victim = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  victim.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const ended = new Promise((resolve) => victim.once('close', resolve));
  if (from === 'attached')
    await Promise.race([new Promise((resolve) => victim.stdout.once('data', resolve)), ended]);
  await sleep(milliseconds);
  victim.kill('SIGKILL');
  await ended;
  expect(victim.signalCode, said).toBe('SIGKILL');
}

/** An agent that brings the interface to what this path to `b` needs, and gives back what it left. */
async function restart(backend: DelayBackend['name'], path: Path | undefined): Promise<Enforcer> {
  const programs = loadPrograms(256);
  const enforcer = new Enforcer({
    tc: programs.tc,
    delay: createDelayBackend(backend, programs, 1),
    ...SYSTEM_TIME,
  });
  const stop = enforcer.stop.bind(enforcer);
  enforcer.stop = async () => {
    await stop();
    await programs.close();
  };
  await enforcer.attach(cable.a);
  const { desired, impaired } = wantedFor([destinationTo(1, path)], backend);
  expect(enforce(enforcer, cable.a, desired)).toEqual([]);
  await enforcer.delay.set(cable.a, impaired);
  expect(enforcer.verify(cable.a)).toEqual([]);
  return enforcer;
}

describe.each(delayBackends(probeMachine()))('with %s', (backend) => {
  it(`${KILL_TRIES} kills at random times leave a state that the next agent corrects, or removes`, {
    timeout: 300_000,
  }, async () => {
    const random = new SeededRandom(SEED);
    const path = pathWith({ latency: micros(3000), loss: ratio(0), bandwidth: bps(5e6) });
    const before = await machine();
    const first = await restart(backend, path);
    const right = await machine();
    await first.stop();
    expect(await machine()).toBe(before);

    for (let kill = 0; kill < KILL_TRIES; kill++) {
      const from = kill % 3 === 0 ? 'start' : 'attached';
      await killedAfter(random.below(LONGEST_LIFE_MS), from, backend, kill);
      // Sometimes another one takes over what this one left, and is killed, too.
      if (random.next() < 0.2)
        await killedAfter(random.below(LONGEST_LIFE_MS), 'start', backend, KILL_TRIES + kill);
      const next = await restart(backend, path);
      expect(await machine(), `kill ${kill}`).toBe(right);
      const { received, meanMs } = await ping(place(cable.a), place(cable.b), 3, 10);
      expect(received).toBe(3);
      expect(meanMs).toBeGreaterThan(2.9);
      await next.stop();
      expect(await machine(), `kill ${kill}`).toBe(before);
    }
  });
});
