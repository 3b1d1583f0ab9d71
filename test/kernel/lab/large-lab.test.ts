/**
 * A lab of some hundred endpoints: it works, it can be removed at any time, and a lab that is too large is refused.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import { experimentFolder } from '../../../controller/names.ts';
import { createLab, removeLab } from '../../../controller/platform/lab/lab-namespaces.ts';
import { planLab } from '../../../controller/platform/lab/lab-plan.ts';
import { experimentName, run, until } from '../../support/lab/lab.ts';
import { NOTHING, namespacesOf, tracesOf } from '../../support/lab/traces.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
const ENDPOINTS = 300;
const NAMES = Array.from({ length: ENDPOINTS }, (_, index) => `s.${index}`);

let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  file = join(folder, 'star.yaml');
  writeFileSync(
    file,
    `services: { s: { replicas: ${ENDPOINTS} } }\nbridges: [hub]\nlinks: [{ from: s, to: hub, latency: 3ms, up: 20Mbps, down: 10Mbps }]\n`,
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

const KERNEL = join(import.meta.dirname, '../../../agent/kernel/netns');
const CREATE_FIVE = `
  import { createNamespaces } from "${KERNEL}/namespaces.ts";
  import { listNamespaces } from "${KERNEL}/namespace-files.ts";
  try {
    createNamespaces(["a", "b", "c", "d", "e"]);
  } catch ({ message, remedy }) {
    console.log(JSON.stringify({ message, remedy, left: listNamespaces() }));
  }
`;

/** A name with the folder that `Experiment.start` would have made. */
function reserve(): string {
  const name = experimentName();
  mkdirSync(experimentFolder(name), { recursive: true });
  return name;
}

describe('a lab of 300 endpoints', () => {
  it('on three hosts reaches every host by name, in both families, and is removed to nothing', async () => {
    const name = reserve();
    const plan = planLab(name, NAMES, 3);
    const made: number[] = [];
    await createLab(plan, { onEndpoints: (count) => made.push(count) });
    expect(made).toEqual([64, 128, 192, 256, 300]);
    expect(namespacesOf(name)).toHaveLength(1 + 3 + ENDPOINTS);
    // Of the first batch to the last, over the fabric, and back: hosts are 0, 1, 2, 0 …
    for (const [from, to] of [
      [0, 299],
      [298, 1],
      [5, 296],
    ] as const) {
      for (const family of ['-4', '-6']) {
        const ping = ['ping', family, '-c', '1', '-W', '5', `s.${to}`];
        const { code, out } = await run('ip', ['netns', 'exec', plan.endpoints[from]!.namespace, ...ping]);
        expect(code, `${from} > ${to}: ${out}`).toBe(0);
      }
    }
    const removed: [number, number][] = [];
    expect(await removeLab(name, (...progress) => removed.push(progress))).toBe(1 + 3 + ENDPOINTS);
    expect(removed.at(-1)).toEqual([256, 304]);
    rmSync(experimentFolder(name), { recursive: true });
    expect(tracesOf(name)).toEqual(NOTHING);
  });

  it('that is aborted between two batches throws the reason and leaves nothing', async () => {
    const name = reserve();
    const controller = new AbortController();
    const reason = new Error('enough');
    const making = createLab(planLab(name, NAMES, 2), {
      signal: controller.signal,
      onEndpoints: (made) => made === 128 && controller.abort(reason),
    });
    await expect(making).rejects.toBe(reason);
    rmSync(experimentFolder(name), { recursive: true });
    expect(tracesOf(name)).toEqual(NOTHING);
  });

  it('whose endpoint is there already removes what it has made', async () => {
    const name = reserve();
    const plan = planLab(name, NAMES, 1);
    const twice = { ...plan, endpoints: [...plan.endpoints.slice(0, 100), plan.endpoints[20]!] };
    await expect(createLab(twice)).rejects.toMatchObject({ code: 'NAMESPACE_EXISTS' });
    rmSync(experimentFolder(name), { recursive: true });
    expect(tracesOf(name)).toEqual(NOTHING);
  });
});

interface Started {
  readonly child: ChildProcess;
  readonly name: string;
  readonly ended: Promise<{ code: number | null; err: string }>;
}

function up(...options: string[]): Started {
  const name = experimentName();
  const args = ['up', file, '--name', name, '--hosts', '2', ...options];
  const child = spawn(NETFOLD, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr!.on('data', (text: Buffer) => {
    err += text.toString();
  });
  const ended = new Promise<{ code: number | null; err: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, err }));
  });
  return { child, name, ended };
}

describe('netfold up of 300 endpoints', () => {
  const moments: [string, (name: string) => boolean][] = [
    ['its folder is there', (name) => existsSync(experimentFolder(name))],
    ['the first endpoints are there', (name) => namespacesOf(name).length > 3],
    ['half of the endpoints are there', (name) => namespacesOf(name).length > 150],
    ['all endpoints are there', (name) => namespacesOf(name).length === 3 + ENDPOINTS],
    ['an agent has started', (name) => existsSync(join(experimentFolder(name), 'logs', 'host0.log'))],
  ];

  it.each(moments)('interrupted when %s, leaves nothing', async (_, reached) => {
    const { child, name, ended } = up();
    await until(() => reached(name), 'the moment', 20_000);
    child.kill('SIGINT');
    const { code, err } = await ended;
    expect({ code, err }).toMatchObject({ code: 130, err: expect.stringContaining('SIGINT came') });
    expect(tracesOf(name)).toEqual(NOTHING);
  });

  it('interrupted in the command that waits for the detached one, leaves nothing', async () => {
    const { child, name, ended } = up('--detach');
    await until(() => namespacesOf(name).length > 100, 'the moment', 20_000);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(tracesOf(name)).toEqual(NOTHING);
  });

  it('killed half-way, leaves what cleanup finds', async () => {
    const { child, name, ended } = up();
    await until(() => namespacesOf(name).length > 150, 'the moment', 20_000);
    child.kill('SIGKILL');
    await ended;
    expect(namespacesOf(name).length).toBeGreaterThan(150);
    await removeExperiment(name);
    expect(tracesOf(name)).toEqual(NOTHING);
  });
});

describe('a machine that allows less than is asked for', () => {
  it('refuses before anything is made, with the number that fits', async () => {
    const name = experimentName();
    const limit = ['--bounding-set', '-sys_resource', 'prlimit', '--nofile=700:700'];
    const { code, err } = await run('setpriv', [
      ...limit,
      NETFOLD,
      'up',
      file,
      '--name',
      name,
      '--hosts',
      '2',
    ]);
    expect({ code, err }).toEqual({
      code: 3,
      err: `netfold: 300 endpoints don't fit this machine: 98 do, bounded by open files of an agent (700, as far as they may be raised)
  → use at most 98 endpoints, or allow 1,606 of them (ulimit -Hn, fs.nr_open)
`,
    });
    expect(tracesOf(name)).toEqual(NOTHING);
  });

  it('names the limit that was met all the same, and keeps nothing', async () => {
    // A user namespace has limits of its own; what it mounts stays in its mount namespace.
    const limited = [
      'mount -t tmpfs none /run',
      'echo 3 > /proc/sys/user/max_net_namespaces',
      `node --input-type=module -e '${CREATE_FIVE}'`,
    ].join(' && ');
    const args = ['--user', '--map-root-user', '--mount', '--net', 'sh', '-c', limited];
    const path = `${join(import.meta.dirname, '../../../node_modules/.bin')}:${process.env.PATH}`;
    const { code, out, err } = await run('unshare', args, { ...process.env, PATH: path });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toEqual({
      message: 'unshare(CLONE_NEWNET) failed: ENOSPC',
      remedy: 'allow more network namespaces: sysctl -w user.max_net_namespaces=NUMBER',
      left: [],
    });
  });
});
