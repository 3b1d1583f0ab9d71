/** The line of `netfold status` about probes. */
import { expect, test } from 'vitest';
import { probeLines } from '../../../controller/cli/terminal/probes.ts';
import type { AgentStatus, ProbesStatus } from '../../../proto/status.ts';

const PROBES = { paths: 300, everyMs: 3750, sent: 900, lost: 2, workMs: 80, budget: 0.004, behind: true };

const lines = (probes: ProbesStatus | undefined): string[] =>
  probeLines({ host: 'host0', ...(probes && { probes }) } as AgentStatus);

test('status tells of paths that have to wait for their probes, and of nothing else', () => {
  expect(lines(PROBES)).toEqual([
    'host0: 300 paths are probed every 3.8 s each, since probes may take 0.4% of a processor',
  ]);
  expect(lines({ ...PROBES, behind: false })).toEqual([]);
  expect(lines({ ...PROBES, everyMs: null })).toEqual([]);
  expect(lines(undefined)).toEqual([]);
});
