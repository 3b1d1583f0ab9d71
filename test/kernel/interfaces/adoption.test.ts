/** What an agent leaves behind when it is killed goes on working, and the next one takes it over without a gap. */
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { type InterfaceState, NO_PATH } from '../../../agent/enforce/interface-state.ts';
import { DelayLine } from '../../../agent/linux/delay-line/delay-line.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { impairment, packetImpairment } from '../../../proto/impairment.ts';
import { bps, fromMillis, micros } from '../../../proto/units.ts';
import { desiredInterface } from '../../support/desired-interface.ts';
import { enforce } from '../../support/enforce.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { runIn } from '../../support/lab/lab.ts';

let cable: Cable;
let loaded: Programs[] = [];

beforeEach(() => {
  cable = layCable();
});

afterEach(async () => {
  for (const programs of loaded) await programs.close();
  loaded = [];
  cable.remove();
});

/** An agent's hold on the interface of `a`. */
async function agent(): Promise<{ programs: Programs; enforcer: Enforcer }> {
  const programs = loadPrograms(64);
  loaded.push(programs);
  const enforcer = new Enforcer({ tc: programs.tc, delay: new FakeDelay(), ...SYSTEM_TIME });
  await enforcer.attach(cable.a);
  return { programs, enforcer };
}

/** As kill -9 leaves the kernel: descriptors closed, nothing removed. */
async function kill({ programs }: { programs: Programs }): Promise<void> {
  await programs.close();
  loaded = loaded.filter((one) => one !== programs);
}

function towardsB(rateBps: number): InterfaceState {
  const path = {
    from: 0,
    to: 1,
    ...impairment({ bandwidth: bps(rateBps) }),
    hops: 1,
    links: [0],
  };
  const { addresses } = cable.b;
  return desiredInterface([{ number: 1, addresses, path, rttMicros: micros(0), rateBps }], 'elsewhere');
}

const NOWHERE = (): InterfaceState => ({
  ...towardsB(1e6),
  targets: new Map(cable.b.addresses.map((address) => [address, NO_PATH])),
});

const place = ({ name, namespace, addresses }: Cable['a']) => ({
  name,
  namespace: namespace.split('/').at(-1)!,
  address: addresses[0]!,
});
const answers = async (): Promise<number> => (await ping(place(cable.a), place(cable.b), 5, 20)).received;
const tc = async (...words: string[]): Promise<string> => (await runIn(place(cable.a), 'tc', ...words)).out;

describe('after a kill', () => {
  it('what was enforced stays in force', async () => {
    const first = await agent();
    enforce(first.enforcer, cable.a, NOWHERE());
    await kill(first);
    expect(await answers()).toBe(0);
  });

  it('the next agent changes nothing until it knows the desired state, and then only the differences', async () => {
    const first = await agent();
    enforce(first.enforcer, cable.a, towardsB(2e6));
    await kill(first);
    const before = await tc('class', 'show', 'dev', 'eth0');
    const second = await agent();
    expect(await tc('class', 'show', 'dev', 'eth0')).toBe(before);
    expect(enforce(second.enforcer, cable.a, towardsB(2e6))).toEqual([]);
    expect(await tc('class', 'show', 'dev', 'eth0')).toBe(before);
    expect(second.enforcer.verify(cable.a)).toEqual([]);
    expect((await tc('filter', 'show', 'dev', 'eth0', 'parent', '4e46:')).match(/netfold/g)).toHaveLength(1);
  });

  it("the next agent's word counts from then on, and its leaving gives the interface back", async () => {
    const untouched = await tc('qdisc', 'show', 'dev', 'eth0');
    const gso = async (): Promise<string | undefined> =>
      /gso_max_segs \d+/.exec((await runIn(place(cable.a), 'ip', '-d', 'link', 'show', 'eth0')).out)?.[0];
    const gsoBefore = await gso();
    const first = await agent();
    enforce(first.enforcer, cable.a, NOWHERE());
    await kill(first);
    const second = await agent();
    enforce(second.enforcer, cable.a, towardsB(2e6));
    expect(await answers()).toBe(5);
    expect(await gso()).not.toBe(gsoBefore);
    await second.enforcer.stop();
    expect(await tc('qdisc', 'show', 'dev', 'eth0')).toBe(untouched);
    expect(await gso()).toBe(gsoBefore);
  });
});

describe('a lease', () => {
  it('that runs out lets everything pass; renewed, what was enforced is in force again', async () => {
    const { programs, enforcer } = await agent();
    enforce(enforcer, cable.a, NOWHERE());
    programs.renewLease(60_000);
    expect(await answers()).toBe(0);
    programs.renewLease(0);
    expect(await answers()).toBe(5);
    programs.renewLease(60_000);
    expect(await answers()).toBe(0);
  });

  it('runs out by itself when its agent is killed', async () => {
    const first = await agent();
    enforce(first.enforcer, cable.a, NOWHERE());
    first.programs.renewLease(1500);
    await kill(first);
    expect(await answers()).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await answers()).toBe(5);
  });

  it('means that the interface is not of netfold: SSH and the mesh pass unshaped', async () => {
    const { programs, enforcer } = await agent();
    enforce(enforcer, cable.a, NOWHERE());
    /** Dials until a program answers, or for `patienceMs`. */
    const answersAt = async (port: number, address: string, patienceMs: number): Promise<boolean> => {
      const listen = `require('net').createServer(s => s.end()).listen(${port}, '::')`;
      const server = spawn('ip', ['netns', 'exec', place(cable.b).namespace, process.execPath, '-e', listen]);
      const dial = `
        setTimeout(() => process.exit(1), ${patienceMs});
        const again = () => require('net').connect(${port}, '${address}')
          .on('connect', () => process.exit(0))
          .on('error', () => setTimeout(again, 50));
        again();`;
      try {
        return (await runIn(place(cable.a), process.execPath, '-e', dial)).code === 0;
      } finally {
        server.kill('SIGKILL');
      }
    };
    programs.renewLease(600_000);
    for (const address of cable.b.addresses) {
      expect(await answersAt(22, address, 15_000)).toBe(true);
      expect(await answersAt(4646, address, 15_000)).toBe(true);
      expect(await answersAt(2200, address, 2000)).toBe(false);
    }
    programs.renewLease(0);
    for (const address of cable.b.addresses) expect(await answersAt(2200, address, 15_000)).toBe(true);
  });

  it('that runs out lets pass what the delay line would hold', async () => {
    const programs = loadPrograms(64);
    loaded.push(programs);
    const line = new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd });
    const roundTrip = async (): Promise<number> => (await ping(place(cable.a), place(cable.b), 3, 20)).meanMs;
    try {
      const { addresses } = cable.b;
      await line.set(cable.a, [
        { source: addresses, destination: [], ...packetImpairment({ latency: fromMillis(150) }) },
      ]);
      expect(await roundTrip()).toBeGreaterThan(149);
      programs.renewLease(0);
      expect(await roundTrip()).toBeLessThan(100);
      programs.renewLease(60_000);
      expect(await roundTrip()).toBeGreaterThan(149);
    } finally {
      await line.stop();
    }
  });
});
