/** What `netfold up --engine docker` refuses, with a real engine: each with its remedy, and nothing of it left. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sandboxNames } from '../../controller/platform/containers/sandbox.ts';
import { IMAGE, TestEngine } from '../support/docker/engine.ts';
import { experimentName, run } from '../support/lab/lab.ts';
import { tracesOf } from '../support/lab/traces.ts';

const NETFOLD = join(import.meta.dirname, '../../bin/netfold');
const SLEEPS = `image: ${IMAGE}, command: [sleep, "60"]`;

let engine: TestEngine;
let folder: string;
let name: string;

beforeAll(async () => {
  engine = await TestEngine.start();
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
});

afterAll(async () => {
  await engine.remove();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  name = experimentName();
});

interface Attempt {
  readonly words?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** What is said of a file with a service `a` of these settings, and an exit status. Nothing of it is left. */
async function refused(a: string, { words = [], env = {} }: Attempt = {}) {
  const file = join(folder, 'made.yaml');
  const text = `services: { a: { ${a} }, b: { ${SLEEPS} } }\nlinks: [{ from: a, to: b, latency: 10ms }]\n`;
  writeFileSync(file, text);
  const all = ['up', file, '--name', name, '--engine', 'docker', '--detach', ...words];
  const { code, err } = await run(NETFOLD, all, { ...engine.env, ...env });
  const label = ['--quiet', '--filter', `label=netfold.experiment=${name}`];
  expect(engine.docker('ps', '--all', ...label) + engine.docker('network', 'ls', ...label)).toBe('');
  expect(sandboxNames(name)).toEqual([]);
  expect(tracesOf(name)).toMatchObject({ folder: false, processes: [] });
  return { code, err };
}

describe('before anything is made', () => {
  it.each<[what: string, a: string, code: number, said: string, words?: readonly string[]]>([
    ['an image that is missing', 'image: nowhere/at-all', 3, 'docker pull nowhere/at-all; or add --pull'],
    [
      'an image that can not be fetched',
      'image: "127.0.0.1:9/none:1"',
      3,
      "the image 127.0.0.1:9/none:1 can't be pulled: ",
      ['--pull'],
    ],
    ['a service without one', 'run: x', 1, 'made.yaml:1:'],
    ['an image that starts nothing', `image: ${IMAGE}`, 1, 'has no command of its own'],
    ['a port of no address', `image: ${IMAGE}, ports: ["127.0.0.300:1:1"]`, 1, 'has no address'],
    [
      'more endpoints than a bridge has places',
      `${SLEEPS}, replicas: 1000`,
      3,
      '1001 containers have no room',
    ],
  ])('%s', async (_, a, code, said, words = []) => {
    const { err, ...ended } = await refused(a, { words });
    expect(err).toContain(said);
    expect(ended.code).toBe(code);
  });

  it('networks of others that take all private addresses', async () => {
    // The engine's own bridge has 172.17.0.0/16.
    const ranges = ['172.16.0.0/16', '172.18.0.0/15', '172.20.0.0/14', '172.24.0.0/13', '10.0.0.0/8'];
    const networks = ranges.map((_, index) => `taken-${index}`);
    try {
      for (const [index, range] of ranges.entries())
        engine.docker('network', 'create', '--subnet', range, networks[index]!);
      const { code, err } = await refused(SLEEPS);
      expect(err).toContain('no range of private addresses is free');
      expect(err).toContain('docker network prune');
      expect(code).toBe(3);
    } finally {
      engine.docker('network', 'rm', ...networks);
    }
  });
});

describe('while they are made, and what was made is removed', () => {
  it('a port that another has', async () => {
    engine.run('holder', '--publish', '127.0.0.1:7777:1');
    try {
      const { code, err } = await refused(`${SLEEPS}, ports: ["127.0.0.1:7777:1"]`);
      expect(err).toContain("a port of a.0 can't be published");
      expect(code).toBe(3);
    } finally {
      engine.docker('rm', '--force', 'holder');
    }
  });

  it('a setting that the engine does not take', async () => {
    const { code, err } = await refused(`${SLEEPS}, healthcheck: { test: "true", interval: 1us }`);
    expect(err).toContain('the engine refuses the container of a.0: Interval in Healthcheck');
    expect(err).toContain('change what services.a has of it in the file');
    expect(code).toBe(3);
  });

  it('containers that are no processes of this machine', async () => {
    const processes = join(folder, 'proc');
    mkdirSync(processes);
    const { code, err } = await refused(SLEEPS, { env: { NETFOLD_PROC: processes } });
    expect(err).toMatch(/the container of [ab]\.0 is no process of this machine/);
    expect(err).toContain('not beside Docker Desktop');
    expect(code).toBe(3);
  });

  it('one that somebody takes off its network meanwhile', async () => {
    const socket = join(folder, 'between.sock');
    // Passes all on, and takes a container off its network before it is looked at.
    const between = createServer((asked, answer) => {
      const { method, url: path = '', headers } = asked;
      const id = method === 'GET' ? /\/containers\/(\w+)\/json/.exec(path)?.[1] : undefined;
      if (id) engine.docker('network', 'disconnect', '--force', `netfold.${name}`, id);
      const passed = request({ socketPath: engine.socket, method, path, headers }, (its) => {
        answer.writeHead(its.statusCode!, its.headers);
        its.pipe(answer);
      });
      asked.pipe(passed);
    });
    await new Promise<void>((resolve) => between.listen(socket, resolve));
    try {
      const { code, err } = await refused(SLEEPS, { env: { DOCKER_HOST: `unix://${socket}` } });
      expect(err).toMatch(/the container of [ab]\.0 has no interface with its address 1\d+\./);
      expect(err).toContain('try again');
      expect(code).toBe(3);
    } finally {
      between.closeAllConnections();
      between.close();
    }
  });
});
