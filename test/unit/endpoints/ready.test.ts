/** `ready` and `after`: who waits for whom, on which host, and what status says. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogText } from '../../../agent/endpoints/readiness.ts';
import { cutFileOf } from '../../../agent/files/log-cut.ts';
import { AgentLab, endpoint, type LabAgent } from '../../support/fakes/agent-lab.ts';

const TOPOLOGY = `
services:
  db: { run: "base", replicas: 2, ready: { port: 80, timeout: 5s }, restart: on-failure }
  cache: { run: "keep", ready: { log: "is up" } }
  idle: {}
  job: { run: "work", ready: { command: "check" } }
  plain: { run: "simple" }
  web: { run: "serve", after: [db, cache, idle] }
  last: { run: "end", after: [plain, job] }
bridges: [s]
links:
  - { from: db, to: s, latency: 10ms }
  - { from: cache, to: s, latency: 10ms }
  - { from: idle, to: s, latency: 10ms }
  - { from: job, to: s, latency: 10ms }
  - { from: plain, to: s, latency: 10ms }
  - { from: web, to: s, latency: 10ms }
  - { from: last, to: s, latency: 10ms }
events:
  - at 30s crash db.1
  - at 40s join db.1
  - at 50s crash web
  - at 51s join web
`;
const NAMES = ['cache.0', 'db.0', 'db.1', 'idle.0', 'job.0', 'last.0', 'plain.0', 'web.0'];
const at = (name: string) => endpoint(NAMES.indexOf(name), name, `10.1.0.${NAMES.indexOf(name) + 1}`);
const HERE = ['db.0', 'web.0', 'last.0', 'cache.0'].map(at);
const THERE = ['db.1', 'idle.0', 'job.0', 'plain.0'].map(at);
const SETTLED_MS = 3000;

let lab: AgentLab;
let here: LabAgent;
let there: LabAgent;

beforeEach(async () => {
  lab = new AgentLab(TOPOLOGY);
  here = await lab.start('here', HERE);
  there = await lab.start('there', THERE);
  await lab.clock.advance(SETTLED_MS);
  lab.runAll(0);
  await lab.clock.advance(300);
});

afterEach(() => lab.stop());

const status = (name: string): string | undefined =>
  ({ ...here.door.status().processes, ...there.door.status().processes })[name];
const started = (command: string): number =>
  [...here.processes.done, ...there.processes.done].filter((line) => line.endsWith(`: ${command}`)).length;
const log = (name: string, text: string): void =>
  appendFileSync(join(here.parts.bootstrap.logFolder, `${name}.log`), text);
const pass = (ms = 1000): Promise<void> => lab.clock.advance(ms);
const allReady = async (): Promise<void> => {
  here.probes.good.add('db.0:80');
  there.probes.good.add('db.1:80');
  log('cache.0', 'it is up\n');
  await pass();
};

test('a service starts when all that it waits for are ready, also those of another host', async () => {
  expect(started('serve')).toBe(0);
  expect(status('web.0')).toBe('waits for db, cache');
  here.probes.good.add('db.0:80');
  log('cache.0', 'it is');
  await pass();
  expect(status('web.0')).toBe('waits for db, cache');
  expect([status('db.0'), status('db.1')]).toEqual(['pid 1, ready', 'pid 1, not ready yet']);
  there.probes.good.add('db.1:80');
  await pass();
  expect(status('web.0')).toBe('waits for cache');
  log('cache.0', ' up\n');
  await pass();
  expect(status('cache.0')).toBe('pid 1, ready');
  expect([started('serve'), status('web.0')]).toEqual([1, 'pid 1']);
});

test('without a check it is ready when it has started; a command is asked until it succeeds', async () => {
  expect(status('last.0')).toBe('waits for job');
  there.probes.good.add('job.0 check');
  await pass();
  expect([started('end'), status('job.0')]).toEqual([1, 'pid 1, ready']);
  // Nothing is asked any more.
  const { asked } = there.probes;
  there.probes.good.add('db.1:80');
  await pass();
  await pass();
  expect(there.probes.asked).toBeLessThan(asked + 6);
});

test('what is not ready in time is told, and may become ready later', async () => {
  await pass(5000);
  expect(status('db.0')).toBe('pid 1, not ready after 5s');
  expect(status('web.0')).toBe('waits for db, cache');
  await allReady();
  expect(status('db.0')).toBe('pid 1, ready');
  expect(started('serve')).toBe(1);
});

test('one that is started again is ready when it is so again; those that have begun go on', async () => {
  await allReady();
  here.probes.good.clear();
  here.processes.exit('db.0', 1);
  await pass(500);
  expect(status('db.0')).toMatch(/^pid 1, not ready yet, started again 1 time/);
  expect(status('web.0')).toBe('pid 1');
  here.probes.good.add('db.0:80');
  await pass();
  expect(status('db.0')).toMatch(/^pid 1, ready, started again 1 time/);
});

test('one that is away is not waited for; a new life waits again', async () => {
  here.probes.good.add('db.0:80');
  log('cache.0', 'is up');
  await pass(28_000);
  expect(status('web.0')).toBe('waits for db');
  await pass(3000);
  expect(started('serve')).toBe(1);
  // db.1 is there again, and not ready.
  await pass(21_000);
  expect(status('web.0')).toBe('waits for db');
  expect(started('serve')).toBe(1);
  there.probes.good.add('db.1:80');
  await pass();
  expect(started('serve')).toBe(2);
});

test('nothing is started by who waits when the agent stops', async () => {
  await here.lifecycle.stop();
  await allReady();
  await pass(5000);
  expect(started('serve')).toBe(0);
});

describe('the agent after a killed one', () => {
  const succeed = async (): Promise<void> => {
    here.kill();
    const next = await lab.compose('here', HERE, { startAt: lab.clock.wallNow() - 500 });
    const run = { pid: 1, startTime: 1, signal: () => {}, onEnd: () => {} };
    next.processes.earlier = new Map(HERE.map(({ name }) => [name, [run]]));
    await next.lifecycle.start();
    here = next;
    await pass(SETTLED_MS);
  };

  test('goes on waiting', async () => {
    await succeed();
    expect(status('web.0')).toBe('waits for db, cache');
    await allReady();
    await pass();
    expect(started('serve')).toBe(1);
  });

  test('does not wait for what has begun', async () => {
    await allReady();
    await succeed();
    expect(here.processes.done).toEqual([]);
    expect(status('web.0')).toBeUndefined();
  });
});

describe('a text in a log', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'netfold-text-'));
    file = join(folder, 'a.log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('counts from where its command began, in however many pieces it comes', () => {
    writeFileSync(file, 'ready ');
    const text = new LogText(file, 'ready', 6);
    expect(text.isThere()).toBe(false);
    for (const piece of ['r', 'ea', 'd']) {
      appendFileSync(file, piece);
      expect(text.isThere()).toBe(false);
    }
    appendFileSync(file, 'y\n');
    expect(text.isThere()).toBe(true);
  });

  test('is found after a cut, and not across it', () => {
    writeFileSync(file, 'rea');
    const text = new LogText(file, 'ready', 0);
    expect(text.isThere()).toBe(false);
    writeFileSync(file, `rea${'\0'.repeat(10)}dy and ready`);
    writeFileSync(cutFileOf(file), '13\n');
    expect(text.isThere()).toBe(true);
    const across = new LogText(file, 'eady and', 0);
    expect(across.isThere()).toBe(false);
  });

  test('may begin anew, and need not be there yet', () => {
    const text = new LogText(file, 'ready', 0);
    expect(() => text.isThere()).toThrow('ENOENT');
    writeFileSync(file, 'a long line\n');
    expect(text.isThere()).toBe(false);
    writeFileSync(file, 'ready');
    expect(text.isThere()).toBe(true);
  });
});
