import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-generate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the first line of a file is the command that makes it again', async () => {
  const file = join(folder, 'ring.yaml');
  const options = ['--nodes', '5', '--seed', '9', '--latency', '2ms .. 3ms', '--traffic', 'ping'];
  expect((await netfold('generate', 'ring', ...options, '-o', file)).code).toBe(0);
  const text = readFileSync(file, 'utf8');
  const [first] = text.split('\n');
  expect(first).toBe('# netfold generate ring --nodes 5 --seed 9 --latency 2ms..3ms --traffic ping');
  const again = await netfold(...first!.split(' ').slice(2));
  expect(again).toMatchObject({ code: 0, stdout: text });
  expect((await netfold('check', file)).stdout).toContain(
    'ring-5 is valid: 5 services, 5 endpoints, 5 bridges, 10 links',
  );
});

test.each([
  [['dumbbell', '--nodes', '7'], 2, 'use 6 or 8'],
  [['ring'], 2, '--nodes'],
  [['ring', '--nodes', 'many'], 2, 'whole number'],
  [['ring', '--nodes', '5', '--pods', '4'], 2, 'unknown option'],
  [['ring', '--nodes', '5', '--latency', '5'], 1, 'has no unit'],
  [['ring', '--nodes', '5', '-o', '/no/such/folder/a.yaml'], 1, "can't be written"],
])('%s is refused', async (words, code, message) => {
  const result = await netfold('generate', ...words);
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(message);
});
