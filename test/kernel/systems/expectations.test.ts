/** examples/expect/etcd.yaml by `netfold test`: as it is, and with a fault that is worse than what the file expects. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunResult } from '../../../controller/expect/result.ts';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import { experimentName, run } from '../../support/lab/lab.ts';
import { provide } from '../../support/systems/systems.ts';

const EXAMPLE = join(ROOT, 'examples/expect/etcd.yaml');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  return provide('etcd');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function tested(file: string): Promise<Map<string, string>> {
  const where = ['--name', experimentName(), '--json'];
  const { out, err, code } = await run(join(ROOT, 'bin/netfold'), ['test', file, ...where]);
  if (![0, 1, 4].includes(code)) throw new Error(err);
  const { results } = JSON.parse(out) as { results: RunResult[] };
  return new Map(
    results[0]!.judgements.map(({ expectation, outcome, seen }) => [expectation.line, `${outcome}: ${seen}`]),
  );
}

it('holds for etcd, and fails with what was seen where the fault is worse', {
  timeout: 150_000,
}, async () => {
  const worse = join(folder, 'worse.yaml');
  const text = readFileSync(EXAMPLE, 'utf8');
  writeFileSync(worse, text.replace('from 12s to 22s partition', 'from 12s to 40s partition'));
  expect(readFileSync(worse, 'utf8')).not.toBe(text);
  const [good, bad] = await Promise.all([tested(EXAMPLE), tested(worse)]);
  // A busy machine is no faithful one.
  good.delete('verdict faithful');
  for (const [line, found] of good) expect(found, line).toMatch(/^holds/);
  expect(good.size).toBe(8);
  // In a run that was not faithful, the application is not blamed.
  expect(bad.get('log client contains "e1 takes writes again" by 30s')).toMatch(
    /^(fails|inconclusive): it was not written/,
  );
  expect(bad.get('reach e1 e2 within 2s after 22s')).toMatch(
    /^(fails|inconclusive): (not until the end|after 1\d\.)/,
  );
  expect(bad.get('no reach e1 e2 from 13s to 21s')).toMatch(/^holds/);
});
