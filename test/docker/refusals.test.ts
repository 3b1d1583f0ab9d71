/** What `netfold attach` refuses, with a real engine: each with a code, a remedy, and nothing done. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sandboxNames } from '../../controller/platform/containers/sandbox.ts';
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
  const text = 'events:\n  - at 5s crash a\n  - at 6s leave a--b\n  - at 7s run b "true"\n';
  const { code, err } = await attach(LINK, [...BOTH, ...A, ...B], text, '{ run: "true" }');
  expect(code).toBe(1);
  expect(err).toContain('attach.yaml:1:');
  expect(err).toContain('a container that runs already has its own command');
  expect(err).toContain('attach.yaml:4:');
  expect(err).toContain('attach.yaml:6:');
  expect(err).not.toContain('attach.yaml:5:');
});

it('an engine that is not there, and one of another machine', async () => {
  const there = await attach(LINK, [...A, ...B], '', '{}', 'unix:///nowhere/docker.sock');
  expect(there).toMatchObject({ code: 3 });
  expect(there.err).toContain('no engine answers at /nowhere/docker.sock');
  const elsewhere = await attach(LINK, [...A, ...B], '', '{}', 'tcp://192.0.2.1:2375');
  expect(elsewhere).toMatchObject({ code: 3 });
  expect(elsewhere.err).toContain('on another machine');
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

/** Each attempt must leave nothing. */
async function attach(
  links: string,
  words: readonly string[],
  events = '',
  a = '{}',
  host = engine.env.DOCKER_HOST,
): Promise<{ code: number; err: string }> {
  const name = experimentName();
  const file = join(folder, 'attach.yaml');
  writeFileSync(file, `services: { a: ${a}, b: {} }\n${links}\n${events}`);
  const all = ['attach', file, '--name', name, '--engine', 'docker', ...words];
  const { code, err } = await run(NETFOLD, all, { ...engine.env, DOCKER_HOST: host });
  expect(tracesOf(name)).toMatchObject({ folder: false, processes: [] });
  expect(sandboxNames(name)).toEqual([]);
  return { code, err };
}
