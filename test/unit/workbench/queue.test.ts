/** The queue without experiments: order, room, and what runners and users do at once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { holderOf } from '../../../controller/machine/holder.ts';
import { readOrigin } from '../../../controller/record/description.ts';
import { type RunnerPorts, runQueue } from '../../../controller/workbench/queue/runner.ts';
import {
  claim,
  entries,
  entryOf,
  inOrder,
  noteProcess,
  type Submission,
  submit,
} from '../../../controller/workbench/queue/store.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-queue-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (name: string, more: Partial<Submission> = {}) =>
  submit(
    {
      ...{ file: 'lab.yaml', text: 'services: { a: {} }\n', ending: '.yaml', name, isNumbered: false },
      ...{ cwd: '/', by: 'ann', hosts: 1, priority: 0, endpoints: 2, applications: 0, ...more },
    },
    root,
  );
const states = () => entries(root).map(({ name, state }) => `${name} ${state}`);

interface Machine extends RunnerPorts {
  readonly log: string[];
  /** Ends the experiment with a code. */
  readonly end: (name: string, code?: number) => void;
}

/** With room for so many endpoints. */
function machine(room: number): Machine {
  const log: string[] = [];
  const running = new Map<string, { endpoints: number; end: (code: number) => void }>();
  const used = (): number => [...running.values()].reduce((sum, { endpoints }) => sum + endpoints, 0);
  return {
    log,
    end: (name, code = 0) => running.get(name)!.end(code),
    fits: () => ({ endpoints: room - used(), boundedBy: 'memory' }),
    start: ({ name, endpoints }) => {
      log.push(name);
      const { promise, resolve } = Promise.withResolvers<number>();
      const end = (code: number): void => {
        running.delete(name);
        resolve(code);
      };
      running.set(name, { endpoints, end });
      return { process: holderOf(process.pid), ended: promise };
    },
    follow: async () => void log.push('followed'),
    clear: async (name) => void log.push(`cleared ${name}`),
    settled: async () => {},
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
    tell: () => {},
  };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

it('is in order of priority, then of submission', () => {
  put('a');
  put('b', { priority: 5 });
  put('c', { priority: 5 });
  put('d', { priority: -1 });
  expect(inOrder(entries(root)).map(({ name }) => name)).toEqual(['b', 'c', 'a', 'd']);
  expect(put('lab', { isNumbered: true }).name).toBe('lab-q5');
});

it('keeps for its record what it was made from, and who submitted it', () => {
  put('plain');
  const made = { template: { name: 'lab', version: 'ab12' }, parameters: { delay: '5ms' } };
  const { id, origin, submittedAt } = put('lab', { origin: made });
  expect(readOrigin(origin)).toEqual({ ...made, queue: { number: 2, by: 'ann', submittedAt, cwd: '/' } });
  expect(entryOf(id, root).by).toBe('ann');
  expect(readOrigin(entryOf(1, root).origin)).toEqual({ queue: expect.objectContaining({ number: 1 }) });
  writeFileSync(origin, '{"queue":7}');
  expect(() => readOrigin(origin)).toThrow('does not say where a topology comes from');
});

it('starts what has room, and never a small one before a large one that waits', async () => {
  put('first', { endpoints: 6 });
  put('large', { endpoints: 8 });
  put('small', { endpoints: 1 });
  const ports = machine(10);
  const done = runQueue({ most: 9, untilEmpty: true }, ports, new AbortController().signal, root);
  await turns();
  expect(ports.log).toEqual(['first']);
  expect(states()).toEqual(['first running', 'large waiting', 'small waiting']);
  ports.end('first');
  await turns();
  expect(ports.log).toEqual(['first', 'large', 'small']);
  ports.end('small', 4);
  ports.end('large');
  await done;
  expect(states()).toEqual(['first done', 'large done', 'small failed']);
  expect(entryOf(3, root).end).toMatchObject({ exitCode: 4, reason: 'netfold up has ended with 4' });
});

it('runs no more at once than asked, and what is cancelled never', async () => {
  for (const name of ['a', 'b', 'c']) put(name);
  expect(claim(entryOf(2, root), 'cancel')).toBe(true);
  expect(claim(entryOf(2, root), 'run')).toBe(false);
  const ports = machine(100);
  const done = runQueue({ most: 1, untilEmpty: true }, ports, new AbortController().signal, root);
  await turns();
  expect(ports.log).toEqual(['a']);
  ports.end('a');
  await turns();
  ports.end('c');
  await done;
  expect(states()).toEqual(['a done', 'b cancelled', 'c done']);
});

it('goes on after its runner was killed', async () => {
  const [living, dead] = [put('living'), put('dead')];
  for (const one of [living, dead]) claim(one, 'run');
  noteProcess(living, holderOf(process.pid));
  noteProcess(dead, { pid: 1, startTime: 1 });
  expect(states()).toEqual(['living running', 'dead running']);
  const ports = machine(100);
  await runQueue({ most: 1, untilEmpty: true }, ports, new AbortController().signal, root);
  expect(ports.log.sort()).toEqual(['cleared dead', 'followed']);
  expect(entries(root).map(({ end }) => end?.reason)).toEqual([
    expect.stringContaining('how it ended is in its log'),
    'it was killed with its runner',
  ]);
});

it('ends when it is asked to, and what runs goes on', async () => {
  put('a');
  const ending = new AbortController();
  const ports = machine(100);
  const done = runQueue({ most: 1, untilEmpty: false }, ports, ending.signal, root);
  await turns();
  ending.abort();
  await done;
  expect(states()).toEqual(['a running']);
});
