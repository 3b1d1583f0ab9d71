/**
 * Causes of the verdict that are provoked in a lab of two hosts, one after the other, and named with their host and path. Others are
 * in verdict.test.ts.
 */
import { expect, it } from 'vitest';
import { DISTURBANCES } from '../../../bench/verdict/disturbances.ts';
import { DISTURBED, HOSTS } from '../../../bench/verdict/topologies.ts';
import { startLab, until } from '../../support/lab/lab.ts';
import { disturbed, named } from '../../support/lab/verdict.ts';

const CODES = ['QUEUE_BYPASSED', 'PACKETS_LATE', 'TICKS_LATE', 'EVENTS_LATE', 'AGENT_MEMORY'];

const JUDGED_MS = 2500;

it('what happens to an agent, or past a queue, is named with its host and path', {
  timeout: 180_000,
}, async (context) => {
  const experiment = await startLab(DISTURBED, { hosts: HOSTS, delayBackend: 'delay-line' });
  const lab = disturbed(experiment);
  await experiment.run();
  const isJudged = async (): Promise<boolean> =>
    (await experiment.statuses()).every(({ nowMs }) => nowMs !== null && nowMs > JUDGED_MS);
  await until(isJudged, 'both run, and have judged twice', 20_000);
  const impossible: string[] = [];
  for (const wanted of CODES) {
    const { code, host, path, provoke, isPossible } = DISTURBANCES.find((one) => one.code === wanted)!;
    if (isPossible?.('delay-line') === false) {
      impossible.push(code);
      continue;
    }
    const undo = await provoke(lab);
    try {
      const cause = await named(experiment, code, experiment.plan.hosts[host]!.name, path);
      expect([code, cause.weight]).toEqual([code, 'degraded']);
      expect(cause.measured, code).toBeGreaterThan(cause.bound);
    } finally {
      await undo();
    }
  }
  if (impossible.length > 0) context.skip(`this kernel can't have: ${impossible.join(' ')}`);
});
