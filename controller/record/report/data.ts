/** What a report shows, from the tables of a record: of any length, so much that a page shows it at once. */
import type { DatabaseSync } from 'node:sqlite';
import { millisToSeconds } from '../../../proto/units.ts';
import type { TrafficRow } from '../../traffic-rows.ts';
import { type Findings, readFindings } from '../findings.ts';
import { type RecordSummary, readRecord, withDatabase } from '../read.ts';
import { topologyOf } from '../topology-of.ts';
import { readTraffic } from '../traffic-file.ts';
import { type Distributions, distributionsOf } from './distributions.ts';
import { type Lags, lagsOf } from './lags.ts';
import { type Loads, loadsOf, versionsOf } from './loads.ts';

/** A chart is as wide as a screen; more points than this are not seen. */
const MOST_POINTS = 1200;
/** Flows with a chart of their own: those that carried most. */
const MOST_CHARTS = 24;

/** Values at instants; null where there is none. */
export type Series = readonly (number | null)[];

export interface FlowChart {
  readonly source: string;
  readonly destination: string;
  /** Seconds since the timeline began. */
  readonly seconds: readonly number[];
  /** Bits per second: mean, least and greatest of what a point stands for. */
  readonly rate: Series;
  readonly least: Series;
  readonly most: Series;
  readonly share: Series;
}

export interface AgentChart {
  readonly host: string;
  readonly seconds: readonly number[];
  /** Of one core, 0 to 1 and more. */
  readonly cores: Series;
  readonly memoryBytes: Series;
}

export interface ClockChart {
  readonly host: string;
  readonly seconds: readonly number[];
  /** How far the clock that all follow was ahead; and the least and the greatest that this may be. Milliseconds. */
  readonly offset: Series;
  readonly least: Series;
  readonly most: Series;
}

export interface ReportData {
  readonly summary: RecordSummary;
  readonly flows: readonly FlowChart[];
  readonly paths: Distributions;
  readonly lags: Lags;
  /** Absent: the topology of the record can't be read, for the reason in `noLoads`. */
  readonly loads?: Loads;
  readonly noLoads?: string;
  readonly agents: readonly AgentChart[];
  /** Of hosts that follow another one's clock. */
  readonly clocks: readonly ClockChart[];
  /** Absent: the record is of another command than `netfold verify`. */
  readonly findings?: Findings;
  /** Of netfold's own; empty where there was none. */
  readonly traffic: readonly TrafficRow[];
}

/** Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function reportData(folder: string): ReportData {
  const summary = readRecord(folder);
  const bucketMs = Math.max(1, Math.ceil(summary.lastMs / MOST_POINTS));
  const findings = readFindings(folder);
  const traffic = readTraffic(folder);
  return withDatabase(folder, (database) => ({
    summary,
    flows: flowCharts(database, summary, bucketMs),
    paths: distributionsOf(database),
    lags: lagsOf(database, summary.lastMs),
    ...tryLoads(database, summary),
    agents: summary.agents.map(({ host }) => agentChart(database, host, bucketMs)),
    clocks: clockCharts(database, bucketMs),
    ...(findings && { findings }),
    traffic,
  }));
}

interface FlowPoint {
  readonly source: string;
  readonly destination: string;
  readonly t: number;
  readonly rate: number;
  readonly least: number;
  readonly most: number;
  readonly share: number | null;
}

/** One pass over the table for all flows: a search for each would need an index as large as the table. */
const FLOW_POINTS = `SELECT source, destination, t_ms / ?1 * ?1 AS t, avg(rate_bps) AS rate, min(rate_bps) AS least, max(rate_bps) AS most, avg(share_bps) AS share
FROM flow_sample GROUP BY source, destination, t_ms / ?1 ORDER BY source, destination, t`;

function flowCharts(database: DatabaseSync, { flows }: RecordSummary, bucketMs: number): FlowChart[] {
  const key = (one: { source: string; destination: string }): string => `${one.source} ${one.destination}`;
  const wanted = new Map(
    flows.slice(0, MOST_CHARTS).map((flow) => [key(flow), { ...flow, points: [] as FlowPoint[] }]),
  );
  for (const row of database.prepare(FLOW_POINTS).iterate(BigInt(bucketMs))) {
    const point = row as unknown as FlowPoint;
    wanted.get(key(point))?.points.push(point);
  }
  return [...wanted.values()].map(({ source, destination, points }) => ({
    source,
    destination,
    ...withGaps(points, bucketMs),
  }));
}

/** A flow that was not there has no samples: the line breaks off. */
function withGaps(points: readonly FlowPoint[], bucketMs: number) {
  const step = Math.max(bucketMs, 1000);
  const all: (FlowPoint | { readonly t: number })[] = [];
  let last: number | undefined;
  for (const point of points) {
    if (last !== undefined && point.t - last > 2.5 * step) all.push({ t: last + step });
    all.push(point);
    last = point.t;
  }
  const series = (field: 'rate' | 'least' | 'most' | 'share'): (number | null)[] =>
    all.map((point) => (field in point ? (point as FlowPoint)[field] : null));
  return {
    seconds: all.map(({ t }) => millisToSeconds(t)),
    rate: series('rate'),
    least: series('least'),
    most: series('most'),
    share: series('share'),
  };
}

/** A record of a later netfold may have a topology that this one can't read; the rest of the report is the same. */
function tryLoads(database: DatabaseSync, summary: RecordSummary): Pick<ReportData, 'loads' | 'noLoads'> {
  try {
    const topology = topologyOf(summary);
    const versions = versionsOf(topology, summary.events, summary.lastMs);
    return { loads: loadsOf(database, versions, summary.lastMs) };
  } catch (error) {
    return { noLoads: (error as Error).message.split('\n')[0]! };
  }
}

const AGENT_POINTS = `SELECT t_ms / ?1 * ?1 AS t, max(t_ms) AS lastT, max(cpu_seconds) AS cpu, max(memory_bytes) AS memory
FROM agent_sample WHERE host = ?2 GROUP BY t_ms / ?1 ORDER BY t`;

function agentChart(database: DatabaseSync, host: string, bucketMs: number): AgentChart {
  const points = database.prepare(AGENT_POINTS).all(BigInt(bucketMs), host) as unknown as {
    t: number;
    lastT: number;
    cpu: number;
    memory: number;
  }[];
  const cores = points.map(({ lastT, cpu }, index) => {
    const before = points[index - 1];
    // An agent that starts again counts from 0.
    if (!before || cpu < before.cpu || lastT === before.lastT) return null;
    return (cpu - before.cpu) / millisToSeconds(lastT - before.lastT);
  });
  return {
    host,
    seconds: points.map(({ t }) => millisToSeconds(t)),
    cores,
    memoryBytes: points.map(({ memory }) => memory),
  };
}

const CLOCK_POINTS = `SELECT host, t_ms / ?1 * ?1 AS t, avg(offset_ms) AS offset, min(offset_ms - coalesce(error_ms, 0)) AS least, max(offset_ms + coalesce(error_ms, 0)) AS most
FROM clock_sample GROUP BY host, t_ms / ?1 ORDER BY host, t`;

interface ClockPoint {
  readonly host: string;
  readonly t: number;
  readonly offset: number;
  readonly least: number;
  readonly most: number;
}

function clockCharts(database: DatabaseSync, bucketMs: number): ClockChart[] {
  const points = database.prepare(CLOCK_POINTS).all(BigInt(bucketMs)) as unknown as ClockPoint[];
  return [...Map.groupBy(points, ({ host }) => host)].map(([host, own]) => ({
    host,
    seconds: own.map(({ t }) => millisToSeconds(t)),
    offset: own.map(({ offset }) => offset),
    least: own.map(({ least }) => least),
    most: own.map(({ most }) => most),
  }));
}
