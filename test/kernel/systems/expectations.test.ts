/** The files of examples/expect by `netfold test`: as they are, and with a fault that is worse than what they expect. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunResult } from '../../../controller/expect/result.ts';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import { experimentName, run } from '../../support/lab/lab.ts';
import { provide } from '../../support/systems/systems.ts';

const example = (system: string): string => join(ROOT, 'examples/expect', `${system}.yaml`);
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  await provide('etcd');
  await provide('redis');
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

/** A copy in which the fault lasts longer. */
function worse(system: string, from: string, to: string): string {
  const text = readFileSync(example(system), 'utf8');
  const file = join(folder, `${system}.yaml`);
  writeFileSync(file, text.replace(from, to));
  expect(readFileSync(file, 'utf8')).not.toBe(text);
  return file;
}

/** A busy machine is no faithful one. */
function expectAll(found: Map<string, string>, count: number): void {
  found.delete('verdict faithful');
  for (const [line, outcome] of found) expect(outcome, line).toMatch(/^holds/);
  expect(found.size).toBe(count);
}

it('holds for etcd and Redis, and fails with what was seen where the fault is worse', {
  timeout: 200_000,
}, async () => {
  const [etcd, worseEtcd, redis, worseRedis] = await Promise.all([
    tested(example('etcd')),
    tested(worse('etcd', 'from 12s to 22s partition', 'from 12s to 40s partition')),
    tested(example('redis')),
    tested(worse('redis', 'from 12s to 20s partition', 'from 12s to 42s partition')),
  ]);
  // On a busy machine a write takes longer, and the run is not faithful; a shorter one would be wrong on any.
  expect(etcd.get('number client "a write takes" < 0.06')).toMatch(/^(holds|inconclusive): 0\.\d+ \(of 21 /);
  etcd.delete('number client "a write takes" < 0.06');
  expectAll(etcd, 9);
  // In a run that was not faithful, the application is not blamed.
  expect(worseEtcd.get('log client contains "e1 takes writes again" by 30s')).toMatch(
    /^(fails|inconclusive): it was (not written|written at [34]\d)/,
  );
  expect(worseEtcd.get('reach e1 e2 within 2s after 22s')).toMatch(
    /^(fails|inconclusive): (not until the end|after 1\d\.)/,
  );
  expect(worseEtcd.get('no reach e1 e2 from 13s to 21s')).toMatch(/^holds/);

  expectAll(redis, 12);
  expect(worseRedis.get('after 20s within 2s reach r1 r2')).toMatch(
    /^(fails|inconclusive): not until the end/,
  );
  expect(worseRedis.get('after 20s within 20s log client contains "r1 follows it"')).toMatch(
    /^(fails|inconclusive): it was (not written|written at [456]\d)/,
  );
  expect(worseRedis.get('exit client 0 by 40s')).toMatch(/^(fails|inconclusive): its command runs at 40s/);
  expect(worseRedis.get('after "partition" within 7s log client contains "r1 refuses"')).toMatch(/^holds/);
});
