/** How late changes of the topology came into force on each host. */
import type { DatabaseSync } from 'node:sqlite';
import { millisToSeconds } from '../../../proto/units.ts';
import { rows } from '../read.ts';

/** Points of a chart; of more instants, the latest of each interval. */
const MOST_POINTS = 1200;

export interface HostLag {
  readonly host: string;
  readonly instants: number;
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

export interface Lags {
  readonly hosts: readonly HostLag[];
  /** When something was due, in seconds, and how much later it was in force on the last host, delays and all. */
  readonly seconds: readonly number[];
  readonly latestMs: readonly number[];
}

const OF_HOSTS = `SELECT host, count(*) AS instants, avg(settled_ms - due_ms) AS meanMs, max(settled_ms - due_ms) AS mostMs
FROM epoch GROUP BY host ORDER BY host`;

const NINETY_NINE = `SELECT settled_ms - due_ms AS lag FROM epoch WHERE host = ?1 ORDER BY lag LIMIT 1 OFFSET ?2`;

const POINTS = `SELECT due_ms AS dueMs, max(settled_ms - due_ms) AS lagMs FROM epoch
GROUP BY CAST(due_ms / ?1 AS INTEGER) ORDER BY dueMs`;

/** Throws errors of SQLite. */
export function lagsOf(database: DatabaseSync, lastMs: number): Lags {
  const hosts = rows<Omit<HostLag, 'p99Ms'>>(database, OF_HOSTS).map((one): HostLag => {
    const offset = Math.min(one.instants - 1, Math.floor(0.99 * one.instants));
    const row = database.prepare(NINETY_NINE).get(one.host, BigInt(offset)) as { lag: number } | undefined;
    return { ...one, p99Ms: row?.lag ?? one.mostMs };
  });
  const widthMs = Math.max(1, lastMs / MOST_POINTS);
  const points = database.prepare(POINTS).all(widthMs) as unknown as { dueMs: number; lagMs: number }[];
  return {
    hosts,
    seconds: points.map(({ dueMs }) => millisToSeconds(dueMs)),
    latestMs: points.map(({ lagMs }) => lagMs),
  };
}
