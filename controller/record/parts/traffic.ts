/** What netfold's own traffic did, of parts that each know the ends on their hosts. Pure. */
import { lostOf, type TrafficRow } from '../../traffic-rows.ts';

export interface TrafficPart {
  readonly rows: readonly TrafficRow[];
  /** Whether the endpoint was on a host of this part. */
  readonly has: (endpoint: string) => boolean;
}

const keyOf = ({ name, from, to }: TrafficRow): string => JSON.stringify([name, from, to]);

/**
 * A row for each entry of the file and pair of endpoints: what was sent, as the part of the sender's host tells it, and what was received,
 * as that of the receiver's. Of several that have the same host, the first one in `parts` counts.
 */
export function joinedTraffic(parts: readonly TrafficPart[]): TrafficRow[] {
  const all = new Map(parts.flatMap(({ rows }) => rows.map((row) => [keyOf(row), row] as const)));
  const indexes = parts.map(({ rows, has }) => ({ has, rows: new Map(rows.map((row) => [keyOf(row), row])) }));
  const toldBy = (endpoint: string, key: string): TrafficRow | undefined =>
    indexes.find(({ has, rows }) => has(endpoint) && rows.has(key))?.rows.get(key);
  return [...all].map(([key, row]) => joined(row, toldBy(row.from, key), toldBy(row.to, key)));
}

function joined(any: TrafficRow, sender: TrafficRow | undefined, receiver: TrafficRow | undefined): TrafficRow {
  const row = {
    ...any,
    sources: Math.max(sender?.sources ?? 0, receiver?.sources ?? 0, any.sources),
    ...{ sent: sender?.sent ?? 0, sentBytes: sender?.sentBytes ?? 0 },
    ...{ refused: sender?.refused ?? 0, late: sender?.late ?? 0 },
    ...{ received: receiver?.received ?? 0, receivedBytes: receiver?.receivedBytes ?? 0 },
    ...{ meanDelayMs: receiver?.meanDelayMs ?? null, mostDelayMs: receiver?.mostDelayMs ?? null },
  };
  return { ...row, lost: sender && receiver ? lostOf(row) : null };
}
