/** The line of `netfold status` about probes, where paths wait for them. */
import type { AgentStatus } from '../../../proto/status.ts';
import { formatRatio, millisToSeconds } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';

/** None if all paths are probed as often as they should be. */
export function probeLines({ host, probes }: AgentStatus): string[] {
  if (!probes?.behind || probes.everyMs === null) return [];
  const every = millisToSeconds(probes.everyMs).toFixed(1);
  const most = formatRatio(probes.budget);
  return [
    `${host}: ${count(probes.paths, 'path')} are probed every ${every} s each, since probes may take ${most} of a processor`,
  ];
}
