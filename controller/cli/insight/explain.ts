/** `netfold explain`: why a path has this latency, this bandwidth and this share. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { type FlowPair, parseFlowPairs } from '../../../agent/share/greedy-shares.ts';
import type { Flow } from '../../../agent/share/model.ts';
import {
  formatBps,
  formatMicros,
  formatRate,
  formatRatio,
  fromMillis,
  type Micros,
  parseDuration,
} from '../../../proto/units.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { type Explanation, explain, type Unreachable } from '../../explain/explain.ts';
import { endpointNumber } from '../../explain/running.ts';
import { apiOption, caOption, nameOption } from '../options/name-option.ts';
import { print, printJson, styled, table } from '../terminal/output.ts';
import { graphOf, isFile, requireNow } from './graph.ts';
import { liveFlows } from './live-flows.ts';

interface ExplainOptions {
  readonly flows?: readonly FlowPair[];
  readonly at?: Micros;
  readonly name?: string;
  readonly json?: boolean;
  readonly api?: string;
}

export function addExplainCommand(program: Command): void {
  program
    .command('explain <from> <to> [source]')
    .description(
      'why a path has this latency, bandwidth and share: of a topology file, or of a running experiment',
    )
    .addOption(
      new Option('--flows <pairs>', 'of a file: what else is sent, e.g. "client.1>server"').argParser(
        parseFlowPairs,
      ),
    )
    .addOption(new Option('--at <time>', 'of a file: with all events until then').argParser(parseDuration))
    .addOption(nameOption('which experiment, if several are running'))
    .option('--json', 'print JSON')
    .addOption(apiOption())
    .addOption(caOption())
    .action(show);
}

async function show(
  from: string,
  to: string,
  source: string | undefined,
  options: ExplainOptions,
): Promise<void> {
  const { api } = options;
  const explained =
    api === undefined || isFile(source)
      ? await explainedHere(from, to, source, options)
      : await explainedAt(api, from, to, source, options);
  if (options.json) printJson(explained);
  else print(explained.reachable ? textOf(explained).join('\n') : unreachableText(explained));
}

async function explainedHere(
  from: string,
  to: string,
  source: string | undefined,
  options: ExplainOptions,
): Promise<Explanation | Unreachable> {
  const { graph, experiment } = await graphOf(source, options);
  const flows =
    experiment === undefined
      ? (options.flows ?? []).map((pair) => greedy(graph, pair))
      : await liveFlows(experiment, graph.endpoints);
  return explain(graph, endpointNumber(graph, from), endpointNumber(graph, to), flows);
}

async function explainedAt(
  api: string,
  from: string,
  to: string,
  source: string | undefined,
  { at, name }: ExplainOptions,
): Promise<Explanation | Unreachable> {
  requireNow(at);
  const { connectApi, experimentAt } = await import('../options/api-option.ts');
  const client = connectApi(api);
  const experiment = await experimentAt(client, source ?? name);
  return client.call('getExplanation', { params: { experiment }, query: { from, to } });
}

function greedy(graph: Graph, { from, to }: FlowPair): Flow {
  const ends = { source: endpointNumber(graph, from), destination: endpointNumber(graph, to) };
  return { ...ends, demandBps: Number.POSITIVE_INFINITY };
}

const unreachableText = ({ from, to, why }: Unreachable): string => `${from} can't reach ${to}: ${why}`;

/** Lines for a terminal. */
export function textOf(explained: Explanation): string[] {
  return [
    styled('bold', `${explained.from} > ${explained.to}`),
    ...latencyLines(explained),
    '',
    ...bandwidthLines(explained),
    '',
    ...shareLines(explained),
  ];
}

const ms = (value: number): string => formatMicros(fromMillis(value));
const rate = (value: number | null): string => formatRate(value ?? Number.POSITIVE_INFINITY);

const CHOSEN_BY = {
  latency: 'the least latency',
  hops: 'the fewest hops',
  weight: 'the least weight',
  'valley-free': 'no valley that the systems on it prefer',
} as const;

function latencyLines({
  latencyMs,
  roundTripMs,
  routing,
  isGiven,
  links,
  backLinks,
  jitterMs,
  loss,
}: Explanation): string[] {
  const chosen = isGiven ? 'the route of the file' : `the way with ${CHOSEN_BY[routing]}`;
  const round = roundTripMs === null ? 'there is no way back' : `${ms(roundTripMs)} there and back`;
  const rows = links.map(
    ({ name, latencyMs: part, jitterMs: jitter, loss: lost, bandwidthBps, isNarrowest }) => [
      `  ${name}`,
      ms(part),
      jitter > 0 ? ms(jitter) : '-',
      lost > 0 ? formatRatio(lost) : '-',
      `${formatBps(bandwidthBps ?? Number.POSITIVE_INFINITY)}${isNarrowest ? ' *' : ''}`,
    ],
  );
  const quality = [
    ...(jitterMs > 0 ? [`jitter ${ms(jitterMs)} (the root of the sum of squares)`] : []),
    ...(loss > 0 ? [`loss ${formatRatio(loss)}`] : []),
  ];
  return [
    `latency ${ms(latencyMs)}, ${round}: ${chosen}`,
    table(['  link', 'latency', 'jitter', 'loss', 'bandwidth'], rows, [1, 2, 3]),
    ...(quality.length > 0 ? [quality.join(', ')] : []),
    ...links.flatMap(({ name, rules = [] }) => rules.map((rule) => `rule of ${name}: ${rule}`)),
    ...(backLinks.length > 0 ? [`the way back is another one: ${backLinks.join(' ')}`] : []),
  ];
}

function bandwidthLines({ bandwidthBps, links }: Explanation): string[] {
  if (bandwidthBps === null) return ['bandwidth: no link limits it'];
  const narrowest = links.filter(({ isNarrowest }) => isNarrowest).map(({ name }) => name);
  const next = Math.min(
    ...links
      .filter(({ isNarrowest }) => !isNarrowest)
      .map((link) => link.bandwidthBps ?? Number.POSITIVE_INFINITY),
  );
  const beyond = Number.isFinite(next)
    ? `; wider, it would help up to ${formatBps(next)}, where ${nameOfWidth(links, next)} limits`
    : '';
  return [`bandwidth ${formatBps(bandwidthBps)}: that of ${narrowest.join(' and ')}${beyond}`];
}

const nameOfWidth = (links: Explanation['links'], width: number): string =>
  links.find(({ bandwidthBps }) => bandwidthBps === width)?.name ?? 'another link';

function shareLines({ shareBps, limitedBy, competitors, whatIf }: Explanation): string[] {
  const cause = limitedBy === null ? 'nothing limits it' : `limited by ${limitedBy}`;
  const head = `a flow that takes what it gets has ${rate(shareBps)}: ${cause}`;
  const rows = competitors.map(({ from, to, demandBps, shareBps: share, roundTripMs, sharedLinks }) => [
    `  ${from} > ${to}`,
    demandBps === null ? 'all it gets' : formatRate(demandBps),
    rate(share),
    ms(roundTripMs),
    sharedLinks.join(' '),
  ]);
  const beside =
    rows.length === 0
      ? ['no other flow crosses its links now']
      : [
          'beside it, in proportion to 1 / round trip:',
          table(['  flow', 'wants', 'share', 'round trip', 'shared links'], rows, [1, 2, 3]),
        ];
  return [head, ...beside, ...whatIf.map(({ what, shareBps: then }) => `with ${what}: ${rate(then)}`)];
}
