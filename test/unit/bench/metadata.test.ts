/** What others would have sent, and how it is held against what was. */
import { describe, expect, it } from 'vitest';
import { compare } from '../../../bench/metadata/compare.ts';
import { type DumbbellRun, dumbbellPath, dumbbellText } from '../../../bench/metadata/dumbbell.ts';
import { HEADER_BYTES, periodic, reactive } from '../../../bench/metadata/models.ts';
import { recordOf, type TrafficRecord } from '../../../bench/metadata/record.ts';
import { figureOf, tablesOf } from '../../../bench/metadata/tables.ts';
import { micros } from '../../../proto/units.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { loadTopology } from '../../../topology/load.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';

/** 50 ms windows; a pair's bytes in each. */
function record(pairs: Record<string, readonly number[]>, endpoints = ['a', 'b', 'c']): TrafficRecord {
  const windows = Object.values(pairs)[0]!.length;
  return {
    endpoints,
    windowsMs: new Array<number>(windows).fill(50),
    pairs: Object.entries(pairs).map(([name, bytes]) => {
      const [from, to] = name.split('>') as [string, string];
      return { from, to, bytes };
    }),
  };
}

const PATH = { bandwidthBps: 20e6, links: 3 };
const told = (pairs: Record<string, readonly number[]>, hosts = 2) =>
  reactive(record(pairs), hosts, () => PATH, 'used').messagesPerSecond;

describe('a record', () => {
  it('is what counters grew by from one reading to the next', () => {
    const counts = (bytes: number, more: number) => [
      { from: 'a', to: 'b', bytes },
      { from: 'a', to: 'b', bytes: more },
      { from: 'b', to: 'a', bytes: 7 },
    ];
    const readings = [
      { atMs: 100, counts: [] },
      { atMs: 150, counts: counts(1000, 0) },
      { atMs: 210, counts: counts(4000, 50) },
    ];
    expect(recordOf(['a', 'b'], readings)).toEqual({
      endpoints: ['a', 'b'],
      windowsMs: [50, 60],
      pairs: [
        { from: 'a', to: 'b', bytes: [1000, 3050] },
        { from: 'b', to: 'a', bytes: [7, 0] },
      ],
    });
  });
});

describe('periodic', () => {
  it('is 256 bytes of each endpoint to each other host in each window, also of those that send nothing', () => {
    const sent = periodic(record({ 'a>b': [1, 2, 3, 4] }), 4);
    expect(sent.messagesPerSecond).toBeCloseTo(3 * 20 * 3);
    expect(sent.bytesPerSecond).toBeCloseTo(3 * 20 * 3 * (256 + 66));
  });
});

describe('reactive', () => {
  it('announces nothing that is steady within 5 %', () => {
    expect(told({ 'a>b': [10_000, 10_500, 9500, 10_499] })).toBe(0);
  });
  it('announces what differs by more from the last announcement, not from the window before', () => {
    // 4 % each: the second is 8 % from the last announcement.
    expect(told({ 'a>b': [10_000, 10_400, 10_816, 10_816] })).toBeCloseTo(20 / 4);
    expect(told({ 'a>b': [10_000, 9400, 10_000, 9400] })).toBeCloseTo((20 * 3) / 4);
  });
  it('announces an end once, and the start after it', () => {
    expect(told({ 'a>b': [10_000, 0, 0, 0] })).toBeCloseTo(20 / 4);
    expect(told({ 'a>b': [10_000, 0, 0, 10_000] })).toBeCloseTo((20 * 2) / 4);
  });
  it('passes over what is at most 1 % of the path', () => {
    // 1250 bytes in 50 ms are 200 kb/s.
    expect(told({ 'a>b': [1250, 800, 300, 1250] })).toBe(0);
    expect(told({ 'a>b': [1251, 1800, 1251, 1800] })).toBeGreaterThan(0);
  });
  it('sends one message for all flows of an endpoint, one for each endpoint, to each other host', () => {
    const rise = [10_000, 20_000];
    expect(told({ 'a>b': rise, 'a>c': rise })).toBeCloseTo(20 / 2);
    expect(told({ 'a>b': rise, 'c>b': rise })).toBeCloseTo((20 * 2) / 2);
    expect(told({ 'a>b': rise }, 4)).toBeCloseTo((20 * 3) / 2);
  });
  it('has one byte for the count, and for each flow five and one for each link', () => {
    const rise = [10_000, 20_000];
    const pairs = record({ 'a>b': rise, 'a>c': rise });
    const bytes = (size: 'used' | 'blocks') => reactive(pairs, 2, () => PATH, size).bytesPerSecond / 10;
    expect(bytes('used')).toBeCloseTo(HEADER_BYTES + 1 + 2 * (5 + 3));
    expect(bytes('blocks')).toBeCloseTo(HEADER_BYTES + 512);
  });
  it('takes the length of each window for what it was', () => {
    const late = { ...record({ 'a>b': [10_000, 20_000, 10_000] }), windowsMs: [50, 100, 50] };
    expect(reactive(late, 2, () => PATH, 'used').messagesPerSecond).toBe(0);
  });
});

describe('the dumbbell', () => {
  it('has the paths of the models', () => {
    const dumbbell = { clients: 3, flowBps: 2e6 };
    const { topology } = loadTopology(dumbbellText(dumbbell), 'dumbbell.yaml');
    const graph = graphAt(topology, micros(0));
    expect(graph.endpoints).toHaveLength(6);
    const path = new Folding(graph).path(
      graph.endpoints.indexOf('client.1'),
      graph.endpoints.indexOf('server.1'),
    );
    expect(path).toMatchObject({ bandwidth: dumbbellPath(dumbbell).bandwidthBps, latency: 20_000 });
    expect(dumbbellPath({ clients: 100, flowBps: 2e6 }).bandwidthBps).toBe(8e6);
  });
});

const RUN: DumbbellRun = {
  dumbbell: { clients: 100, flowBps: 5e6 },
  seconds: 10,
  wirePackets: 280,
  wireBytes: [9000, 10_000, 11_000, 10_000],
  messages: 40,
  messageBytes: 1600,
  flowAnnouncements: 0,
  trafficBps: 5e8,
  traffic: record({ 'a>b': [20_000, 40_000] }),
};

describe('the tables', () => {
  const rowsOf = (run: DumbbellRun, id: string) =>
    tablesOf([compare(run)], 'netem').find((table) => table.id === id)!.rows;

  it('ask for a fiftieth of the better model at 200 nodes, and for less than it below', () => {
    const better = 10 * 3 * (66 + 512);
    const [row] = rowsOf(RUN, 'metadata-wire');
    expect(row).toMatchObject({ measured: 4000, verdict: 'outside', unit: 'B/s' });
    expect(row!.bound!.value).toBeCloseTo(better / 50);
    const small = rowsOf({ ...RUN, dumbbell: { clients: 99, flowBps: 5e6 } }, 'metadata-wire')[0]!;
    expect(small.bound!.value).toBeCloseTo(better);
    const quiet = { ...RUN, wireBytes: [100, 100, 100, 100] };
    expect(rowsOf(quiet, 'metadata-wire')[0]!.verdict).toBe('within');
  });
  it('judge nothing against a model that is silent, for agents say that they are alive', () => {
    const [row] = rowsOf({ ...RUN, traffic: record({ 'a>b': [20_000, 20_000] }) }, 'metadata-wire');
    expect(row).toMatchObject({ measured: 4000, bound: null });
    expect(row!.note).toContain('the reactive model sends nothing');
  });
  it('show what each agent sent', () => {
    expect(rowsOf(RUN, 'metadata-agents').map(({ measured, spread }) => [measured, spread])).toEqual([
      [1000, { low: 900, high: 1100 }],
      [7, null],
      [1, null],
    ]);
  });
  it('allow no announcement', () => {
    const verdict = (flowAnnouncements: number) =>
      rowsOf({ ...RUN, flowAnnouncements }, 'metadata-announcements')[0]!.verdict;
    expect([verdict(0), verdict(1)]).toEqual(['within', 'outside']);
  });
  it('are drawn by the count of nodes, for the least rate', () => {
    const other = { ...RUN, dumbbell: { clients: 25, flowBps: 2e6 } };
    const { plot } = figureOf([compare(other), compare(RUN)]);
    expect(plot.series.map(({ points }) => points.map(([x]) => x))).toEqual([[50], [50], [50], [50]]);
    expect(plot.series[0]!.points).toEqual([[50, 4]]);
  });
});
