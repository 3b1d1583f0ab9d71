import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kernelStartTimeOf } from '../../../agent/kernel/sys/process-table.ts';
import { openIdentity, peerIdOf } from '../../../agent/mesh/trust/identity.ts';
import type { Message } from '../../../agent/messenger/message.ts';
import {
  isPortWanted,
  makePlace,
  messengers,
  noteProcess,
  places,
  readMessage,
  wantPort,
} from '../../../agent/messenger/places.ts';
import { describeMessenger, endMessengers } from '../../../controller/messenger/end-messengers.ts';
import { type Bootstrap, topologyHash } from '../../../proto/bootstrap.ts';
import { until } from '../../support/lab/lab.ts';

const text = 'services: { a: {} }';

let folder: string;
let root: string;
let child: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-places-'));
  root = join(folder, 'messengers');
  child = spawn('sleep', ['60']);
  await once(child, 'spawn');
});
afterEach(() => {
  child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function message(experiment: string, identity?: string): Message {
  const bootstrap: Bootstrap = {
    ...{ experiment, host: 'here', endpoints: [], tickMs: 50, delayBackend: 'auto', seed: 1, logFolder: '/' },
    topology: { file: 'x.yaml', text, hash: topologyHash({ text }) },
    mesh: { listen: [], peers: [], key: 'secret', ...(identity !== undefined && { identity }) },
  };
  const quit = { origin: 'here', incarnation: 1, number: 1, issuedAt: 5, at: 6, text: 'quit' };
  return {
    bootstrap,
    commands: [quit],
    untold: [{ name: 'there', peer: 'P', addresses: [] }],
    startAt: 7,
    until: 8,
  };
}

const runs = (place: string, pid: number, startTime = kernelStartTimeOf(pid)): void =>
  writeFileSync(join(place, 'process.json'), JSON.stringify({ pid, startTime, listens: true }));

test('a messenger has what it tells, and its own copy of the identity, which goes with the experiment', async () => {
  const identity = join(folder, 'identity');
  const peer = peerIdOf(await openIdentity(identity));
  const place = makePlace(message('wan', identity), root);
  rmSync(identity, { recursive: true });
  const read = readMessage(place);
  expect(read).toMatchObject({ commands: [{ text: 'quit' }], untold: [{ name: 'there' }], startAt: 7 });
  expect(peerIdOf(await openIdentity(read.bootstrap.mesh.identity!))).toBe(peer);
  for (const path of [root, place]) expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(place, 'message.json')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(place, 'message.json'), 'utf8')).toContain('secret');
});

test('where the identity can not be copied, nothing is left', () => {
  expect(() => makePlace(message('wan', join(folder, 'none')), root)).toThrow(/identity/);
  expect(existsSync(root)).toBe(false);
});

test('those of one experiment are ended, and nothing of them is left; a number that is given to another process is none', async () => {
  const places = ['wan', 'lan'].map((experiment) => makePlace(message(experiment), root));
  runs(places[0]!, child.pid!);
  runs(places[1]!, process.pid, kernelStartTimeOf(process.pid)! - 100);
  expect(
    messengers(root)
      .map((one) => [one.message.bootstrap.experiment, one.process?.pid])
      .sort(),
  ).toEqual([
    ['lan', undefined],
    ['wan', child.pid],
  ]);
  const gone = once(child, 'exit');
  expect(await endMessengers('wan', root)).toHaveLength(1);
  await gone;
  expect(messengers(root).map(({ message: { bootstrap } }) => bootstrap.experiment)).toEqual(['lan']);
  expect(await endMessengers(undefined, root)).toHaveLength(1);
  expect(existsSync(root)).toBe(false);
});

test('all that are ended includes one whose message another version has written', async () => {
  const place = makePlace(message('wan'), root);
  writeFileSync(join(place, 'message.json'), '{ "other": 1 }');
  runs(place, child.pid!);
  expect(messengers(root)).toEqual([]);
  const gone = once(child, 'exit');
  const [ended] = await endMessengers(undefined, root);
  expect(describeMessenger(ended!)).toContain('of another version');
  await gone;
  expect(places(root)).toEqual([]);
});

test('one that does not end when it is asked is killed', async () => {
  const place = makePlace(message('wan'), root);
  runs(place, child.pid!);
  const gone = once(child, 'exit');
  child.kill('SIGSTOP');
  const isStopped = () => / T \d/.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
  await until(isStopped, 'it is stopped', 20_000);
  await endMessengers('wan', root);
  expect(await gone).toEqual([null, 'SIGKILL']);
  expect(existsSync(place)).toBe(false);
});

test('a port that is wanted stays so, and nobody fails where the place is gone', () => {
  const place = makePlace(message('wan'), root);
  expect(isPortWanted(place)).toBe(false);
  wantPort(place);
  noteProcess(place, false);
  expect(isPortWanted(place)).toBe(true);
  rmSync(place, { recursive: true });
  wantPort(place);
  expect(isPortWanted(place)).toBe(false);
});
