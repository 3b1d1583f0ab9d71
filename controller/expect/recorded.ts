/** What the record of a run tells to its judge: rates, round trips of the traffic itself, events, the verdict. */

import type { Evidence } from '../../topology/judge/evidence.ts';
import { ControllerError } from '../errors.ts';
import { readRecord, withDatabase } from '../record/read.ts';

type Recorded = Pick<Evidence, 'rates' | 'roundTrips' | 'events' | 'doubts'>;

const NOTHING: Recorded = { rates: () => [], roundTrips: () => [], events: [], doubts: [] };

/** `undefined`: it was not recorded. What can't be read is a doubt. */
export function readRecorded(folder: string | undefined): Recorded {
  if (folder === undefined) return NOTHING;
  try {
    const { events, verdicts } = readRecord(folder);
    const unfaithful = verdicts.filter(({ state }) => state !== 'faithful');
    return {
      rates: (from, to) => select(folder, RATES, from, to),
      roundTrips: (from, to) => select(folder, ROUND_TRIPS, from, to),
      events,
      doubts: unfaithful.map(({ host, message }) => `${host}: ${message}`),
    };
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    return { ...NOTHING, doubts: [error.message] };
  }
}

/** The rate of every recorded second; 0 where the flow was not there. */
const RATES = `SELECT moment.t_ms AS tMs, coalesce(flow.rate_bps, 0) AS rateBps FROM (SELECT DISTINCT t_ms FROM agent_sample) AS moment
LEFT JOIN flow_sample AS flow ON flow.t_ms = moment.t_ms AND flow.source = ? AND flow.destination = ? ORDER BY moment.t_ms`;

const ROUND_TRIPS = `SELECT t_ms AS tMs, measured_ms AS roundTripMs FROM path_sample
WHERE source = ? AND destination = ? AND measured_ms IS NOT NULL ORDER BY t_ms`;

const select = <Row>(folder: string, sql: string, from: string, to: string): Row[] =>
  withDatabase(folder, (database) =>
    database
      .prepare(sql)
      .all(from, to)
      .map((row) => ({ ...row })),
  ) as unknown as Row[];
