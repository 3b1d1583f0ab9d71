/** `netfold traffic`: what netfold's own traffic has sent, and what has arrived. */
import type { Command } from 'commander';
import { bitsOf, formatMicros, formatRate, fromMillis, millisToSeconds } from '../../../proto/units.ts';
import { agentStatus } from '../../experiment/agents.ts';
import { findExperiment, readState } from '../../experiment/state.ts';
import { type TrafficRow, trafficRows } from '../../traffic-rows.ts';
import { namedBy, sameNameOption } from '../options/name-option.ts';
import { print, printJson, table, warn } from '../terminal/output.ts';

const HELP = `
  netfold traffic             of each entry of traffic: in the file, and each pair of endpoints

Of a TCP connection (greedy), sent is what was handed to the kernel, and nothing is lost.`;

export function addTrafficCommand(program: Command): void {
  program
    .command('traffic [experiment]')
    .description("what netfold's own traffic has sent, and what has arrived")
    .option('--json', 'print JSON')
    .addOption(sameNameOption())
    .addHelpText('after', HELP)
    .action(show);
}

async function show(
  given: string | undefined,
  { json = false, name }: { json?: boolean; name?: string },
): Promise<void> {
  const experiment = await findExperiment(namedBy(given, name));
  const hosts = readState(experiment)?.hosts ?? [];
  const asked = await Promise.allSettled(hosts.map((host) => agentStatus(experiment, host.name)));
  const statuses = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const [place, one] of asked.entries())
    if (one.status === 'rejected')
      warn(`${hosts[place]!.name} does not answer: ${(one.reason as Error).message}`);
  const rows = trafficRows(statuses.map(({ traffic = [] }) => traffic));
  const nowMs = Math.max(0, ...statuses.map((status) => status.nowMs ?? 0));
  if (json) printJson({ experiment, nowMs, traffic: rows });
  else if (rows.length === 0) print(`${experiment} has no traffic of netfold's own (traffic: in its file)`);
  else print(tableOf(rows, nowMs));
}

const HEADING = [
  'traffic',
  'from',
  'to',
  'sources',
  'sent',
  'received',
  'lost',
  'mean rate',
  'mean delay',
  'most',
];

function tableOf(rows: readonly TrafficRow[], nowMs: number): string {
  const ms = (value: number | null): string =>
    value === null ? '–' : formatMicros(Math.round(fromMillis(value)));
  const cells = rows.map((row) => [
    row.name,
    row.from,
    row.to,
    String(row.sources),
    String(row.sent),
    String(row.received),
    row.lost === null ? '–' : String(row.lost),
    nowMs === 0 ? '–' : formatRate(Math.round(bitsOf(row.receivedBytes) / millisToSeconds(nowMs))),
    ms(row.meanDelayMs),
    ms(row.mostDelayMs),
  ]);
  return table(HEADING, cells, [3, 4, 5, 6, 7, 8, 9]);
}
