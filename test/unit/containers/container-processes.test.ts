/** Applications that are containers, with an engine of the test's own that answers over HTTP. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { ContainerProcesses } from '../../../agent/containers/container-processes.ts';
import { OWN_CONTAINER } from '../../../agent/containers/own-container.ts';
import type { CommandEnd } from '../../../agent/endpoints/processes.ts';

const endpoint = {
  ...{ number: 0, name: 'web.0', namespace: '/run/netns/none', ifname: 'eth0', ifindex: 2 },
  addresses: ['10.1.0.2'],
};

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const json =
  (value: unknown, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(value === undefined ? '' : JSON.stringify(value));
  };

const frame = (text: string): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
};

let folder: string;
let server: Server;
let asked: string[];
let answers: Map<string, Answer>;
let begun: Set<string>;
let processes: ContainerProcesses;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  asked = [];
  begun = new Set();
  answers = new Map<string, Answer>([
    ['POST /containers/c/start', json(undefined, 204)],
    [
      'GET /containers/c/logs',
      (response) => response.end(Buffer.concat([frame('hello\n'), frame('again\n')])),
    ],
  ]);
  const socket = join(folder, 'engine.sock');
  server = createServer((request, response) => {
    const what = `${request.method} ${request.url!.split('?')[0]}`;
    asked.push(`${request.method} ${request.url!.replace(/&since=[\d.]+/, '')}`);
    const answer = answers.get(what) ?? json({ message: `nothing for ${what}` }, 404);
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  processes = new ContainerProcesses({
    ...SYSTEM_TIME,
    containers: { socket, names: { 'web.0': 'c' } },
    logFolder: join(folder, 'logs'),
    hasBegun: (name) => begun.has(name),
    destroySockets: (namespace) => {
      asked.push(`destroy ${namespace}`);
    },
  });
});

afterEach(async () => {
  await processes.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const start = (command = OWN_CONTAINER) => processes.start({ endpoint, command, settings: {} });
const endOf = (run: { onEnd(listener: (end: CommandEnd) => void): void }): Promise<CommandEnd> =>
  new Promise((resolve) => run.onEnd(resolve));

/** The answer to `wait` is given by the test. */
function waiting(): { end(code: number): void } {
  const open: ServerResponse[] = [];
  let code: number | undefined;
  answers.set('POST /containers/c/wait', (response) => {
    if (code === undefined) open.push(response);
    else json({ StatusCode: code })(response, {} as IncomingMessage);
  });
  return {
    end: (its) => {
      code = its;
      for (const response of open) json({ StatusCode: its })(response, {} as IncomingMessage);
    },
  };
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('the container of an endpoint', () => {
  it.each([
    [0, false],
    [3, true],
  ])('is started, and ends with %d', async (code, isFailure) => {
    const life = waiting();
    const run = start();
    expect(processes.status()).toEqual({ 'web.0': 'is being started' });
    await until(() => asked.includes('POST /containers/c/wait'));
    expect(processes.status()).toEqual({ 'web.0': 'container c' });
    life.end(code);
    expect(await endOf(run)).toEqual({ how: `exited with ${code}`, isFailure });
    expect(processes.status()).toEqual({ 'web.0': `exited with ${code}` });
  });

  it('has its output kept where that of others is', async () => {
    waiting();
    start();
    const file = join(folder, 'logs', 'web.0.log');
    await until(() => asked.some((one) => one.includes('/logs')));
    await until(() => existsSync(file) && readFileSync(file, 'utf8') === 'hello\nagain\n');
  });

  it('that can not be started has failed, with what the engine says', async () => {
    answers.set('POST /containers/c/start', json({ message: 'no such file' }, 500));
    expect(await endOf(start())).toEqual({ how: 'failed: no such file', isFailure: true });
  });

  it('is killed at once in a crash, and is gone then', async () => {
    const life = waiting();
    answers.set('POST /containers/c/kill', (response, request) => {
      life.end(137);
      json(undefined, 204)(response, request);
    });
    start();
    await until(() => asked.includes('POST /containers/c/wait'));
    expect(await processes.kill(endpoint)).toBeUndefined();
    expect(asked.slice(-2)).toEqual(['POST /containers/c/kill?signal=SIGKILL', 'destroy /run/netns/none']);
    expect(processes.status()).toEqual({ 'web.0': 'exited with 137' });
  });

  it('is asked to end in a leave', async () => {
    const life = waiting();
    answers.set('POST /containers/c/stop', (response, request) => {
      life.end(0);
      json(undefined, 204)(response, request);
    });
    start();
    await until(() => asked.includes('POST /containers/c/wait'));
    expect(await processes.end(endpoint)).toBeUndefined();
    expect(asked).toContain('POST /containers/c/stop?t=2');
  });

  it('that crashes while it starts is killed after its start, not before', async () => {
    waiting();
    let goOn = (): void => {};
    answers.set('POST /containers/c/start', (response, request) => {
      goOn = () => json(undefined, 204)(response, request);
    });
    answers.set('POST /containers/c/kill', json(undefined, 204));
    start();
    await until(() => asked.includes('POST /containers/c/start'));
    void processes.kill(endpoint);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked).not.toContain('POST /containers/c/kill?signal=SIGKILL');
    goOn();
    await until(() => asked.includes('POST /containers/c/kill?signal=SIGKILL'));
  });

  it('gets signals while it runs, and none later', async () => {
    const life = waiting();
    answers.set('POST /containers/c/kill', json(undefined, 204));
    const run = start();
    await until(() => asked.includes('POST /containers/c/wait'));
    processes.signal('web.0', 'SIGHUP');
    await until(() => asked.includes('POST /containers/c/kill?signal=SIGHUP'));
    life.end(0);
    await endOf(run);
    run.signal('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).not.toContain('POST /containers/c/kill?signal=SIGKILL');
  });

  it('is adopted by the next agent if it runs, and known to have ended if not', async () => {
    expect(processes.adopt(new Set(['web.0'])).size).toBe(0);
    begun.add('web.0');
    waiting();
    answers.set('GET /containers/c/json', json({ State: { Running: true, ExitCode: 0 } }));
    const [run] = processes.adopt(new Set(['web.0'])).get('web.0')!;
    expect(run).toMatchObject({ pid: undefined, startTime: undefined });
    await until(() => asked.includes('POST /containers/c/wait'));
    expect(asked).not.toContain('POST /containers/c/start');
  });

  it('that has ended without an agent is a failure', async () => {
    begun.add('web.0');
    answers.set('GET /containers/c/json', json({ State: { Running: false, ExitCode: 2 } }));
    const [run] = processes.adopt(new Set(['web.0'])).get('web.0')!;
    expect(await endOf(run!)).toEqual({ how: 'failed: ended with 2 while no agent ran', isFailure: true });
  });
});

describe('a further command', () => {
  beforeEach(() => {
    answers.set('POST /containers/c/exec', json({ Id: 'x' }, 201));
    answers.set('POST /exec/x/start', (response) => response.end(frame('done\n')));
    answers.set('GET /exec/x/json', json({ ExitCode: 4 }));
  });

  it('runs in the container, by its shell', async () => {
    expect(await endOf(start('ls -l'))).toEqual({ how: 'exited with 4', isFailure: true });
    expect(readFileSync(join(folder, 'logs', 'web.0.log'), 'utf8')).toBe('done\n');
  });

  it('says whether a service is ready', async () => {
    expect(await processes.succeeds({ endpoint, command: 'true', settings: {} })).toBe(false);
    answers.set('GET /exec/x/json', json({ ExitCode: 0 }));
    expect(await processes.succeeds({ endpoint, command: 'true', settings: {} })).toBe(true);
    answers.delete('POST /containers/c/exec');
    expect(await processes.succeeds({ endpoint, command: 'true', settings: {} })).toBe(false);
  });
});
