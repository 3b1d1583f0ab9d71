/** Flows, links, endpoints and hosts as tables. */
import type { ItemOf } from '../../../proto/api/v1/live-state.ts';
import { memory, milliseconds, percent, rate } from '../data/format.ts';
import type { Live } from '../data/live.ts';
import { type Condition, conditionsOf } from '../data/network.ts';
import { NOTHING, pathOf, type Selection, selectedNodes, withNode } from '../data/selection.ts';
import { type Column, Meter, State, Table, type Tone } from '../parts/parts.tsx';
import { conditionText, conditionTone } from './conditions.ts';

export interface ListProps {
  readonly live: Live;
  readonly selection: Selection;
  readonly select: (selection: Selection) => void;
  /** Only rows with this text. */
  readonly filter: string;
}

const has = (filter: string, ...texts: readonly string[]): boolean =>
  filter === '' || texts.some((text) => text.toLowerCase().includes(filter.toLowerCase()));

type FlowRow = ItemOf<'flows'> & { readonly pair: string };

export function Flows({ live, selection, select, filter }: ListProps) {
  const rows = [...live.state.flows]
    .map(([pair, flow]): FlowRow => ({ pair, ...flow }))
    .filter(({ from, to, limitedBy }) => has(filter, from, to, limitedBy ?? ''));
  const columns: Column<FlowRow>[] = [
    { title: 'Flow', cell: ({ from, to }) => `${from} → ${to}`, value: ({ pair }) => pair },
    { title: 'Rate', isNumber: true, cell: ({ rateBps }) => rate(rateBps), value: ({ rateBps }) => rateBps },
    {
      title: 'Share',
      isNumber: true,
      cell: ({ shareBps, announced }) => (announced ? 'elsewhere' : rate(shareBps)),
      value: ({ shareBps }) => shareBps ?? Number.POSITIVE_INFINITY,
    },
    {
      title: 'Used',
      cell: ({ rateBps, shareBps }) =>
        shareBps === null ? (
          '–'
        ) : (
          <Meter part={rateBps / shareBps} label={`${percent(rateBps / shareBps)} of its share`} />
        ),
      value: ({ rateBps, shareBps }) => (shareBps === null ? 0 : rateBps / shareBps),
    },
    {
      title: 'Limited by',
      cell: ({ limitedBy, greedy, announced }) =>
        announced ? '–' : (limitedBy ?? (greedy ? 'nothing' : 'own demand')),
      value: ({ limitedBy }) => limitedBy ?? '',
    },
    {
      title: 'Round trip',
      isNumber: true,
      cell: ({ pair }) => roundTrip(live, pair),
    },
  ];
  return (
    <Table
      label="Flows"
      columns={columns}
      rows={rows}
      keyOf={({ pair }) => pair}
      onPick={({ pair }) => select(pathOf(pair))}
      isPicked={({ from, to }) => selection.kind === 'path' && selection.from === from && selection.to === to}
      empty={
        filter === ''
          ? 'Nothing flows. A flow appears as soon as an endpoint sends.'
          : 'No flow has this name.'
      }
    />
  );
}

function roundTrip(live: Live, pair: string): string {
  const { targetMs, measuredMs } = live.agreements.get(pair) ?? {};
  if (targetMs === undefined || targetMs === null) return '–';
  const measured = measuredMs === null || measuredMs === undefined ? '–' : milliseconds(measuredMs);
  return `${measured} / ${milliseconds(targetMs)}`;
}

export function Links({ live, selection, select, filter }: ListProps) {
  const rows = live.network.cables
    .flatMap(({ key, forth, back }) =>
      [forth, back].flatMap((link) => (link ? [{ key, link, load: live.loads.get(link.name) }] : [])),
    )
    .filter(({ link }) => has(filter, link.name));
  type Row = (typeof rows)[number];
  const columns: Column<Row>[] = [
    { title: 'Link', cell: ({ link }) => link.name, value: ({ link }) => link.name },
    {
      title: 'Carries',
      isNumber: true,
      cell: ({ link, load }) => (link.isPresent ? rate(load?.rateBps ?? 0) : <State tone="bad">down</State>),
      value: ({ load }) => load?.rateBps ?? 0,
    },
    {
      title: 'Of',
      isNumber: true,
      cell: ({ link }) => rate(link.bandwidthBps),
      value: ({ link }) => link.bandwidthBps ?? Number.POSITIVE_INFINITY,
    },
    {
      title: 'Use',
      cell: ({ load }) =>
        load?.use == null ? '–' : <Meter part={load.use} label={`${percent(load.use)} of its bandwidth`} />,
      value: ({ load }) => load?.use ?? 0,
    },
    {
      title: 'Latency',
      isNumber: true,
      cell: ({ link }) => milliseconds(link.latencyMs),
      value: ({ link }) => link.latencyMs,
    },
    { title: 'Loss', isNumber: true, cell: ({ link }) => percent(link.loss), value: ({ link }) => link.loss },
    {
      title: 'As asked',
      cell: ({ load }) => {
        const { agreement } = load ?? { agreement: 'not measured' as const };
        const tone: Tone = agreement === 'differs' ? 'bad' : agreement === 'as asked' ? 'good' : 'dim';
        return <State tone={tone}>{agreement}</State>;
      },
      value: ({ load }) => load?.agreement ?? '',
    },
  ];
  return (
    <Table
      label="Links"
      columns={columns}
      rows={rows}
      keyOf={({ link }) => link.name}
      onPick={({ key }) => select({ kind: 'cable', key })}
      isPicked={({ key }) => selection.kind === 'cable' && selection.key === key}
      empty="No link has this name."
    />
  );
}

type EndpointRow = ItemOf<'endpoints'>;

export function Endpoints({ live, selection, select, filter }: ListProps) {
  const conditions = conditionsOf(live.state);
  const picked = new Set(selectedNodes(selection));
  const rows = [...live.state.endpoints.values()].filter(({ name, host, addresses }) =>
    has(filter, name, host, ...addresses),
  );
  const columns: Column<EndpointRow>[] = [
    { title: 'Endpoint', cell: ({ name }) => name, value: ({ name }) => name },
    {
      title: 'State',
      cell: ({ name, process }) => <Shown condition={conditions.get(name)} process={process} />,
      value: ({ name }) => conditions.get(name) ?? '',
    },
    { title: 'Command', cell: ({ process }) => process ?? '–' },
    { title: 'Host', cell: ({ host }) => host, value: ({ host }) => host },
    { title: 'Addresses', cell: ({ addresses }) => addresses.join(' ') },
  ];
  return (
    <Table
      label="Endpoints"
      columns={columns}
      rows={rows}
      keyOf={({ name }) => name}
      onPick={({ name }, adds) => {
        const next = withNode(selection, name, adds);
        select(adds ? next : selectedNodes(selection).join() === name ? NOTHING : next);
      }}
      isPicked={({ name }) => picked.has(name)}
      empty="No endpoint has this name."
    />
  );
}

function Shown({ condition, process }: { condition: Condition | undefined; process: string | null }) {
  return <State tone={conditionTone(condition)}>{conditionText(condition, process)}</State>;
}

type AgentRow = ItemOf<'agents'>;

function agentTone({ state, problems, shaped }: AgentRow): Tone {
  if (state === 'unreachable') return 'bad';
  return problems.length > 0 || !shaped ? 'warn' : 'good';
}

export function Hosts({ live, filter }: ListProps) {
  const rows = [...live.state.agents.values()].filter(({ host }) => has(filter, host));
  const columns: Column<AgentRow>[] = [
    { title: 'Host', cell: ({ host }) => host, value: ({ host }) => host },
    { title: 'Agent', cell: (agent) => <State tone={agentTone(agent)}>{agent.state}</State> },
    {
      title: 'Endpoints',
      isNumber: true,
      cell: ({ endpoints }) => endpoints,
      value: ({ endpoints }) => endpoints,
    },
    {
      title: 'Core',
      isNumber: true,
      cell: ({ host }) => {
        const last = live.trail.cores.get(host)?.last(0);
        return last == null ? '–' : percent(last);
      },
    },
    {
      title: 'Memory',
      isNumber: true,
      cell: ({ memoryBytes }) => (memoryBytes > 0 ? memory(memoryBytes) : '–'),
      value: ({ memoryBytes }) => memoryBytes,
    },
    {
      title: 'Tick',
      isNumber: true,
      cell: ({ tickMeanMs }) => milliseconds(tickMeanMs),
      value: ({ tickMeanMs }) => tickMeanMs,
    },
    {
      title: 'Clock',
      isNumber: true,
      cell: ({ clockOffsetMs }) => (clockOffsetMs === null ? '–' : milliseconds(Math.abs(clockOffsetMs))),
    },
    {
      title: 'Repairs',
      isNumber: true,
      cell: ({ corrected }) => corrected,
      value: ({ corrected }) => corrected,
    },
  ];
  const problems = rows.flatMap(({ host, problems: all }) => all.map((problem) => ({ host, problem })));
  return (
    <>
      <Table
        label="Hosts"
        columns={columns}
        rows={rows}
        keyOf={({ host }) => host}
        empty="No host has this name."
      />
      {problems.length > 0 && (
        <ul class="problems" aria-label="Problems" tabIndex={0}>
          {problems.map(({ host, problem }) => (
            <li key={`${host} ${problem}`}>
              <State tone="warn">{host}</State> {problem}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
