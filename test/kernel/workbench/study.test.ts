/** A study with real labs: killed in the middle, and gone on with. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-study-'));
});
afterAll(async () => {
  // What a failed test has left.
  const left = (JSON.parse((await netfold('ls', '--json')).stdout) as { name: string }[]).map(
    ({ name }) => name,
  );
  for (const name of left.filter((one) => one.startsWith('pings-'))) await netfold('down', name);
  rmSync(folder, { recursive: true, force: true });
});

const runsIn = (results: string): unknown[] =>
  existsSync(join(results, 'runs.ndjson'))
    ? readFileSync(join(results, 'runs.ndjson'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"kind":"run"'))
    : [];

it('goes on after kill -9, and its results are those of the topology', async () => {
  writeFileSync(
    join(folder, 'lab.yaml'),
    'vars: { delay: 1ms }\nservices: { a: { run: "exec ping -c 3 -i 0.2 b" }, b: {} }\nlinks:\n  - { from: a, to: b, latency: "${delay}" }\n',
  );
  const file = join(folder, 'pings.yaml');
  const text = `study: pings
topology: lab.yaml
parameters: { delay: [10ms, 40ms] }
results:
  rtt: { log: a, pattern: '^rtt min/avg/max/mdev = ([\\d.]+)', unit: ms }
  lost: { log: a, pattern: '([\\d.]+)% packet loss', unit: '%' }
`;
  writeFileSync(file, text);
  const results = join(folder, 'pings.results');
  const words = ['study', file, '--jobs', '1', '--tries', '3'];
  const killed = spawn(join(import.meta.dirname, '../../../bin/netfold'), words, { stdio: 'ignore' });
  const gone = once(killed, 'exit');
  // The first run has ended, and the second one is about to be made.
  while (runsIn(results).length === 0 && killed.exitCode === null) await sleep(50);
  killed.kill('SIGKILL');
  await gone;
  expect(existsSync(join(results, 'lock.json'))).toBe(true);

  const { code, stdout, stderr } = await netfold(...words, '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout)).toMatchObject({ ok: 2, failed: 0, unfaithful: 0 });
  const { points } = JSON.parse(readFileSync(join(results, 'results.json'), 'utf8'));
  expect(points.map(({ runs, ok }: { runs: number; ok: number }) => [runs, ok])).toEqual([
    [1, 1],
    [1, 1],
  ]);
  // There and back, the fastest of three; a busy machine is late.
  for (const [place, rtt] of [20, 80].entries()) {
    expect(points[place].results.rtt.mean).toBeGreaterThan(rtt - 1);
    expect(points[place].results.rtt.mean).toBeLessThan(rtt + 55);
    expect(points[place].results.lost.mean).toBe(0);
  }
  const running = JSON.parse((await netfold('ls', '--json')).stdout) as { name: string }[];
  expect(running.filter(({ name }) => name.startsWith('pings-'))).toEqual([]);
  // Each run has left its record, which the table names.
  const records = points.map(({ records: [one] }: { records: string[] }) => join(results, one!));
  for (const [point, record] of records.entries()) {
    const { code, stdout: shown } = await netfold('records', 'show', record, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(shown)).toMatchObject({
      state: 'complete',
      description: { origin: { study: { name: 'pings', point, repetition: 1 } } },
    });
  }
  expect(readdirSync(results).sort()).toEqual(
    expect.arrayContaining(['index.html', 'points.csv', 'results.json', 'runs.csv']),
  );
});

it('tells runs that fail, with what they wrote', async () => {
  writeFileSync(
    join(folder, 'wrong.yaml'),
    'vars: { code: 0 }\nservices: { a: { run: "echo value 7; exit ${code}" }, b: {} }\nlinks: [{ from: a, to: b, latency: 1ms }]\n',
  );
  const file = join(folder, 'exits.yaml');
  writeFileSync(
    file,
    "study: exits\ntopology: wrong.yaml\nparameters: { code: [0, 3] }\nresults: { v: { log: a, pattern: 'value (\\d+)' } }\n",
  );
  const both = await netfold('study', file, '--no-record', '--keep-records');
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("'--no-record'")]);
  const { code, stdout } = await netfold('study', file, '--tries', '1', '--no-record', '--json');
  expect(code).toBe(1);
  const { ok, notOk } = JSON.parse(stdout);
  expect(ok).toBe(1);
  expect(notOk).toMatchObject([
    { parameters: { code: '3' }, state: 'failed', reason: expect.stringContaining('exited with 3') },
  ]);
  expect(readFileSync(join(folder, 'exits.results', notOk[0].kept, 'a.0.log'), 'utf8')).toContain('value 7');
  expect(readdirSync(join(folder, 'exits.results/runs'))).toEqual(['1-1']);
});
