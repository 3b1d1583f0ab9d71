/** `netfold traffic`: what netfold's own traffic has sent, and what has arrived. */
import type { Command } from 'commander';
import { bitsOf, formatMicros, formatRate, fromMillis, millisToSeconds } from '../../../proto/units.ts';
import { agentStatus } from '../../experiment/agents.ts';
import { findExperiment, readState } from '../../experiment/state.ts';
import { type TrafficRow, type TrafficTable, trafficTable } from '../../traffic-rows.ts';
import { apiOption, caOption, namedBy, sameNameOption } from '../options/name-option.ts';
import { print, printJson, table, warn } from '../terminal/output.ts';

const HELP = `
  netfold traffic             of each entry of traffic: in the file, and each pair of endpoints

Of TCP nothing is lost. Sent is what was handed to the kernel; of ftp these are files, of web what was asked for, and their delay is the time until
all of it was there.`;

export function addTrafficCommand(program: Command): void {
  program
    .command('traffic [experiment]')
    .description("what netfold's own traffic has sent, and what has arrived")
    .option('--json', 'print JSON')
    .addOption(sameNameOption())
    .addOption(apiOption())
    .addOption(caOption())
    .addHelpText('after', HELP)
    .action(show);
}

async function show(
  given: string | undefined,
  { json = false, name, api }: { json?: boolean; name?: string; api?: string },
): Promise<void> {
  const called = namedBy(given, name);
  const {
    experiment,
    nowMs,
    traffic: rows,
    silent,
  } = api === undefined ? await trafficHere(called) : await trafficAt(api, called);
  for (const { host, reason } of silent) warn(`${host} does not answer: ${reason}`);
  if (json) printJson({ experiment, nowMs, traffic: rows });
  else if (rows.length === 0) print(`${experiment} has no traffic of netfold's own (traffic: in its file)`);
  else print(tableOf(rows, nowMs));
}

type Asked = TrafficTable & { readonly experiment: string };

async function trafficHere(name: string | undefined): Promise<Asked> {
  const experiment = await findExperiment(name);
  const reports = (readState(experiment)?.hosts ?? []).map(({ name: host }) =>
    agentStatus(experiment, host).catch((error: Error) => ({
      ...{ host, state: 'unreachable' as const, reason: error.message },
    })),
  );
  return { experiment, ...trafficTable(await Promise.all(reports)) };
}

async function trafficAt(api: string, name: string | undefined): Promise<Asked> {
  const { connectApi, experimentAt } = await import('../options/api-option.ts');
  const client = connectApi(api);
  const experiment = await experimentAt(client, name);
  return { experiment, ...(await client.call('getTraffic', { params: { experiment } })) };
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
