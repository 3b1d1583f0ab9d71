/** What waited in the queue runs as `netfold up` does, and its record says where it comes from. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readDescription } from '../../../controller/record/description.ts';
import { findRecord } from '../../../controller/record/folders.ts';
import { netfold } from '../../support/lab/cli.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const NAME = `queued-${process.pid}`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-queue-'));
  process.env.NETFOLD_QUEUE = join(folder, 'queue');
});
afterAll(() => {
  delete process.env.NETFOLD_QUEUE;
  rmSync(folder, { recursive: true, force: true });
});

it('with its variables, its number, and who submitted it', async () => {
  const file = join(folder, 'lab.yaml');
  writeFileSync(
    file,
    'vars: { delay: 1ms }\nservices: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: "${delay}" }]\n',
  );
  const submitted = await netfold(
    ...['queue', 'submit', file, '--name', NAME, '--duration', '1s', '--set', 'delay=7ms', '--json'],
  );
  expectSuccess(submitted);
  const { by, submittedAt } = JSON.parse(submitted.stdout);
  expect(by).not.toBe('');
  await netfold('queue', 'run', '--until-empty');
  const shown = await netfold('queue', 'show', '1');
  expect(shown.stdout).toContain(`by ${by}`);
  // A busy machine may have made the run unfaithful; it was recorded.
  const { origin, topology } = readDescription(findRecord(NAME));
  expect(origin).toEqual({
    parameters: { delay: '7ms' },
    queue: { number: 1, by, submittedAt, cwd: process.cwd() },
  });
  expect(topology.file).toBe(file);
});
