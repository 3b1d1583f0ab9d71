/** The platforms keep the contract of `Platform` with the real kernel; and what fails in one leaves nothing behind. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { namespacePath } from '../../../agent/kernel/netns/namespace-files.ts';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { readState, reserveExperiment, stateOf, writeState } from '../../../controller/experiment/state.ts';
import { removeAll, removeExperiment } from '../../../controller/experiment/teardown.ts';
import { agentsOf } from '../../../controller/machine/processes.ts';
import { experimentFolder, stateFile } from '../../../controller/names.ts';
import { lab } from '../../../controller/platform/lab/lab.ts';
import type { Plan } from '../../../controller/platform/port/plan.ts';
import type { EndpointDoor, Platform, Wanted } from '../../../controller/platform/port/platform.ts';
import { site } from '../../../controller/platform/site/site.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { loadTopology } from '../../../topology/load.ts';
import { failingAt, type Method, PlatformFailure } from '../../support/fakes/fake-platform.ts';
import { type OpenedPlatform, platformContract } from '../../support/fakes/platform-contract.ts';
import { killIfThere } from '../../support/kernel/kill.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { experimentName, until } from '../../support/lab/lab.ts';
import { connectMachines } from '../../support/lab/machines.ts';
import { NOTHING, tracesOf } from '../../support/lab/traces.ts';

const TEXT =
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 30ms, up: 20Mbps, down: 5Mbps }]';
const FILE = 'two.yaml';
const { topology } = loadTopology(TEXT, FILE);

/** A platform with a place for two endpoints. */
interface Ground {
  readonly platform: Platform;
  readonly options: unknown;
  /** All that the kernel has there. */
  shown(): string;
  shape(plan: Plan): void;
  isOwn(what: string): boolean;
  spoil(plan: Plan): readonly (readonly [string, Plan])[];
  remove(): void;
}

function labGround(): Ground {
  return {
    platform: lab,
    options: { hosts: 2 },
    shown: () => '',
    // Whatever is in a namespace goes with it.
    shape: () => {},
    isOwn: () => false,
    spoil: (plan) => {
      const [first, second] = plan.endpoints;
      const endpoints = [first!, { ...second!, addresses: ['nowhere'] }];
      return [
        ['a host twice', { ...plan, hosts: [...plan.hosts, plan.hosts[0]!] }],
        ['an endpoint twice', { ...plan, endpoints: [...plan.endpoints, first!] }],
        ['an address that is none', { ...plan, endpoints }],
      ];
    },
    remove: () => {},
  };
}

function siteGround(): Ground {
  const cable: Cable = layCable();
  const names = [cable.a, cable.b].map(({ namespace }) => namespace.split('/').at(-1)!);
  const placements = names.map((namespace, index) => ({ node: 'ab'[index]!, ifname: 'eth0', namespace }));
  const run = (namespace: string, command: string): string =>
    execFileSync('ip', ['netns', 'exec', namespace, 'sh', '-c', command], { encoding: 'utf8' });
  const commands =
    'tc -d qdisc; tc -d class show dev eth0; tc filter show dev eth0 ingress; ip -d link; nft list ruleset';
  // A new link needs some time until it is ready.
  const shown = (): string =>
    names.map((name) => run(name, commands).replaceAll(/NO-CARRIER,|state \w+/g, '')).join('\n');
  const root = 'tc qdisc add dev eth0 root handle 4e46: htb default 0; nft add table inet netfold';
  return {
    ...{ platform: site, options: { placements, takeOver: false, leaseMs: 30_000 }, shown },
    shape: () => {
      for (const name of names) run(name, root);
    },
    isOwn: (what) => names.some((name) => what.includes(name)),
    spoil: () => [],
    remove: () => cable.remove(),
  };
}

const GROUNDS: [string, () => Ground][] = [
  ['the lab', labGround],
  ['interfaces of this machine', siteGround],
];

describe.each(GROUNDS)('%s', (_, prepare) => {
  describe('as a platform', () =>
    platformContract((): OpenedPlatform => {
      const ground = prepare();
      const experiment = experimentName();
      mkdirSync(experimentFolder(experiment), { recursive: true });
      const logFolder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
      return {
        platform: ground.platform,
        wanted: { experiment, topology, endpoints: ['a.0', 'b.0'], options: ground.options },
        logFolder,
        traces: () => [tracesOf(experiment), agentsOf(experiment), ground.shown()],
        shape: ground.shape,
        isOwn: ({ experiment: of, what }) => of === experiment || (of === undefined && ground.isOwn(what)),
        spoil: ground.spoil,
        close: () => {
          rmSync(experimentFolder(experiment), { recursive: true, force: true });
          rmSync(logFolder, { recursive: true });
          ground.remove();
        },
      };
    }));

  describe('in use', () => {
    let ground: Ground;
    let name: string;
    let before: string;

    beforeEach(() => {
      ground = prepare();
      name = experimentName();
      before = ground.shown();
    });

    afterEach(async () => {
      await removeExperiment(name);
      ground.remove();
    });

    const start = (platform: Platform, onStep: (step: string) => void = () => {}): Promise<Experiment> =>
      Experiment.start({
        ...{ name, platform, placement: ground.options, topology, onStep },
        source: { file: FILE, text: TEXT },
      });

    function expectNothing(): void {
      expect(tracesOf(name)).toEqual(NOTHING);
      expect(agentsOf(name)).toEqual([]);
      expect(ground.shown()).toBe(before);
    }

    test('agents are in the namespaces of their hosts, and commands in those of their endpoints', async () => {
      const experiment = await start(ground.platform);
      const { plan, agents, platform } = experiment;
      for (const { pid, host } of agents)
        expect(readlinkSync(`/proc/${pid}/ns/net`)).toBe(
          `net:[${statSync(namespacePath(host.namespace)).ino}]`,
        );
      for (const endpoint of plan.endpoints) {
        const [program, ...args] = platform.exec(endpoint, ['ip', '-brief', 'address', 'show', 'eth0']);
        expect(execFileSync(program!, args, { encoding: 'utf8' })).toContain(` ${endpoint.address}/`);
      }
      await experiment.stop();
      expectNothing();
    });

    const methods = ['plan', 'make', 'startAgent'] as const satisfies readonly Method[];
    const failures = methods.flatMap((method) =>
      (['before', 'after'] as const).map((when) => [method, when] as const),
    );
    test.each(failures)('that fails at %s, %s it is done, leaves nothing', async (method, when) => {
      await expect(start(failingAt(ground.platform, method, when))).rejects.toBeInstanceOf(PlatformFailure);
      expectNothing();
    });

    test.each(['before', 'after'] as const)(
      'that fails to remove, %s it is done, says what has failed first, and is removed later',
      async (when) => {
        const broken = failingAt(failingAt(ground.platform, 'startAgent', 'after'), 'remove', when);
        const told: string[] = [];
        await expect(start(broken, (step) => told.push(step))).rejects.toThrow('startAgent fails after');
        expect(told.at(-1)).toBe(
          `not all of ${name} could be removed: remove fails ${when} it is done; try \`netfold down ${name}\``,
        );
        expect(tracesOf(name).folder).toBe(true);
        await removeExperiment(name);
        expectNothing();
      },
    );

    test('that fails to remove what has run, is removed when it is tried again', async () => {
      const experiment = await start(failingAt(ground.platform, 'remove', 'before'));
      await expect(experiment.stop()).rejects.toBeInstanceOf(PlatformFailure);
      expect(tracesOf(name).folder).toBe(true);
      await experiment.stop();
      expectNothing();
    });

    test('whose state file is gone, is removed by its marks', async () => {
      const { agents } = await start(ground.platform);
      for (const { pid } of agents) killIfThere(pid!);
      await Promise.all(agents.map(({ exited }) => exited));
      rmSync(stateFile(name));
      const { failed } = await removeAll();
      expect(failed).toEqual([]);
      expectNothing();
    });
  });
});

test('a platform that can not tell what it has keeps no other from being cleaned up', async () => {
  const name = experimentName();
  await reserveExperiment(name);
  const plan = await lab.plan({
    experiment: name,
    topology,
    endpoints: ['a.0', 'b.0'],
    options: { hosts: 1 },
  });
  writeState(stateOf(plan, FILE));
  await lab.make(plan, {});
  const cable = siteGround();
  try {
    const before = cable.shown();
    cable.shape(plan);
    const { removed, leftovers, failed } = await removeAll(undefined, [
      failingAt(lab, 'findLeftovers', 'before'),
      site,
    ]);
    expect(removed).toEqual([{ experiment: name, facts: ['4 namespaces removed'], problems: [] }]);
    expect(leftovers.filter(cable.isOwn)).toHaveLength(4);
    expect(failed).toMatchObject([
      { what: 'what the platform lab has here', error: expect.any(PlatformFailure) },
    ]);
    expect(cable.shown()).toBe(before);
    expect(tracesOf(name)).toEqual(NOTHING);
  } finally {
    cable.remove();
  }
});

test('a state file of an older version is enough to give interfaces back', async () => {
  const name = experimentName();
  await reserveExperiment(name);
  const cable = siteGround();
  try {
    const before = cable.shown();
    const wanted: Wanted = { experiment: name, topology, endpoints: ['a.0', 'b.0'], options: cable.options };
    const plan = await site.plan(wanted);
    const { platform: _, ...older } = stateOf(plan, FILE);
    writeState({ ...older, existing: true } as never);
    cable.shape(plan);
    expect(await removeExperiment(name)).toEqual({
      experiment: name,
      facts: ['left by a killed agent and taken off: a.0, b.0'],
      problems: [],
    });
    expect(cable.shown()).toBe(before);
    expect(tracesOf(name)).toEqual(NOTHING);
  } finally {
    cable.remove();
  }
});

test('an endpoint that gets another namespace is attached through the door, also for agents that start later', async () => {
  const name = experimentName();
  const network = connectMachines(2);
  const placements = network.machines.map(({ namespace }, at) => ({
    node: 'ab'[at]!,
    ifname: 'eth0',
    namespace,
  }));
  let door: EndpointDoor | undefined;
  const watching: Platform = {
    ...site,
    startAgent: (host, order) => {
      door = order.door;
      return site.startAgent(host, order);
    },
  };
  try {
    const experiment = await Experiment.start({
      ...{ name, platform: watching, placement: { placements, takeOver: false, leaseMs: 30_000 }, topology },
      source: { file: FILE, text: TEXT },
    });
    await experiment.run();
    const again = network.replace(0, '10.9.0.77');
    const b = network.machines[1]!;
    const shown = execFileSync('ip', ['-n', again.namespace, '-j', 'link', 'show', 'eth0'], {
      encoding: 'utf8',
    });
    const [{ ifindex }] = JSON.parse(shown) as [{ ifindex: number }];
    const { namespace, address } = again;
    const place = { namespace, address, addresses: [address], interface: { name: 'eth0', index: ifindex } };
    await door!.attach({ ...experiment.plan.endpoints[0]!, ...place });
    const isShaped = async (): Promise<boolean> => (await ping(again, b, 3, 20)).meanMs > 60;
    await until(isShaped, 'the new endpoint is shaped');
    expect(readState(name)!.endpoints[0]).toMatchObject({ name: 'a.0', namespace, address, ifindex });

    const [agent] = experiment.agents;
    process.kill(agent!.pid!, 'SIGKILL');
    await agent!.exited;
    const next = await experiment.startAgent(agent!.host);
    await next.waitUntilReady(20_000, () => {});
    expect((await next.status())!.endpoints).toEqual(['a.0', 'b.0']);
    await until(isShaped, 'it is shaped again');

    await door!.detach(0);
    await until(async () => (await next.status())!.endpoints.length === 1, 'it has left');
    expect(readState(name)!.endpoints.map((one) => one.name)).toEqual(['b.0']);
    await expect(door!.detach(0)).resolves.toBeUndefined();
    await experiment.stop();
    expect(tracesOf(name)).toEqual(NOTHING);
  } finally {
    await removeExperiment(name);
    network.remove();
  }
});
