import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replaceMessengers } from '../../../agent/messenger/leave.ts';
import { type Message, WAITS_MS } from '../../../agent/messenger/message.ts';
import { makePlace, messengers, noteProcess, wantPort } from '../../../agent/messenger/places.ts';
import { endMessengers, messengerLines } from '../../../controller/messenger/end-messengers.ts';
import { type Bootstrap, topologyHash } from '../../../proto/bootstrap.ts';
import { until } from '../../support/lab/lab.ts';

const PROGRAM = join(import.meta.dirname, '../../../controller/cli/main.ts');
const text = 'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 1ms, bandwidth: 1Mbps }]\n';

let root: string;
let port: number;
let child: ChildProcess | undefined;

beforeEach(async () => {
  root = join(mkdtempSync(join(tmpdir(), 'netfold-messenger-')), 'messengers');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as { port: number });
  server.close();
});
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
  rmSync(join(root, '..'), { recursive: true, force: true });
});

/** A process as `leaveMessenger` starts it; its input is that of an agent that ends at once, unless `agentRuns`. */
function leave(waitMs: number, agentRuns = false): string {
  const bootstrap: Bootstrap = {
    ...{
      experiment: 'wan',
      host: 'here',
      endpoints: [],
      tickMs: 50,
      delayBackend: 'auto',
      seed: 1,
      logFolder: '/',
    },
    ...{ partial: true, topology: { file: 'x.yaml', text, hash: topologyHash({ text }) } },
    mesh: { listen: [`/ip4/127.0.0.1/tcp/${port}`], peers: [] },
  };
  const quit = { origin: 'here', incarnation: 1, number: 1, issuedAt: 5, at: 6, text: 'quit' };
  const message: Message = {
    ...{ bootstrap, commands: [quit], untold: [{ name: 'there', peer: 'P', addresses: [] }] },
    ...{ startAt: Date.now() - 60_000, until: Date.now() + waitMs },
  };
  const place = makePlace(message, root);
  child = spawn(process.execPath, [...process.execArgv, PROGRAM, 'messenger', place], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  noteProcess(place, false, child.pid!);
  if (!agentRuns) child.stdin!.end();
  return place;
}

const listens = () => messengers(root)[0]?.process?.listens;

async function isTaken(): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answer = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return answer;
}

test('a messenger waits for so long and no longer, and leaves nothing', { timeout: 120_000 }, async () => {
  const place = leave(3000);
  expect(await once(child!, 'exit')).toEqual([0, null]);
  expect(existsSync(place)).toBe(false);
  expect(existsSync(root)).toBe(false);
});

test('it says for whom it waits, lets another agent have its port, and ends when it is asked', {
  timeout: 120_000,
}, async () => {
  const place = leave(WAITS_MS);
  await until(() => listens() === true, 'it is about to listen', 60_000);
  await until(isTaken, 'it listens', 60_000);
  expect(messengerLines(messengers(root)).join()).toMatch(
    /^wan has ended; a messenger for here waits until \S+ to tell there \(netfold down wan --everywhere/,
  );
  wantPort(place);
  await until(() => listens() === false, 'it gives its port away', 60_000);
  expect(await isTaken()).toBe(false);
  expect(child!.exitCode).toBeNull();
  const exit = once(child!, 'exit');
  await endMessengers('wan', root);
  expect((await exit)[0]).toBe(0);
  expect(existsSync(root)).toBe(false);
});

test('it ends before its agent has, if it is asked', { timeout: 120_000 }, async () => {
  const place = leave(WAITS_MS, true);
  const exit = once(child!, 'exit');
  await endMessengers('wan', root);
  await exit;
  expect(existsSync(place)).toBe(false);
});

test('it ends when its experiment is started anew on its machine, and for no other one', {
  timeout: 120_000,
}, async () => {
  leave(WAITS_MS);
  await until(isTaken, 'it listens', 60_000);
  await replaceMessengers('other', root);
  expect(messengers(root)).toHaveLength(1);
  const exit = once(child!, 'exit');
  await replaceMessengers('wan', root);
  expect(existsSync(root)).toBe(false);
  expect((await exit)[0]).toBe(0);
});
