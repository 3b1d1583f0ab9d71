/** `netfold test --shrink` on a file that fails by two of its six events. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { experimentName } from '../../support/lab/lab.ts';
import { labFile, netfold } from '../../support/lab/lab-file.ts';

/** A round trip of 2 × 21 ms with one of the first two events, of 2 × 40 ms with both. */
const lab = labFile(`
services:
  a: { run: "sleep 1; took=$(ping -q -c 3 -i 0.2 b | sed -n 's|^rtt [^=]*= \\\\([0-9]*\\\\).*|\\\\1|p'); if [ \\"$took\\" -ge 60 ]; then echo far away; else echo near; fi" }
  b: {}
  c: {}
bridges: [s]
links:
  - { from: a, to: s, latency: 1ms, bandwidth: 100Mbps }
  - { from: b, to: s, latency: 1ms, bandwidth: 100Mbps }
  - { from: c, to: s, latency: 1ms, bandwidth: 100Mbps }
events:
  - at 0.2s set a--s latency=20ms
  - at 0.3s set b--s latency=20ms
  - at 0.4s set c--s latency=20ms
  - at 0.5s set c--s bandwidth=10Mbps
  - at 0.6s set b--s bandwidth=50Mbps
  - at 0.7s crash c
expect:
  - log a lacks "far away"
  - exit a 0
`);

it('names the two events that make it fail, and writes a file with these alone', {
  timeout: 400_000,
}, async () => {
  const folder = mkdtempSync(join(lab.folder, 'try-'));
  const to = join(folder, 'smallest.yaml');
  const record = join(folder, 'records');
  const where = ['--name', experimentName(), '--record', record];
  const shrunk = await netfold('test', lab.file, '--shrink', to, ...where, '--json');
  expect(shrunk.code, shrunk.err).toBe(1);
  const needed = ['at 0.2s set a--s latency=20ms', 'at 0.3s set b--s latency=20ms'];
  const told = JSON.parse(shrunk.out);
  expect(told.shrunk, shrunk.err).toMatchObject({ file: to, events: needed, of: 6, isSmallest: true });
  expect(readFileSync(to, 'utf8').match(/at 0\.\ds .*/g)).toEqual(needed);
  // Of all the runs, the record of the smallest file stays.
  const [{ record: kept }] = told.results;
  expect(readFileSync(join(kept, 'topology.yaml'), 'utf8').match(/at 0\.\ds .*/g)).toEqual(needed);
  expect(existsSync(join(kept, 'record.json'))).toBe(true);
});
