/** The lines of `netfold status` about hosts that are far apart, and about the traffic between agents. */
import type { AgentStatus } from '../../../proto/status.ts';
import { formatRate, formatRatio, fromBytesPerSecond } from '../../../proto/units.ts';
import { milliseconds as ms, slowPathsText } from '../../slow-paths.ts';
import { styled } from './output.ts';

/** Lines about one agent; none if all hosts are near and there is no budget. */
export function wideAreaLines({ host, underlay, metadata }: AgentStatus): string[] {
  const far = underlay.hosts.filter(({ subtractedMs }) => subtractedMs > 0);
  const lines = far.map(
    ({ host: other, roundTripMs, subtractedMs }) =>
      `${host} > ${other}: real round trip ${ms(roundTripMs ?? 0)}, each direction is made ${ms(subtractedMs)} shorter`,
  );
  const slow = slowPathsText(underlay.tooSlow);
  if (slow !== undefined) lines.push(styled('red', `${host}: ${slow}`));
  return [...lines, ...budgetLines(host, metadata)];
}

function budgetLines(host: string, metadata: AgentStatus['metadata']): string[] {
  const { bytesPerSecond, budgetBytesPerSecond: budget, threshold, intervalMs } = metadata;
  if (budget === null) return [];
  const sends = `sends ${rate(bytesPerSecond)} of ${rate(budget)}`;
  const every = intervalMs === 0 ? 'at once' : `every ${ms(intervalMs)}`;
  const line = `${host}: ${sends}, announces changes above ${formatRatio(threshold)} ${every}`;
  return [bytesPerSecond > budget ? styled('red', line) : line];
}

const rate = (bytesPerSecond: number): string => formatRate(fromBytesPerSecond(bytesPerSecond));
