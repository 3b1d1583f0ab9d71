/** An artifact for reviewers: its one script, in another folder, runs everything again and compares. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Expected } from '../../../controller/record/export/expected.ts';
import { experimentName, run } from '../../support/lab/lab.ts';
import { labFile, NETFOLD, netfold } from '../../support/lab/lab-file.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const lab = labFile(`
services:
  client: { run: "exec ping -q -i 0.02 -s 1000 server" }
  server: {}
links:
  - { from: client, to: server, latency: 3ms, bandwidth: 20Mbps }
events:
  - at 2s set client--server latency=5ms
`);

it('runs elsewhere, and says whether it gave what it had given', { timeout: 240_000 }, async () => {
  const folder = mkdtempSync(join(lab.folder, 'try-'));
  const record = join(folder, 'record');
  const up = ['up', lab.file, '--name', experimentName(), '--record', record, '--duration', '11s'];
  expectSuccess(await netfold(...up));
  const made = join(folder, 'made');
  expectSuccess(await netfold('export', record, '--artifact', '--license', 'CC0-1.0', '-o', made));
  // A reviewer has the bundle alone.
  const bundle = join(folder, 'on another machine');
  cpSync(made, bundle, { recursive: true });
  for (const gone of [made, record]) rmSync(gone, { recursive: true });
  const script = join(bundle, 'run.sh');

  const absent = await run('env', ['NETFOLD=/nowhere/netfold', script]);
  expect([absent.code, absent.err]).toEqual([3, expect.stringContaining('there is no /nowhere/netfold')]);

  const ran = await run('env', [`NETFOLD=${NETFOLD}`, script, 'again']);
  // On a busy machine ping is slower, events are late, and the verdict says so.
  expect(ran.code, ran.err).toBe(/^✗/m.test(ran.out) ? 1 : 0);
  expect(ran.out).toMatch(/[✓✗] +flow client\.0 → server\.0/);
  expect(ran.out).toMatch(/[✓✗] +event at 2s set client--server latency=5ms/);
  expect(existsSync(join(bundle, 'again/report.html'))).toBe(true);
  const again = JSON.parse(readFileSync(join(bundle, 'again/record/record.json'), 'utf8'));
  const before = JSON.parse(readFileSync(join(bundle, 'record/record.json'), 'utf8'));
  expect(again).toMatchObject({ state: 'complete', topology: { hash: before.topology.hash } });

  const file = join(bundle, 'expected.json');
  const own = await netfold('records', 'check', join(bundle, 'record'), file, '--json');
  expect(JSON.parse(own.out)).toContainEqual(
    expect.objectContaining({ kind: 'flow', what: 'client.0 → server.0', holds: true }),
  );
  const expected = JSON.parse(readFileSync(file, 'utf8')) as Expected;
  const results = expected.results.map((one) => ({ ...one, value: 2 * one.value }));
  writeFileSync(file, JSON.stringify({ ...expected, results }));
  const other = await netfold('records', 'check', join(bundle, 'record'), file);
  expect([other.code, other.out]).toEqual([
    1,
    expect.stringMatching(/✗ +flow client\.0 → server\.0[\s\S]*not as expected/),
  ]);
});
