/** What every `Platform` must do: run against the fake in test/unit/, and against the kernel in test/kernel/. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeBootstraps } from '../../../controller/experiment/bootstraps.ts';
import { agentsToEnd } from '../../../controller/machine/processes.ts';
import { agentSocket, controllerSocket } from '../../../controller/names.ts';
import type { Plan, PlannedHost } from '../../../controller/platform/port/plan.ts';
import type {
  AgentOrder,
  EndpointDoor,
  Leftover,
  Platform,
  Remains,
  RunningAgent,
  Wanted,
} from '../../../controller/platform/port/platform.ts';

export interface OpenedPlatform {
  readonly platform: Platform;
  /** An experiment of two endpoints or more. */
  readonly wanted: Wanted;
  /** A folder for the outputs of agents. */
  readonly logFolder: string;
  /** All that there is of the experiment on this machine, found by other ways than the platform's. */
  traces(): Promise<unknown> | unknown;
  /** Leaves in an endpoint what an agent that was killed leaves there. */
  shape(plan: Plan): void;
  /** Whether a leftover can be this experiment's. */
  isOwn(leftover: Leftover): boolean;
  /** Plans that can be made in part only, each with what is wrong. */
  spoil(plan: Plan): readonly (readonly [string, Plan])[];
  close(): Promise<void> | void;
}

/** Stays until it is ended, and is an agent by its command line. */
const STAYING = 'setInterval(() => {}, 1000)';

const doorOf = (endpoints: Plan['endpoints']): EndpointDoor => ({
  endpoints: () => endpoints,
  attach: () => Promise.resolve(),
  detach: () => Promise.resolve(),
  elsewhere: () => Promise.resolve(new Set()),
  tell: () => Promise.resolve(),
});

function orderFor(
  { wanted, logFolder }: OpenedPlatform,
  host: PlannedHost,
  endpoints: Plan['endpoints'],
  adopt = false,
): AgentOrder {
  const { experiment } = wanted;
  const socket = agentSocket(experiment, host.name);
  const to = ['--controller', `unix:${controllerSocket(experiment)}`, '--host', host.name];
  const words = [process.execPath, '-e', STAYING, 'agent', ...to, '--socket', socket];
  const log = `${logFolder}/${host.name}.log`;
  mkdirSync(dirname(log), { recursive: true });
  return { words, socket, log, adopt, door: doorOf(endpoints) };
}

const remainsOf = ({ experiment, endpoints }: Plan): Remains => ({
  experiment,
  endpoints: endpoints.map(({ name, namespace, interface: { index } }) => ({
    name,
    namespace,
    ifindex: index,
  })),
  agents: agentsToEnd(experiment),
});

export function platformContract(open: () => OpenedPlatform | Promise<OpenedPlatform>): void {
  let opened: OpenedPlatform;
  let platform: Platform;
  let plan: Plan;
  let before: unknown;

  beforeEach(async () => {
    opened = await open();
    ({ platform } = opened);
    before = await opened.traces();
    plan = await platform.plan(opened.wanted);
  });

  afterEach(async () => {
    await platform.remove(remainsOf(plan));
    await opened.close();
  });

  const own = async (): Promise<Leftover[]> =>
    (await platform.findLeftovers('machine')).filter((one) => opened.isOwn(one));

  const startAgents = (): Promise<RunningAgent[]> =>
    Promise.all(
      plan.hosts.map(async (host) => platform.startAgent(host, orderFor(opened, host, plan.endpoints))),
    );

  async function makeAll(): Promise<RunningAgent[]> {
    await platform.make(plan, {});
    const agents = await startAgents();
    opened.shape(plan);
    return agents;
  }

  async function expectNothing(): Promise<void> {
    expect((await own()).map(({ what }) => what)).toEqual([]);
    expect(await opened.traces()).toEqual(before);
  }

  describe('a plan', () => {
    test('has a place for every endpoint, each on one of its hosts, and changes nothing', async () => {
      expect(plan).toMatchObject({ platform: platform.name, experiment: opened.wanted.experiment });
      expect(plan.endpoints.map(({ name }) => name)).toEqual(opened.wanted.endpoints);
      expect(plan.endpoints.map(({ number }) => number)).toEqual([...plan.endpoints.keys()]);
      for (const { host, addresses, address } of plan.endpoints) {
        expect(plan.hosts).toContain(host);
        expect(addresses).toContain(address);
      }
      expect(plan.hosts.map(({ index }) => index)).toEqual([...plan.hosts.keys()]);
      await expectNothing();
    });

    test.each([[{ nonsense: 1 }], [undefined], ['x']])(
      'is refused for the options %j, with a code, and changes nothing',
      async (options) => {
        const planned = (async () => platform.plan({ ...opened.wanted, options }))();
        await expect(planned).rejects.toMatchObject({ code: 'PLACEMENT_OPTIONS', blame: 'input' });
        await expectNothing();
      },
    );

    test('is found again from the bootstraps of agents', async () => {
      const topology = { file: 'x.yaml', text: '' };
      const settings = { delayBackend: 'auto', logFolder: opened.logFolder } as const;
      const { experiment } = plan;
      const found = await platform.plan({ experiment, standing: makeBootstraps(plan, topology, settings) });
      const { place, outlivesAgent, endpoints } = plan;
      expect(found).toMatchObject({ platform: platform.name, experiment, place, outlivesAgent });
      const placesOf = (all: Plan['endpoints']) => all.map(({ host, ...one }) => ({ ...one, on: host.name }));
      expect(placesOf(found.endpoints)).toEqual(placesOf(endpoints));
      const hostsOf = ({ hosts }: Plan) =>
        hosts.map(({ name, namespace, address, meshPort }) => ({ name, namespace, address, meshPort }));
      expect(hostsOf(found)).toEqual(hostsOf(plan));
    });
  });

  describe('what was made', () => {
    test('runs agents and commands, is found by its marks, and is removed to nothing', async () => {
      const agents = await makeAll();
      for (const endpoint of plan.endpoints) {
        const [program, ...args] = platform.exec(endpoint, ['echo', 'here', 'I am']);
        expect(execFileSync(program!, args, { encoding: 'utf8' })).toBe('here I am\n');
      }
      expect(await own()).not.toEqual([]);
      expect(await opened.traces()).not.toEqual(before);
      await platform.remove(remainsOf(plan));
      expect(await Promise.all(agents.map(({ exited }) => exited))).toEqual(
        agents.map(() => 'was ended by SIGTERM'),
      );
      await expectNothing();
    });

    test('is removed twice, also at once, and then there is nothing to do', async () => {
      await makeAll();
      await Promise.all([platform.remove(remainsOf(plan)), platform.remove(remainsOf(plan))]);
      await expectNothing();
      expect(await platform.remove(remainsOf(plan))).toEqual([]);
      await expectNothing();
    });

    test('is removed without a state file, by its marks', async () => {
      await makeAll();
      await platform.remove({ ...remainsOf(plan), endpoints: [] });
      for (const leftover of await own()) {
        await leftover.remove();
        await leftover.remove();
      }
      await expectNothing();
    });

    test('is left alone where another experiment is removed', async () => {
      const agents = await makeAll();
      const during = (await own()).map(({ what }) => what);
      const { experiment } = plan;
      expect(
        await platform.remove(remainsOf({ ...plan, experiment: `${experiment}x`, endpoints: [] })),
      ).toEqual([]);
      expect((await own()).map(({ what }) => what)).toEqual(during);
      const ended = Promise.race([...agents.map(({ exited }) => exited), Promise.resolve('all run')]);
      expect(await ended).toBe('all run');
    });

    test('and bears the name of an experiment, is found without any rights', async () => {
      await makeAll();
      const named = (await platform.findLeftovers('experiments')).filter((one) => opened.isOwn(one));
      for (const { experiment } of named) expect(experiment).toBe(plan.experiment);
      const all = (await own()).filter(({ experiment }) => experiment !== undefined);
      expect(named.map(({ what }) => what)).toEqual(all.map(({ what }) => what));
    });
  });

  describe('making', () => {
    test('that is aborted in the middle throws the reason and leaves nothing', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const onProgress = (): void => controller.abort(reason);
      let rejected: unknown;
      try {
        await platform.make(plan, { signal: controller.signal, onProgress });
      } catch (error) {
        rejected = error;
      }
      // What is there already needs no making, and nothing to abort.
      expect(rejected).toBe(controller.signal.aborted ? reason : undefined);
      await expectNothing();
    });

    test('that was aborted before makes nothing', async () => {
      const signal = AbortSignal.abort(new Error('enough'));
      await Promise.resolve()
        .then(() => platform.make(plan, { signal }))
        .catch(() => {});
      await expectNothing();
    });

    test('that fails at any step leaves nothing', async () => {
      for (const [what, spoiled] of opened.spoil(plan)) {
        await expect(Promise.resolve(platform.make(spoiled, {})), what).rejects.toThrow();
        await expectNothing();
      }
    });
  });

  describe('an agent', () => {
    test('that runs is adopted on request', async () => {
      await platform.make(plan, {});
      const [first] = await startAgents();
      const host = plan.hosts[0]!;
      const adopted = await platform.startAgent(host, orderFor(opened, host, plan.endpoints, true));
      expect(adopted.pid).toBe(first!.pid);
      await platform.remove(remainsOf(plan));
      expect(await adopted.exited).toMatch(/ended/);
      await expectNothing();
    });

    test('that does not run is started where adoption was requested', async () => {
      await platform.make(plan, {});
      const host = plan.hosts[0]!;
      const started = await platform.startAgent(host, orderFor(opened, host, plan.endpoints, true));
      await platform.remove(remainsOf(plan));
      expect(await started.exited).toBe('was ended by SIGTERM');
      await expectNothing();
    });

    test('that can not be started leaves nothing', async () => {
      await platform.make(plan, {});
      const nowhere = { ...plan.hosts[0]!, namespace: 'netfold-contract-nowhere' };
      await expect(
        (async () => platform.startAgent(nowhere, orderFor(opened, nowhere, plan.endpoints)))(),
      ).rejects.toThrow();
      await platform.remove(remainsOf(plan));
      await expectNothing();
    });
  });
}
