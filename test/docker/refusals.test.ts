/** What `netfold attach` refuses, with a real engine: each with a code, a remedy, and nothing done. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyStack, writeStack } from '../../controller/deploy/swarm.ts';
import { nameSandboxes } from '../../controller/platform/containers/attached.ts';
import { planContainers } from '../../controller/platform/containers/running-plan.ts';
import { sandboxNames } from '../../controller/platform/containers/sandbox.ts';
import { parseSelector } from '../../controller/platform/containers/selectors.ts';
import { DOCKER } from '../../controller/platform/docker/docker-plan.ts';
import { Engine } from '../../controller/platform/docker/engine.ts';
import { loadTopology } from '../../topology/load.ts';
import { IMAGE, TestEngine } from '../support/docker/engine.ts';
import { experimentName, run } from '../support/lab/lab.ts';
import { tracesOf } from '../support/lab/traces.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');
const LINK = 'links: [{ from: a, to: b, latency: 10ms }]';

let engine: TestEngine;
let folder: string;

beforeAll(async () => {
  engine = await TestEngine.start();
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  engine.docker('network', 'create', '--subnet', '10.77.0.0/24', 'net');
  engine.docker('network', 'create', '--subnet', '10.78.0.0/24', 'other');
  for (const name of ['one', 'two']) {
    engine.run(name, '--network', 'net', '--label', 'app=web');
    engine.docker('network', 'connect', 'other', name);
  }
  engine.run('alone', '--network', 'none');
  engine.run('on-host', '--network', 'host');
  engine.run('sidecar', '--network', 'container:one');
  engine.docker('create', '--name', 'asleep', IMAGE, 'sh');
});

afterAll(async () => {
  await engine.remove();
  rmSync(folder, { recursive: true });
});

const [BOTH, A, B] = [
  ['--network', 'net'],
  ['--select', 'a=name:one'],
  ['--select', 'b=name:two'],
];

it.each<[what: string, words: readonly string[], code: number, said: string]>([
  ['a selector that is none', ['--select', 'a=one', ...B], 2, 'this is not NODE=label:KEY=VALUE'],
  ['no such service', [...A, ...B, '--select', 'c=name:two'], 1, 'the topology has no "c"'],
  ['an endpoint without a selector', A, 1, 'no --select says which container b.0 is'],
  ['nothing that is selected', [...A, '--select', 'b=label:app=db'], 1, 'finds no container'],
  ['one that does not run', [...A, '--select', 'b=name:asleep'], 1, 'asleep is created'],
  ['too many', [...A, '--select', 'b=label:app=web'], 1, 'finds 2 containers (one two)'],
  ['two services at once', [...A, '--select', 'b=name:on*', '--select', 'b=name:o*e'], 1, 'finds'],
  ['one container twice', [...A, '--select', 'b=name:one'], 1, 'is selected as a and as b'],
  ['one in several networks', [...A, ...B], 1, 'is in several networks: net other'],
  [
    'another network',
    [...A, ...B, '--network', 'nett'],
    1,
    'none of the containers is in a network of this name',
  ],
  ['a range of others', [...A, ...B, '--network', '10.99.0.0/16'], 1, 'is not in the network 10.99.0.0/16'],
  ['one without a network', [...BOTH, ...A, '--select', 'b=name:alone'], 1, 'has no network with an address'],
  ['one on the host', [...BOTH, ...A, '--select', 'b=name:on-host'], 1, "has the machine's own network"],
  [
    'one in the network of another',
    [...BOTH, ...A, '--select', 'b=name:sidecar'],
    1,
    'no network of its own',
  ],
])('%s', async (_, words, code, said) => {
  const refused = await attach(LINK, words);
  expect(refused.err).toContain(said);
  expect(refused.code).toBe(code);
});

it('applications and events that a container has no use for, with their lines', async () => {
  const events = 'events:\n  - at 5s crash a\n  - at 6s leave a--b\n  - at 7s run b "true"\n';
  const { code, err } = await attach(LINK, [...BOTH, ...A, ...B], { events, a: '{ run: "true" }' });
  expect(code).toBe(1);
  expect(err).toContain('attach.yaml:1:');
  expect(err).toContain('a container that runs already has its own command');
  expect(err).toContain('attach.yaml:4:');
  expect(err).toContain('attach.yaml:6:');
  expect(err).not.toContain('attach.yaml:5:');
});

it('an engine that is not there, and one of another machine', async () => {
  const there = await attach(LINK, [...A, ...B], { host: 'unix:///nowhere/docker.sock' });
  expect(there).toMatchObject({ code: 3 });
  expect(there.err).toContain('no engine answers at /nowhere/docker.sock');
  const elsewhere = await attach(LINK, [...A, ...B], { host: 'tcp://192.0.2.1:2375' });
  expect(elsewhere).toMatchObject({ code: 3 });
  expect(elsewhere.err).toContain('on another machine');
});

it('an engine that this user may not use', async () => {
  const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
  // Else it could not even read the file.
  for (const path of [folder, engine.folder]) chmodSync(path, 0o755);
  const denied = await attach(LINK, [...A, ...B], { as: ['setpriv', ...nobody, NETFOLD] });
  expect(denied).toMatchObject({ code: 3 });
  expect(denied.err).toContain('root (for namespaces, tc and BPF): the user id is 65534');
  expect(denied.err).toContain('sudo');
  // What is refused to root, in a user namespace for instance, is told so.
  const module = join(import.meta.dirname, '../../controller/platform/docker/engine.ts');
  const script = `const { Engine } = await import(${JSON.stringify(module)});
    await new Engine(${JSON.stringify(engine.socket)}).require().catch(({ code, remedy }) => console.log(code, remedy));`;
  const asked = await run('setpriv', [...nobody, process.execPath, '--input-type=module', '-e', script]);
  expect(asked).toMatchObject({ code: 0, out: 'ENGINE_DENIED run it as root, with sudo\n' });
});

describe('while netfold looks', () => {
  /** `alter`: what the engine says of a container. */
  function plan(experiment: string, alter = (networks: Record<string, readonly string[]>) => networks) {
    const { topology } = loadTopology(`services: { a: {}, b: {} }\n${LINK}`, 'attach.yaml');
    const real = new Engine(engine.socket);
    return planContainers(
      DOCKER,
      { experiment, topology, endpoints: ['a.0', 'b.0'], options: undefined },
      { selectors: ['a=name:one', 'b=name:two'].map(parseSelector), network: 'net', socket: engine.socket },
      {
        require: () => real.require(),
        list: () => real.list(),
        inspect: async (id) => {
          const found = (await real.inspect(id))!;
          return { ...found, networks: alter({ ...found.networks }) };
        },
        follow: () => Promise.resolve(),
      },
    );
  }

  it('a container that is started again', async () => {
    const experiment = experimentName();
    const planned = await plan(experiment);
    engine.docker('restart', '--time', '0', 'two');
    await expect(nameSandboxes(planned, {})).rejects.toMatchObject({
      ...{ code: 'CONTAINER_CHANGED', message: expect.stringContaining('b.0'), remedy: 'try again' },
    });
    expect(sandboxNames(experiment)).toEqual([]);
  });

  it('one whose address is nowhere on this machine', async () => {
    const elsewhere = plan(experimentName(), () => ({ net: ['192.0.2.7'] }));
    await expect(elsewhere).rejects.toMatchObject({
      code: 'ENGINE_ELSEWHERE',
      message: expect.stringContaining('has no interface with its address 192.0.2.7'),
    });
  });
});

it('a stack whose images nobody has is late, which says how to see why, and how to end it', async () => {
  const node = await TestEngine.start({ isNode: true });
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = node.env.DOCKER_HOST;
  try {
    node.docker('swarm', 'init', '--advertise-addr', '127.0.0.1');
    const text = `services: { a: &one { image: netfold-none }, b: *one }\n${LINK}\n`;
    const source = { file: 'late.yaml', text };
    const { topology } = loadTopology(text, source.file);
    const stack = { name: 'late', folder: join(folder, 'late'), image: 'netfold-none', topology, source };
    writeStack(stack);
    const counts: string[] = [];
    const onProgress = ({ doing, done, of }: { doing: string; done: number; of: number }) =>
      counts.push(`${doing} ${done} of ${of}`);
    await expect(applyStack(stack, { onStep: () => {}, onProgress }, 1000)).rejects.toMatchObject({
      code: 'CLUSTER_LATE',
      message: 'after 1 s agents that run: 0 of 1',
      remedy: expect.stringMatching(/docker stack ps --no-trunc late;.*docker stack rm late/),
    });
    expect(new Set(counts)).toEqual(new Set(['agents that run: 0 of 1']));
  } finally {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
    await node.remove();
  }
});

it('a stack, by an engine that is in no swarm, by one that is not there, and without Docker’s command line', async () => {
  const [name, out] = [experimentName(), join(folder, 'stack')];
  const file = join(folder, 'stack.yaml');
  writeFileSync(file, `services: { a: &one { image: ${IMAGE} }, b: *one }\n${LINK}\n`);
  const apply = (env: NodeJS.ProcessEnv) =>
    run(NETFOLD, ['deploy', file, '--swarm', '--apply', '--name', name, '-o', out], env);
  const alone = await apply(engine.env);
  expect(alone).toMatchObject({ code: 3 });
  expect(alone.err).toContain('this engine is in no swarm');
  expect(alone.err).toContain('docker swarm init');
  const nowhere = await apply({ ...engine.env, DOCKER_HOST: 'unix:///nowhere/docker.sock' });
  expect(nowhere).toMatchObject({ code: 3 });
  expect(nowhere.err).toContain('docker info');
  // What the script of netfold needs, and nothing else.
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  for (const one of ['readlink', 'dirname']) symlinkSync(join('/usr/bin', one), join(programs, one));
  const bare = await apply({ ...engine.env, PATH: programs });
  expect(bare).toMatchObject({ code: 3 });
  expect(bare.err).toContain("Docker's command line is not here");
  expect(engine.docker('ps', '--all', '--filter', `name=${name}`, '--quiet')).toBe('');
});

interface Attempt {
  readonly events?: string;
  /** Settings of the service `a`. */
  readonly a?: string;
  readonly host?: string;
  /** The program, and words before netfold's own. */
  readonly as?: readonly [string, ...string[]];
}

/** Each attempt must leave nothing. */
async function attach(
  links: string,
  words: readonly string[],
  { events = '', a = '{}', host = engine.env.DOCKER_HOST!, as = [NETFOLD] }: Attempt = {},
): Promise<{ code: number; err: string }> {
  const name = experimentName();
  const file = join(folder, 'attach.yaml');
  writeFileSync(file, `services: { a: ${a}, b: {} }\n${links}\n${events}`);
  const [program, ...more] = as;
  const all = [...more, 'attach', file, '--name', name, '--engine', 'docker', ...words];
  const { code, err } = await run(program, all, { ...engine.env, DOCKER_HOST: host });
  expect(tracesOf(name)).toMatchObject({ folder: false, processes: [] });
  expect(sandboxNames(name)).toEqual([]);
  return { code, err };
}
