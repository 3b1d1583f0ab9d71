/** Whole agents on a manual clock: composed as in production, but for the kernel, the wire and the applications. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { composeAgent } from '../../../agent/daemon/compose.ts';
import { UNSHAPED } from '../../../agent/enforce/interface-state.ts';
import type { RunLogFacts } from '../../../proto/run-log.ts';
import { AgentLab, endpoint, type LabAgent } from '../../support/fakes/agent-lab.ts';
import { FakeKernel } from '../../support/fakes/fake-kernel.ts';

/** Round trips of 50, 40 and 40 ms, 50 Mb/s for all, 10 Mb/s for the third; the example of the design. */
const TOPOLOGY = `
services:
  a: { run: "send a" }
  b: {}
  c: {}
  server: { run: "serve" }
bridges: [s1]
links:
  - { from: a, to: s1, latency: 15ms }
  - { from: b, to: s1, latency: 10ms }
  - { from: c, to: s1, latency: 10ms, up: 10Mbps, down: 10Mbps }
  - { from: s1, to: server, latency: 10ms, up: 50Mbps, down: 20Mbps }
events:
  - at 20s set s1--server up=20Mbps
  - at 40s crash a
`;
const A = endpoint(0, 'a.0', '10.1.0.1');
const B = endpoint(1, 'b.0', '10.1.0.2');
const C = endpoint(2, 'c.0', '10.2.0.1');
const SERVER = endpoint(3, 'server.0', '10.2.0.2');
const SETTLED_MS = 3000;

let lab: AgentLab;
let first: LabAgent;
let second: LabAgent;

beforeEach(async () => {
  lab = new AgentLab(TOPOLOGY);
  first = await lab.start('host0', [A, B]);
  second = await lab.start('host1', [C, SERVER]);
  await lab.clock.advance(SETTLED_MS);
});

afterEach(() => lab.stop());

/** Lets an endpoint send for ever, as much as its class lets through. */
function stream(agent: LabAgent, from: string, to: string): void {
  const { tc, streams } = agent.kernel;
  const sending = { from, to, bytesPerSecond: 0 };
  streams.add(sending);
  lab.clock.every(10, () => {
    const [local] = [...agent.kernel.counted.values()].filter(({ addresses }) => addresses.includes(from));
    if (!local) return;
    const { classes, targets } = tc.read(local);
    sending.bytesPerSecond = classes.get(targets.get(to) ?? -1)?.bytesPerSecond ?? 0;
  });
}

/** `from>to` → Mb/s, two digits. */
const shares = (agent: LabAgent): Record<string, string> =>
  Object.fromEntries(
    agent.door
      .status()
      .flows.map(({ from, to, shareBps }) => [`${from}>${to}`, ((shareBps ?? 0) / 1e6).toFixed(2)]),
  );

const log = <Kind extends RunLogFacts['kind']>(agent: LabAgent, kind: Kind) => agent.parts.runLog.of(kind);

test('what breaks the delay backend is said in the status', () => {
  expect(first.door.status().degraded).toEqual([]);
  first.kernel.delay.failure = 'nothing is delayed or lost any more: epoll_wait(9) failed: EBADF';
  expect(first.door.status().degraded).toEqual([first.kernel.delay.failure]);
});

test('frames that could not be counted are told of while there are any', async () => {
  first.kernel.uncounted = 7;
  await lab.clock.advance(5000);
  expect(first.door.status().degraded).toEqual([
    expect.stringMatching(/^7 packets of the last 5 s were not counted, and shares may be wrong/),
  ]);
  await lab.clock.advance(5000);
  expect(first.door.status().degraded).toEqual([]);
});

test('what others change is put back when the kernel has announced it, and is counted', async () => {
  const { tc, changes } = first.kernel;
  const [a] = first.parts.local.all;
  const before = tc.read(a!);
  expect([...changes.attached]).toEqual([0, 1]);
  // Its turn to be read back comes every 0.4 s.
  for (const times of [1, 2]) {
    tc.apply(a!, [{ op: 'delete-root', reason: 'somebody' }]);
    changes.changed.add(0);
    await lab.clock.advance(110);
    expect(tc.read(a!).classes).toEqual(before.classes);
    expect(first.door.status()).toMatchObject({ corrected: times, degraded: [] });
  }
  changes.problems.push('changes by others are not heard');
  expect(first.door.status().degraded).toEqual(['changes by others are not heard']);
});

test('what passes the queue by is told of, with the name of who sends it', async () => {
  first.kernel.strayed.set(1, 12);
  await lab.clock.advance(5000);
  expect(first.door.status().degraded).toEqual([
    expect.stringMatching(/^b\.0: 12 packets of the last 5 s had not/),
  ]);
});

test('a stage of the tick that fails is named and tried again, and the others go on', async () => {
  stream(first, '10.1.0.1', '10.2.0.2');
  await lab.clock.advance(2000);
  expect(shares(first)).toHaveProperty(['a.0>server.0']);
  const { usage } = first.kernel;
  const { read } = usage;
  usage.read = () => {
    throw new Error('the kernel refused to read a BPF map: ENOMEM');
  };
  const ticks = first.door.status().ticks.count;
  await lab.clock.advance(1000);
  expect(first.door.status().degraded).toEqual([
    expect.stringMatching(/^measuring flows fails and is tried again \(20 times so far\): .*ENOMEM$/),
  ]);
  expect(first.door.status().ticks.count).toBe(ticks + 20);
  expect(first.complaints.filter((text) => text.includes('ENOMEM'))).toHaveLength(5);
  usage.read = read;
  await lab.clock.advance(1000);
  expect(first.door.status().degraded).toEqual([]);
  expect(shares(first)).toHaveProperty(['a.0>server.0']);
});

describe('the states of an agent', () => {
  test('it waits for endpoints, is ready when all is in force, and runs from the start on', async () => {
    expect(log(first, 'state').map(({ state }) => state)).toEqual(['waiting', 'ready']);
    expect(first.door.status()).toMatchObject({ state: 'ready', shaped: true, known: 4, expected: 4 });
    expect(first.processes.done).toEqual([]);
    lab.runAll(250);
    await lab.clock.advance(249);
    expect(first.lifecycle.state).toBe('ready');
    await lab.clock.advance(1);
    expect(first.lifecycle.state).toBe('running');
    expect(first.processes.done).toEqual(['start a.0: send a']);
    expect(second.processes.done).toEqual(['start server.0: serve']);
  });

  test('one alone goes on waiting, and says so when the run has begun', async () => {
    const alone = new AgentLab(TOPOLOGY);
    try {
      const agent = await alone.start('host0', [A, B]);
      await alone.clock.advance(60_000);
      const waiting = { state: 'waiting', shaped: false, known: 2, expected: 4, degraded: [] };
      expect(agent.door.status()).toMatchObject(waiting);
      alone.runAll(0);
      await alone.clock.advance(2999);
      expect(agent.door.status()).toMatchObject({ ...waiting, state: 'running' });
      await alone.clock.advance(1001);
      expect(agent.door.status().degraded).toEqual([
        expect.stringMatching(
          /^not everything is in force 4 s after this agent began: 2 endpoints of this host/,
        ),
      ]);
    } finally {
      await alone.stop();
    }
  });

  test('when it stops, interfaces are as they were and everything is closed', async () => {
    await first.lifecycle.stop();
    expect(first.kernel.isClosed).toBe(true);
    expect(`${first.kernel.tc}`).toBe(
      ['a.0:', '  gso_max_segs 0', '  qdisc noqueue', 'b.0:', '  gso_max_segs 0', '  qdisc noqueue'].join(
        '\n',
      ),
    );
    expect([...first.kernel.tc.attached]).toEqual([]);
    await lab.clock.advance(10_000);
    expect(second.door.status().hosts.map(({ name }) => name)).toEqual(['host1']);
  });

  test('its lease is renewed with each tick', async () => {
    const leased = new AgentLab(TOPOLOGY);
    try {
      const never = [{ protocol: 'tcp' as const, port: 8080 }];
      const agent = await leased.start('host0', [A], { leaseMs: 30_000, never, partial: true });
      expect(agent.kernel.exempted).toEqual(never);
      expect(agent.kernel.leaseMs).toBe(30_000);
      agent.kernel.leaseMs = undefined;
      await leased.clock.advance(50);
      expect(agent.kernel.leaseMs).toBe(30_000);
    } finally {
      await leased.stop();
    }
  });
});

describe('flows that compete on two hosts', () => {
  beforeEach(async () => {
    lab.runAll(0);
    stream(first, '10.1.0.1', '10.2.0.2');
    stream(first, '10.1.0.2', '10.2.0.2');
    stream(second, '10.2.0.1', '10.2.0.2');
    await lab.clock.advance(5000);
  });

  test('have what the design says', () => {
    expect({ ...shares(first), ...shares(second) }).toEqual({
      'a.0>server.0': '17.78',
      'b.0>server.0': '22.22',
      'c.0>server.0': '10.00',
    });
  });

  test('an event that narrows their link is in force at its instant, on both', async () => {
    await lab.clock.advance(15_000);
    expect(lab.clock.now() - SETTLED_MS).toBe(20_000);
    const { classes } = first.kernel.tc.read(A);
    expect(classes.get(4)?.bytesPerSecond).toBeLessThan(20e6 / 8);
    expect(log(first, 'epoch')).toMatchObject([{ epoch: 1, dueMicros: 20e6, appliedMicros: 20e6 }]);
    expect(log(second, 'epoch')).toMatchObject([{ epoch: 1, dueMicros: 20e6, appliedMicros: 20e6 }]);
  });

  test('a crash kills the application, on its host alone', async () => {
    await lab.clock.advance(35_000);
    expect(first.processes.done).toEqual(['start a.0: send a', 'SIGKILL a.0']);
    expect(second.processes.done).toEqual(['start server.0: serve']);
  });
});

describe('a command', () => {
  beforeEach(async () => {
    lab.runAll(0);
    await lab.clock.advance(1000);
  });

  test('is in force on all hosts, and the run logs say when and that all have it', async () => {
    const { next: from } = await first.door.log({ waitMs: 0 });
    const { command } = first.door.control({ text: 'set a--s1 latency=30ms' });
    await lab.clock.advance(1000);
    const { entries } = await first.door.log({ from, waitMs: 0 });
    const at = command!.at;
    expect(entries.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['command', 'outcome', 'epoch', 'host']),
    );
    expect(log(first, 'outcome')).toMatchObject([{ state: 'done', atMicros: at }]);
    expect(log(second, 'outcome')).toMatchObject([
      { state: 'done', atMicros: at, command: { origin: 'host0' } },
    ]);
    expect(log(first, 'host').at(-1)).toMatchObject({ name: 'host1', present: true, inStep: true });
    for (const { parts } of lab.agents) expect(parts.epoch.value.path(0, 3)?.latency).toBe(40_000);
  });

  test('that can not be kept in the file is in force nevertheless, named, and kept once that is possible', async () => {
    const file = join(first.parts.bootstrap.logFolder, 'host0.commands');
    mkdirSync(file);
    first.door.control({ text: 'set a--s1 latency=30ms' });
    await lab.clock.advance(1000);
    for (const { parts } of lab.agents) expect(parts.epoch.value.path(0, 3)?.latency).toBe(40_000);
    expect(first.door.status().degraded).toEqual([
      expect.stringMatching(
        /^keeping commands for the next agent fails and is tried again \(\d+ times so far\)/,
      ),
    ]);
    rmdirSync(file);
    await lab.clock.advance(1000);
    expect(first.door.status().degraded).toEqual([]);
    expect(readFileSync(file, 'utf8')).toContain('latency=30ms');
  });

  test('wakes who waits for the log', async () => {
    const { next: from } = await first.door.log({ waitMs: 0 });
    let isDone = false;
    const page = first.door.log({ from, waitMs: 5000 }).then((one) => {
      isDone = true;
      return one;
    });
    await lab.clock.advance(1000);
    expect(isDone).toBe(false);
    first.door.control({ text: 'crash b' });
    await lab.clock.advance(0);
    expect((await page).entries.at(-1)).toMatchObject({ kind: 'command', command: { text: 'crash b' } });
  });

  test('an empty page comes when the time is over', async () => {
    const { next: from } = await first.door.log({ waitMs: 0 });
    const page = first.door.log({ from, waitMs: 700 });
    await lab.clock.advance(700);
    expect(await page).toMatchObject({ entries: [], next: from });
  });
});

describe('endpoints come and go', () => {
  beforeEach(async () => {
    lab.runAll(0);
    stream(first, '10.1.0.2', '10.2.0.2');
    await lab.clock.advance(5000);
  });

  const target = (agent: LabAgent, local: typeof A, address: string) =>
    agent.kernel.tc.read(local).targets.get(address);

  test('one that leaves is forgotten by all, and what it ran is ended', async () => {
    await first.door.detach(A.number);
    await lab.clock.advance(1000);
    expect(first.processes.done).toEqual(['start a.0: send a', 'end a.0']);
    expect(first.kernel.counted.has(A.number)).toBe(false);
    expect(first.door.status()).toMatchObject({ endpoints: ['b.0'], known: 3 });
    expect(second.door.status().known).toBe(3);
    expect(target(second, SERVER, '10.1.0.1')).toBeUndefined();
    expect(log(second, 'endpoint').at(-1)).toMatchObject({ name: 'a.0', host: null });
  });

  test('one that comes back at another address is shaped there by all; others flow on', async () => {
    const rate = shares(first)['b.0>server.0'];
    await first.door.detach(A.number);
    await lab.clock.advance(1000);
    await first.door.attach(endpoint(0, 'a.0', '10.1.0.9', 'again'));
    await lab.clock.advance(1000);
    expect(first.kernel.counted.get(0)?.namespace).toBe('/run/netns/again');
    expect(target(second, SERVER, '10.1.0.1')).toBeUndefined();
    expect(target(second, SERVER, '10.1.0.9')).toBe(1);
    expect(first.processes.done).toEqual(['start a.0: send a', 'end a.0', 'start a.0: send a']);
    expect(shares(first)['b.0>server.0']).toBe(rate);
    expect(
      log(first, 'share')
        .filter(({ from }) => from === 'b.0')
        .at(-1)!.shareBps,
    ).toBeGreaterThan(0);
  });

  test('in place of one that is here, without a word between', async () => {
    await first.door.attach(endpoint(0, 'a.0', '10.1.0.7', 'again'));
    await lab.clock.advance(1000);
    expect(first.door.status()).toMatchObject({ known: 4, degraded: [] });
    expect(target(second, SERVER, '10.1.0.7')).toBe(1);
    expect(target(second, SERVER, '10.1.0.1')).toBeUndefined();
  });

  test('on another host', async () => {
    await first.door.detach(A.number);
    await lab.clock.advance(1000);
    await second.door.attach(endpoint(0, 'a.0', '10.2.0.9'));
    await lab.clock.advance(1000);
    expect(second.door.status().endpoints).toEqual(['c.0', 'server.0', 'a.0']);
    // Nothing limits the way there.
    expect(target(first, B, '10.2.0.9')).toBe(UNSHAPED);
  });

  test('those of an agent that is killed and starts again stay as they are', async () => {
    first.kernel.tc.tried.length = 0;
    second.kill();
    await lab.clock.advance(200);
    const again = await lab.compose('host1', [C, SERVER]);
    await again.parts.mesh.start();
    await again.parts.transport.connect('/memory/peer-host0');
    // It is in the mesh, and still attaches its endpoints.
    await lab.clock.advance(5000);
    expect(first.door.status().hosts.map(({ name }) => name)).toEqual(['host0', 'host1']);
    expect(first.door.status().known).toBe(4);
    again.parts.mesh.announceEndpoints([C, SERVER]);
    await lab.clock.advance(1000);
    const touched = first.kernel.tc.tried.filter(({ op }) => op !== 'set-class');
    expect(touched).toEqual([]);
    expect(log(first, 'endpoint').filter(({ host }) => host === null)).toEqual([]);
  });

  test('one that the topology does not have is refused, and nothing is different', async () => {
    const before = `${first.kernel.tc}`;
    await expect(first.door.attach(endpoint(9, 'x.0', '10.1.0.5'))).rejects.toMatchObject({
      code: 'ENDPOINT_UNKNOWN',
    });
    await expect(first.door.attach(endpoint(1, 'a.0', '10.1.0.5'))).rejects.toMatchObject({
      code: 'ENDPOINT_UNKNOWN',
    });
    expect(`${first.kernel.tc}`).toBe(before);
    await first.door.detach(9);
  });
});

test('an agent whose mesh can not be opened leaves no kernel open', async () => {
  const kernel = new FakeKernel(() => lab.clock.now());
  const composing = composeAgent(first.parts.bootstrap, {
    processor: { usedMs: () => 0 },
    ...{ clock: lab.clock, timers: lab.clock, log: first.parts.log, processes: first.processes },
    probes: first.probes,
    openKernel: () => kernel,
    openDoors: () => ({ set: () => {}, stop: () => {} }),
    openNames: () => {
      throw new Error('there are none');
    },
    openMesh: async () => {
      throw new Error('port in use');
    },
  });
  await expect(composing).rejects.toThrow('port in use');
  expect(kernel.isClosed).toBe(true);
});
