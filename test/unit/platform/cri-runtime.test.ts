/** Container runtimes that a machine of tests does not have: their answers, over a real socket; and where they are looked for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runtimeError } from '../../../controller/platform/cri/errors.ts';
import { Runtime } from '../../../controller/platform/cri/runtime.ts';
import { RUNTIME_V1, SERVICE } from '../../../controller/platform/cri/runtime-messages.ts';
import { findSocket } from '../../../controller/platform/cri/runtime-socket.ts';

type Answer = object | { readonly code: number; readonly details: string } | undefined;

let folder: string;
let socket: string;
let server: Server | undefined;
let runtime: Runtime;
/** Method → answer, an error if it has a code; `undefined`: never. */
let answers: Record<string, Answer>;

const ID = 'a'.repeat(64);
const METADATA = { name: 'web-0', namespace: 'shop', uid: 'u', attempt: 1 };
const INFO = {
  pid: 7,
  runtimeSpec: { linux: { namespaces: [{ type: 'pid' }, { type: 'network', path: '/proc/self/ns/net' }] } },
};
const sandbox = (more: object = {}): object => ({
  status: {
    ...{ id: ID, metadata: METADATA, state: 'SANDBOX_READY' },
    network: { ip: '10.0.0.2', additionalIps: [{ ip: 'fd00::2' }] },
    linux: { namespaces: { options: { network: 'POD' } } },
    ...more,
  },
  info: { info: JSON.stringify(INFO) },
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-cri-'));
  socket = join(folder, 'runtime.sock');
  answers = { Version: { runtimeName: 'containerd', runtimeVersion: '1.7.0' } };
  runtime = new Runtime(socket, 2000);
});

afterEach(() => {
  runtime.close();
  server?.forceShutdown();
  server = undefined;
  rmSync(folder, { recursive: true });
});

async function serve(): Promise<void> {
  const service = fromJSON(RUNTIME_V1, { enums: String, defaults: true })[SERVICE] as ServiceDefinition;
  server = new Server();
  const methods: UntypedServiceImplementation = {};
  for (const name of Object.keys(service))
    methods[name] = (_: unknown, reply: (error: object | null, answer?: object) => void) => {
      const answer = answers[name];
      if (answer === undefined) return;
      if ('code' in answer) reply(answer);
      else reply(null, answer);
    };
  server.addService(service, methods);
  await new Promise<void>((resolve, reject) =>
    server!.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
}

describe('a runtime', () => {
  test('lists the sandboxes of pods, with their state', async () => {
    answers.ListPodSandbox = {
      items: [
        { id: ID, metadata: METADATA, state: 'SANDBOX_READY', labels: { app: 'web' } },
        { id: 'b', metadata: METADATA, state: 'SANDBOX_NOTREADY' },
      ],
    };
    await serve();
    expect(await runtime.list()).toEqual([
      { id: ID, name: 'shop/web-0', isPod: true, labels: { app: 'web' }, state: 'running' },
      { id: 'b', name: 'shop/web-0', isPod: true, labels: {}, state: 'not ready' },
    ]);
  });

  test('says where the network of a pod is, and its addresses', async () => {
    answers.PodSandboxStatus = sandbox();
    await serve();
    expect(await runtime.inspect(ID)).toEqual({
      ...{ id: ID, name: 'shop/web-0', isPod: true, networkMode: 'pod' },
      networks: { pod: ['10.0.0.2', 'fd00::2'] },
      namespacePath: '/proc/self/ns/net',
    });
  });

  test('says it by a process where the path is not there', async () => {
    const info = { info: JSON.stringify({ pid: 7, runtimeSpec: { linux: { namespaces: [] } } }) };
    answers.PodSandboxStatus = { ...sandbox(), info };
    await serve();
    expect((await runtime.inspect(ID))?.namespacePath).toBe('/proc/7/ns/net');
  });

  test('is not supported where it says neither', async () => {
    answers.PodSandboxStatus = { ...sandbox(), info: {} };
    await serve();
    await expect(runtime.inspect(ID)).rejects.toMatchObject({ code: 'ENGINE_UNSUPPORTED' });
  });

  test('has pods on the network of the host', async () => {
    answers.PodSandboxStatus = sandbox({ linux: { namespaces: { options: { network: 'NODE' } } } });
    await serve();
    expect(await runtime.inspect(ID)).toMatchObject({ networkMode: 'host', networks: {} });
  });

  test('has sandboxes that are not ready, and some that are gone', async () => {
    answers.PodSandboxStatus = sandbox({ state: 'SANDBOX_NOTREADY' });
    await serve();
    expect(await runtime.inspect(ID)).toMatchObject({ namespacePath: undefined });
    answers.PodSandboxStatus = { code: 5, details: 'not found' };
    expect(await runtime.inspect(ID)).toBeUndefined();
  });

  test('says in which of its pods all has ended', async () => {
    const container = (podSandboxId: string, state: string) => ({
      id: `${podSandboxId}-${state}`,
      podSandboxId,
      state,
    });
    answers.ListContainers = {
      containers: [
        ...[container('over', 'CONTAINER_EXITED'), container('other', 'CONTAINER_EXITED')],
        ...[container('again', 'CONTAINER_EXITED'), container('again', 'CONTAINER_CREATED')],
        ...[container('runs', 'CONTAINER_RUNNING')],
      ],
    };
    await serve();
    expect(await runtime.ended(['over', 'again', 'runs', 'begins'])).toEqual(new Set(['over']));
  });

  test('is followed by looking: what appears, changes and goes is told', async () => {
    const item = (id: string, state = 'SANDBOX_READY') => ({ id, metadata: METADATA, state });
    answers.ListPodSandbox = { items: [item('a'), item('b')] };
    await serve();
    const told: string[] = [];
    const stop = new AbortController();
    const ended = runtime.follow((id) => {
      told.push(id);
      if (told.length === 2) answers.ListPodSandbox = { items: [item('a', 'SANDBOX_NOTREADY'), item('c')] };
      if (told.length === 5) stop.abort();
    }, stop.signal);
    await ended;
    expect(told).toEqual(['a', 'b', 'a', 'c', 'b']);
  });
});

describe('it is refused with a remedy where', () => {
  const refused = (code: string, says: string) =>
    expect(runtime.require()).rejects.toMatchObject({
      ...{ code, blame: 'machine', remedy: expect.any(String) },
      message: expect.stringContaining(says),
    });

  test('nobody is there', () => refused('ENGINE_MISSING', 'no container runtime answers at'));

  test('it has no CRI', async () => {
    answers.Version = { code: 12, details: 'unknown service runtime.v1.RuntimeService' };
    await serve();
    await refused('ENGINE_TOO_OLD', 'does not have runtime.v1');
  });

  test('it refuses', async () => {
    answers.Version = { code: 13, details: 'out of cheese' };
    await serve();
    await refused('ENGINE_FAILED', 'out of cheese');
  });

  test('what answers is no runtime', async () => {
    answers.ListPodSandbox = { items: [{ id: '' }] };
    await serve();
    await expect(runtime.list()).rejects.toMatchObject({
      ...{
        code: 'ENGINE_FAILED',
        message: expect.stringContaining('is no container runtime: ListPodSandbox'),
      },
    });
  });

  test('it does not answer', async () => {
    answers.Version = undefined;
    await serve();
    await refused('ENGINE_SILENT', 'does not answer within 2 s');
  });

  test('this user may not', () => {
    // Root may use every socket; to others the library says this.
    const details = `No connection established. Last error: Error: connect EACCES ${socket}`;
    const error = Object.assign(new Error(details), { code: 14, details });
    expect(runtimeError(socket, error, 2000)).toMatchObject({
      ...{ code: 'ENGINE_DENIED', blame: 'machine', remedy: 'run it as root, with sudo' },
    });
  });
});

describe('its socket', () => {
  const none = () => Promise.reject(new Error('no CRI'));

  test('is the one that is named', async () => {
    const named = { CONTAINER_RUNTIME_ENDPOINT: 'unix:///run/x.sock' };
    expect(await findSocket(none, named)).toBe('/run/x.sock');
    expect(await findSocket(none, { CONTAINER_RUNTIME_ENDPOINT: '/run/x.sock' })).toBe('/run/x.sock');
    await expect(findSocket(none, { CONTAINER_RUNTIME_ENDPOINT: 'tcp://x:1' })).rejects.toMatchObject({
      code: 'ENGINE_ELSEWHERE',
    });
  });

  test('is the first at which CRI answers', async () => {
    const [absent, docker, k3s] = ['absent', 'docker', 'k3s'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [docker, k3s]) writeFileSync(path, '');
    const answers = (path: string) => (path === k3s ? Promise.resolve() : none());
    expect(await findSocket(answers, {}, [absent, docker, k3s])).toBe(k3s);
    await expect(findSocket(none, {}, [absent, docker])).rejects.toThrow('no CRI');
    await expect(findSocket(none, {}, [absent])).rejects.toMatchObject({ code: 'ENGINE_MISSING' });
  });
});
