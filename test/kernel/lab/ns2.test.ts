/** Scripts of ns-2 and Emulab run in a lab as they are: their links, their programs and their events. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { logFile } from '../../../controller/names.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { place, startLab, until } from '../../support/lab/lab.ts';
import { LATE_MS } from '../../support/speed.ts';

const EXAMPLES = join(import.meta.dirname, '../../../examples/ns2');
const script = (file: string): string => readFileSync(join(EXAMPLES, file), 'utf8');

/** What a busy machine may add: less than the trunk's delay would, counted twice. */
const BUSY_MS = 20;

it('links of a script have its delays, and routers pass packets on', async () => {
  const lab = await startLab(script('dumbbell.ns'), { file: 'dumbbell.ns' });
  await lab.run();
  const { received, medianMs } = await ping(place(lab, 'client-0'), place(lab, 'server-0'), 5, 40);
  expect(received).toBeGreaterThan(0);
  // 2, 20 and 1 ms, there and back.
  expect(medianMs).toBeGreaterThan(45.5);
  expect(medianMs).toBeLessThan(46 + BUSY_MS + LATE_MS);
});

it('programs of a script run at its events', async () => {
  const lab = await startLab(script('programs.ns'), { file: 'programs.ns' });
  await lab.run();
  const linesOf = (node: string): string[] => {
    const file = logFile(lab.name, `${node}.0`);
    return existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : [];
  };
  await until(() => linesOf('alpha').length >= 3 && linesOf('beta').length >= 3, 'all programs have run');
  expect(linesOf('alpha')).toEqual(Array(3).fill('hello from alpha'));
  expect(linesOf('beta')).toEqual(['beta answers', 'beta again', 'beta answers']);
  expect(linesOf('gamma')).toEqual([]);
});
