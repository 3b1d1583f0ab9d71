import { expect, it } from 'vitest';
import {
  agreementsOf,
  conditionsOf,
  loadsOf,
  Network,
  type Topology,
  type Verdict,
} from '../../../controller/ui/data/network.ts';
import { Trail } from '../../../controller/ui/data/trail.ts';
import { emptyState, type LiveState } from '../../../proto/api/v1/live-state.ts';

const link = (from: string, to: string, bandwidthBps: number | null, suffix = '') => {
  return { name: `${from}->${to}${suffix}`, from, to, latencyMs: 5, jitterMs: 0, loss: 0, bandwidthBps };
};

function topologyOf(...links: Topology['links'][number][]): Topology {
  const names = [...new Set(links.flatMap(({ from, to }) => [from, to]))];
  return {
    file: 'a.yaml',
    nowMs: 0,
    epoch: 0,
    routing: 'latency',
    nodes: names.map((name) => ({ name, kind: name === 's' ? 'bridge' : 'endpoint', service: name })),
    links,
    partitions: [],
  };
}

const UP = link('a.0', 's', 20e6);
const DOWN = link('s', 'a.0', 10e6);
const OUT = link('s', 'b.0', null);

function stateOf(
  flows: { from: string; to: string; rateBps: number; shareBps?: number; greedy?: boolean }[],
): LiveState {
  const state = emptyState();
  for (const { from, to, rateBps, shareBps, greedy = false } of flows) {
    const pair = `${from}>${to}`;
    state.flows.set(pair, {
      ...{ from, to, rateBps, greedy, limitedBy: null, host: 'host0' },
      shareBps: shareBps ?? null,
    });
    state.paths.set(pair, { from, to, links: [`${from}->s`, `s->${to}`] });
  }
  return state;
}

const verdictOf = (...paths: Partial<Verdict['paths'][number]>[]): Verdict => ({
  ...{ verdict: 'faithful', now: 'faithful', since: null, causes: [], forgotten: 0 },
  paths: paths as Verdict['paths'],
});

it('puts both directions of a link into one cable, keeps them apart, and tells parallel ones apart', () => {
  const network = new Network();
  network.update(topologyOf(UP, DOWN, OUT, link('a.0', 's', 1e6, '#2')));
  expect(network.cables.map(({ key, place }) => [key, place])).toEqual([
    ['a.0--s', 0],
    ['b.0--s', 0],
    ['a.0--s#2', 1],
  ]);
  expect(network.cables[0]).toMatchObject({ forth: { bandwidthBps: 20e6 }, back: { bandwidthBps: 10e6 } });
  expect(network.cables[1]).toMatchObject({ forth: undefined, back: { name: 's->b.0' } });
});

it('remembers a link that has left', () => {
  const network = new Network();
  expect(network.update(topologyOf(UP, DOWN, OUT))).toBe(true);
  expect(network.update(topologyOf(UP, OUT))).toBe(false);
  expect(network.link('s->a.0')).toMatchObject({ isPresent: false });
  expect(network.link('a.0->s')).toMatchObject({ isPresent: true });
});

it('adds up what crosses a link, in one direction', () => {
  const network = new Network();
  network.update(topologyOf(UP, DOWN, OUT));
  const state = stateOf([
    { from: 'a.0', to: 'b.0', rateBps: 6e6 },
    { from: 'a.0', to: 'c.0', rateBps: 4e6 },
  ]);
  const loads = loadsOf(state, network, new Map());
  expect(loads.get('a.0->s')).toMatchObject({ rateBps: 10e6, use: 0.5, agreement: 'not measured' });
  expect(loads.get('s->b.0')).toMatchObject({ rateBps: 6e6, use: null, flows: ['a.0>b.0'] });
  expect(loads.has('s->a.0')).toBe(false);
});

it('adds to the links of each path what that path carries', () => {
  const network = new Network();
  network.update(topologyOf(UP, DOWN, OUT));
  const state = stateOf([{ from: 'a.0', to: 'b.0', rateBps: 6e6 }]);
  const way = (path: number, rateBps: number, ...links: string[]) => {
    return { path, rateBps, shareBps: null, limitedBy: null, links };
  };
  const paths = [way(1, 4e6, 'a.0->s', 's->b.0'), way(2, 2e6, 'a.0->s', 's->c.0')];
  state.flows.set('a.0>b.0', { ...state.flows.get('a.0>b.0')!, paths });
  const loads = loadsOf(state, network, new Map());
  expect(loads.get('a.0->s')).toMatchObject({ rateBps: 6e6, flows: ['a.0>b.0'] });
  expect(loads.get('s->b.0')).toMatchObject({ rateBps: 4e6 });
  expect(loads.get('s->c.0')).toMatchObject({ rateBps: 2e6 });
});

it.each([
  ['a round trip as asked', { measuredMs: 41 }, {}, 'as asked'],
  ['one that has waited in queues', { measuredMs: 90 }, {}, 'as asked'],
  ['one that is too short', { measuredMs: 30 }, {}, 'differs'],
  ['none', { measuredMs: null }, {}, 'not measured'],
  ['a greedy flow with its share', { measuredMs: null }, { greedy: true, shareBps: 1e6 }, 'as asked'],
  ['a greedy flow with half of it', { measuredMs: 41 }, { greedy: true, shareBps: 2e6 }, 'differs'],
] as const)('judges %s', (_, measured, flow, agreement) => {
  const state = stateOf([{ from: 'a.0', to: 'b.0', rateBps: 1e6, ...flow }]);
  const verdict = verdictOf({ from: 'a.0', to: 'b.0', roundTripMs: 40, ...measured });
  expect(agreementsOf(state, verdict).get('a.0>b.0')?.agreement).toBe(agreement);
});

it('says what is wrong with endpoints', () => {
  const state = emptyState();
  const add = (name: string, host: string, process: string | null): void => {
    state.endpoints.set(name, { name, service: name, host, addresses: [], process });
  };
  add('fine.0', 'host0', 'pid 12');
  add('done.0', 'host0', 'exited with 0');
  add('failed.0', 'host0', 'exited with 1');
  add('killed.0', 'host0', 'ended by SIGKILL');
  add('unseen.0', 'host1', null);
  state.agents.set('host1', { host: 'host1', state: 'unreachable' } as never);
  const fault = { what: 'away', count: 1, sinceMs: 0, untilMs: null, by: 'crash' } as const;
  state.experiment.set('x', {
    faults: [
      { ...fault, verb: 'crash', names: ['gone.0'] },
      { ...fault, verb: 'disconnect', names: ['cut.0'] },
    ],
  } as never);
  expect(Object.fromEntries(conditionsOf(state))).toEqual({
    'failed.0': 'failed',
    'killed.0': 'failed',
    'unseen.0': 'unwatched',
    'gone.0': 'away',
    'cut.0': 'cut off',
  });
});

it('keeps what was seen in bounded memory, and lets a flow end at 0', () => {
  const trail = new Trail();
  const flowing = stateOf([{ from: 'a.0', to: 'b.0', rateBps: 5, shareBps: 9 }]);
  for (let second = 0; second < 2000; second++) trail.keep(second * 1000, flowing, undefined);
  const series = trail.rates.get('a.0>b.0')!;
  const { seconds, columns } = series.table();
  expect(seconds).toHaveLength(600);
  expect([seconds[0], seconds.at(-1)]).toEqual([1400, 1999]);
  expect(columns.map((column) => [column.length, column.at(-1)])).toEqual([
    [600, 5],
    [600, 9],
  ]);
  trail.keep(2_000_000, stateOf([]), undefined);
  trail.keep(2_001_000, stateOf([]), undefined);
  expect(series.table().columns.map((column) => column.slice(-2))).toEqual([
    [5, 0],
    [9, null],
  ]);
  expect([series.last(1), series.lastSeen(1)]).toEqual([null, 9]);
});
