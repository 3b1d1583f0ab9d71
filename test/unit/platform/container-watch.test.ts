/** What follows containers, with an engine, namespaces and an agent in memory: one look after the other. */
import { beforeEach, expect, test } from 'vitest';
import type { EnginePort, Inspected, Listed } from '../../../controller/platform/containers/containers.ts';
import { parseSandbox, sandboxName } from '../../../controller/platform/containers/sandbox.ts';
import { parseSelector } from '../../../controller/platform/containers/selectors.ts';
import { ContainerWatch } from '../../../controller/platform/containers/watch.ts';
import type { PlannedEndpoint } from '../../../controller/platform/port/plan.ts';

const HOST = { index: 0, name: 'host0', namespace: '', address: '127.0.0.1', meshPort: 0 };
const ID = (letter: string): string => letter.repeat(64);

interface Fake {
  id: string;
  name: string;
  state: string;
  pid: number;
  networks: Record<string, string[]>;
}

let containers: Fake[];
let here: Map<number, PlannedEndpoint>;
/** What was done, in order. */
let done: string[];
let fails: { engine?: Error; attach?: Error; elsewhere?: Error; hasInterface: boolean };
/** Letters of those in which all has ended. */
let ended: string[];
/** What other machines have. */
let elsewhere: Set<string>;
let watch: ContainerWatch;

const run = (letter: string, pid: number, address: string): Fake => ({
  ...{ id: ID(letter), name: `web-${letter}`, state: 'running', pid },
  networks: { net: [address] },
});

/** A process has the namespace of its number and a thousand. */
const namespaceOf = (endpoint: string, letter: string, pid: number): string =>
  sandboxName({
    ...{ platform: 'docker', experiment: 'x', endpoint },
    ...{ container: ID(letter).slice(0, 12), inode: 1000 + pid },
  });

const engine: EnginePort = {
  list: async () => {
    if (fails.engine) throw fails.engine;
    return containers.map(({ id, name, state }): Listed => ({ id, name, state, labels: { app: 'web' } }));
  },
  inspect: async (id) => {
    const found = containers.find((one) => one.id === id);
    if (!found) return undefined;
    const { name, networks, pid } = found;
    const namespacePath = pid > 0 ? `/proc/${pid}/ns/net` : undefined;
    return { id, name, networks, namespacePath, networkMode: 'net' } satisfies Inspected;
  },
  follow: async () => {},
  ended: async (ids) => new Set(ended.map(ID).filter((id) => ids.includes(id))),
};

const endpointAt = (number: number, letter: string, pid: number, address: string): PlannedEndpoint => {
  const name = `web.${number}`;
  const place = { namespace: namespaceOf(name, letter, pid), interface: { name: 'eth0', index: 2 } };
  return { number, name, ...place, address, addresses: [address], host: HOST };
};

beforeEach(() => {
  containers = [run('a', 1, '10.0.0.1'), run('b', 2, '10.0.0.2')];
  here = new Map([
    [0, endpointAt(0, 'a', 1, '10.0.0.1')],
    [1, endpointAt(1, 'b', 2, '10.0.0.2')],
  ]);
  done = [];
  fails = { hasInterface: true };
  elsewhere = new Set();
  ended = [];
  watch = follow();
});

/** `isHere`: others have endpoints of the experiment, too. */
function follow(isHere = false): ContainerWatch {
  const short = (name: string): string => `${name.split('+')[2]} in ${parseSandbox(name)!.inode}`;
  return new ContainerWatch({
    ...{ platform: 'docker', experiment: 'x', host: HOST, engine },
    settings: {
      ...{ socket: '/s', selectors: [parseSelector('web=label:app=web')], networks: ['net'] },
      endpoints: ['web.0', 'web.1'],
      ...(isHere && { here: true }),
    },
    sandboxes: {
      inodeAt: (path) => 1000 + Number(/\d+/.exec(path)![0]),
      open: async (sandbox, _pid, addresses) => {
        done.push(`open ${short(sandboxName(sandbox))}`);
        if (!fails.hasInterface) return undefined;
        return { namespace: sandboxName(sandbox), interface: { name: 'eth0', index: 2 }, addresses };
      },
      close: async (name) => void done.push(`close ${short(name)}`),
    },
    door: {
      endpoints: () => [...here.values()],
      attach: async (endpoint) => {
        if (fails.attach) throw fails.attach;
        done.push(`attach ${endpoint.name} at ${endpoint.address}`);
        here.set(endpoint.number, endpoint);
      },
      detach: async (number) => {
        if (here.delete(number)) done.push(`detach ${number}`);
      },
      elsewhere: async () => {
        if (fails.elsewhere) throw fails.elsewhere;
        return elsewhere;
      },
      tell: async (problems) => void done.push(`tell ${problems.join('; ')}`),
    },
  });
}

/** What a look does. */
async function look(isFull = true): Promise<string[]> {
  done = [];
  await watch.look(isFull);
  return done;
}

test('nothing is done where nothing has changed', async () => {
  expect(await look()).toEqual(['tell ']);
  expect(await look()).toEqual([]);
});

test('a container that was started again is attached in its new namespace, before the old one is forgotten', async () => {
  containers[0] = run('a', 11, '10.0.0.7');
  expect(await look()).toEqual([
    'open web.0 in 1011',
    'attach web.0 at 10.0.0.7',
    'close web.0 in 1001',
    'tell ',
  ]);
  expect(await look()).toEqual([]);
});

test('one that has ended is detached and missed, until it runs again', async () => {
  await look();
  containers[0]!.state = 'exited';
  expect(await look(false)).toEqual([
    'detach 0',
    'close web.0 in 1001',
    'tell web.0 is not there: its container web-a does not run (exited); one that web=label:app=web selects is waited for',
  ]);
  expect(await look(false)).toEqual([]);
  containers[0] = run('a', 12, '10.0.0.1');
  expect(await look(false)).toEqual(['open web.0 in 1012', 'attach web.0 at 10.0.0.1', 'tell ']);
});

test('another takes the place of one that is gone', async () => {
  containers = [run('b', 2, '10.0.0.2'), run('c', 3, '10.0.0.3')];
  expect(await look(false)).toEqual([
    'open web.0 in 1003',
    'attach web.0 at 10.0.0.3',
    'close web.0 in 1001',
    'tell ',
  ]);
});

test('a container that ends between two requests is detached', async () => {
  containers[1]!.pid = 0;
  expect(await look()).toEqual(['detach 1', 'close web.1 in 1002', 'tell ']);
});

test('an endpoint that has left the network is detached, until it is there again', async () => {
  containers[1]!.networks = { other: ['10.9.9.9'], net: [] };
  expect(await look()).toEqual([
    'detach 1',
    'close web.1 in 1002',
    'tell web.1 is not shaped: the container web-b is in none of these networks: net',
  ]);
  containers[1]!.networks = { other: ['10.9.9.9'], net: ['10.0.0.9'] };
  expect(await look(false)).toEqual(['open web.1 in 1002', 'attach web.1 at 10.0.0.9', 'tell ']);
});

test('one whose interface has no address yet is tried again', async () => {
  containers[1] = run('b', 22, '10.0.0.2');
  fails.hasInterface = false;
  expect(await look()).toEqual([
    'open web.1 in 1022',
    'detach 1',
    'close web.1 in 1002',
    'tell web.1 is not shaped: the container web-b has no interface with 10.0.0.2 yet',
  ]);
  fails.hasInterface = true;
  expect(await look(false)).toEqual(['open web.1 in 1022', 'attach web.1 at 10.0.0.2', 'tell ']);
});

test('an agent that refuses an endpoint has no trace of it, and the others go on', async () => {
  containers = [run('a', 11, '10.0.0.1'), run('b', 2, '10.0.0.2')];
  fails.attach = new Error('eth0 has a foreign root');
  const said = await look();
  expect(said).toContain('close web.0 in 1011');
  expect(said).toContain('close web.0 in 1001');
  expect(said.at(-1)).toBe('tell web.0 is not shaped: eth0 has a foreign root');
  expect([...here.keys()]).toEqual([1]);
});

test('an engine that does not answer changes nothing but the status', async () => {
  await look();
  fails.engine = new Error('the engine is silent');
  expect(await look()).toEqual(['tell containers are not followed: the engine is silent']);
  expect(await look()).toEqual([]);
  expect([...here.keys()]).toEqual([0, 1]);
  delete fails.engine;
  expect(await look()).toEqual(['tell ']);
});

test('a container without a number takes an endpoint that no other machine has, and another if it was not the first', async () => {
  watch = follow(true);
  containers = [run('a', 1, '10.0.0.1')];
  here.delete(1);
  expect(await look()).toEqual(['tell ']);
  elsewhere = new Set(['web.0']);
  expect(await look(false)).toEqual([
    'detach 0',
    'close web.0 in 1001',
    'open web.1 in 1001',
    'attach web.1 at 10.0.0.1',
  ]);
  // It does not go back when the other one is gone, nor when its agent starts again.
  elsewhere = new Set();
  expect(await look(false)).toEqual([]);
  elsewhere = new Set(['web.0']);
  expect(await look(false)).toEqual([]);
  fails.elsewhere = new Error('the agent starts again');
  expect(await look(false)).toEqual([]);
});

test('one that waits for an endpoint has it as soon as all has ended in another, whose sandbox is still there', async () => {
  watch = follow(true);
  await look();
  containers.push(run('c', 3, '10.0.0.3'));
  expect(await look(false)).toEqual(['tell web selects web-c, which is not shaped: it has 2 endpoints']);
  ended = ['b'];
  expect(await look(false)).toEqual([
    'open web.1 in 1003',
    'attach web.1 at 10.0.0.3',
    'close web.1 in 1002',
    'tell ',
  ]);
  expect(await look(false)).toEqual([]);
  containers = containers.filter(({ name }) => name !== 'web-b');
  expect(await look(false)).toEqual([]);
});
