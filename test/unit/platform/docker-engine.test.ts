/** Engines that netfold does not work with, and that a machine of tests does not have: their answers, over a real socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine } from '../../../controller/platform/docker/engine.ts';
import { engineSocket } from '../../../controller/platform/docker/engine-socket.ts';
import { engineError } from '../../../controller/platform/docker/errors.ts';

let folder: string;
let socket: string;
let server: Server;
/** Path → JSON, or what answers. */
let answers: Record<string, object | string | ((response: ServerResponse) => void)>;

const DOCKER = { Version: '20.10.24', ApiVersion: '1.41', Components: [{ Name: 'Engine' }] };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-engine-'));
  socket = join(folder, 'docker.sock');
  answers = { '/version': DOCKER, '/info': { SecurityOptions: ['name=seccomp,profile=default'] } };
  server = createServer(({ url = '' }, response) => {
    const answer = answers[url.split('?')[0]!];
    if (typeof answer === 'function') answer(response);
    else if (answer === undefined) response.writeHead(404).end('{"message":"no such container"}');
    else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const refused = (code: string, says: string | RegExp) =>
  expect(new Engine(socket, 200).require()).rejects.toMatchObject({
    ...{ code, blame: 'machine', remedy: expect.any(String) },
    message: expect.stringMatching(says),
  });

test('an engine of this machine is taken', async () => {
  await expect(new Engine(socket).require()).resolves.toBeUndefined();
});

describe('it is refused with a remedy where', () => {
  test('it is Podman', async () => {
    answers['/version'] = { ...DOCKER, Components: [{ Name: 'Podman Engine' }] };
    await refused('ENGINE_UNSUPPORTED', 'is Podman');
  });

  test.each(['1.40', '1.9', '0.99'])('its API is %s', async (ApiVersion) => {
    answers['/version'] = { ...DOCKER, ApiVersion };
    await refused('ENGINE_TOO_OLD', `with version ${ApiVersion} of the API; netfold needs 1.41`);
  });

  test.each(['1.41', '1.100', '2.0'])('but not where it is %s', async (ApiVersion) => {
    answers['/version'] = { ...DOCKER, ApiVersion };
    await expect(new Engine(socket).require()).resolves.toBeUndefined();
  });

  test('it is rootless', async () => {
    answers['/info'] = { SecurityOptions: ['name=seccomp', 'name=rootless'] };
    await refused('ENGINE_UNSUPPORTED', 'without root');
  });

  test('it does not answer', async () => {
    answers['/version'] = () => {};
    await refused('ENGINE_SILENT', 'does not answer within 0.2 s');
  });

  test('it is no engine', async () => {
    answers['/version'] = '<html>';
    await refused('ENGINE_FAILED', 'is no Docker engine');
  });

  test('it answers with an error', async () => {
    answers['/version'] = (response) => void response.writeHead(500).end('{"message":"out of cheese"}');
    await refused('ENGINE_FAILED', 'out of cheese');
  });

  test('nobody is there', async () => {
    socket = join(folder, 'nobody.sock');
    await refused('ENGINE_MISSING', 'no engine answers at');
  });

  // Root may use every socket.
  test.each(['EACCES', 'EPERM'])('this user may not: %s', (errno) => {
    expect(engineError(socket, new Error(`connect ${errno}`), errno)).toMatchObject({
      ...{ code: 'ENGINE_DENIED', blame: 'machine', remedy: 'run it as root, with sudo' },
    });
  });
});

test('containers are listed by their own names', async () => {
  answers['/containers/json'] = [
    { Id: 'a'.repeat(64), Names: ['/web/db', '/db'], Labels: null, State: 'running' },
    { Id: 'b'.repeat(64), Names: null, Labels: { app: 'web' }, State: 'exited' },
  ];
  expect(await new Engine(socket).list()).toEqual([
    { id: 'a'.repeat(64), name: 'db', labels: {}, state: 'running' },
    { id: 'b'.repeat(64), name: 'b'.repeat(12), labels: { app: 'web' }, state: 'exited' },
  ]);
});

test('a container that is gone is none, and one that has ended has no process', async () => {
  expect(await new Engine(socket).inspect('gone')).toBeUndefined();
  answers['/containers/x/json'] = {
    ...{ Id: 'x', Name: '/web', State: { Running: false, Pid: 77 }, HostConfig: { NetworkMode: 'net' } },
    NetworkSettings: { Networks: { net: { IPAddress: '10.0.0.2', GlobalIPv6Address: '' }, other: {} } },
  };
  expect(await new Engine(socket).inspect('x')).toEqual({
    ...{ id: 'x', name: 'web', namespacePath: undefined, networkMode: 'net' },
    networks: { net: ['10.0.0.2'], other: [] },
  });
});

test('news is about containers, also that of networks; what is no news is passed over', async () => {
  const lines = [
    { Type: 'container', Action: 'start', Actor: { ID: 'one' } },
    { Type: 'network', Action: 'connect', Actor: { ID: 'net', Attributes: { container: 'two' } } },
    { Type: 'network', Action: 'create', Actor: { ID: 'net' } },
    { nonsense: 1 },
  ];
  answers['/events'] = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{`;
  const told: string[] = [];
  await new Engine(socket).follow((id) => told.push(id), new AbortController().signal);
  expect(told).toEqual(['one', 'two']);
});

const START = `${JSON.stringify({ Type: 'container', Action: 'start', Actor: { ID: 'one' } })}\n`;

test('the news end when nobody wants it any more', async () => {
  answers['/events'] = (response) => void response.write(START);
  const stop = new AbortController();
  await new Engine(socket).follow(() => stop.abort(), stop.signal);
  await new Engine(socket).follow(() => {}, stop.signal);
});

test('and when the engine breaks off', async () => {
  answers['/events'] = (response) => void response.write(START);
  const told: string[] = [];
  await new Engine(socket).follow((id) => {
    told.push(id);
    server.closeAllConnections();
  }, new AbortController().signal);
  expect(told).toEqual(['one']);
});

test.each([
  [undefined, '/var/run/docker.sock'],
  ['', '/var/run/docker.sock'],
  ['unix://', '/var/run/docker.sock'],
  ['unix:///run/user/docker.sock', '/run/user/docker.sock'],
])('DOCKER_HOST=%s is %s', (host, path) => {
  expect(engineSocket(host === undefined ? {} : { DOCKER_HOST: host })).toBe(path);
});

test.each(['tcp://192.0.2.1:2375', 'ssh://root@there'])('DOCKER_HOST=%s is elsewhere', (host) => {
  expect(() => engineSocket({ DOCKER_HOST: host })).toThrow(
    expect.objectContaining({ code: 'ENGINE_ELSEWHERE' }),
  );
});
