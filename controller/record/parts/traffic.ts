/** What netfold's own traffic did, of parts that each know the ends on their hosts. Pure. */
import { trafficKey } from '../../../proto/status.ts';
import { lostOf, type TrafficRow } from '../../traffic-rows.ts';

export interface TrafficPart {
  readonly rows: readonly TrafficRow[];
  /** Whether the endpoint was on a host of this part. */
  readonly has: (endpoint: string) => boolean;
  /** How far it goes. */
  readonly lastMs: number;
}

/** What is counted once a second. Beyond, what one end counts less than the other says nothing of loss. */
const TOGETHER_MS = 2000;

/**
 * A row for each entry of the file and pair of endpoints: what was sent, as the part of the sender's host tells it, and what was received,
 * as that of the receiver's. Of several that have the same host, the first one in `parts` counts.
 */
export function joinedTraffic(parts: readonly TrafficPart[]): TrafficRow[] {
  const all = new Map(parts.flatMap(({ rows }) => rows.map((row) => [trafficKey(row), row] as const)));
  const indexes = parts.map((part) => ({
    ...part,
    rows: new Map(part.rows.map((row) => [trafficKey(row), row])),
  }));
  const toldBy = (endpoint: string, key: string): Told | undefined => {
    const found = indexes.find(({ has, rows }) => has(endpoint) && rows.has(key));
    return found && { row: found.rows.get(key)!, lastMs: found.lastMs };
  };
  return [...all].map(([key, row]) => joined(row, toldBy(row.from, key), toldBy(row.to, key)));
}

interface Told {
  readonly row: TrafficRow;
  readonly lastMs: number;
}

function joined(any: TrafficRow, from: Told | undefined, to: Told | undefined): TrafficRow {
  const [sender, receiver] = [from?.row, to?.row];
  const row = {
    ...any,
    sources: Math.max(sender?.sources ?? 0, receiver?.sources ?? 0, any.sources),
    ...{ sent: sender?.sent ?? 0, sentBytes: sender?.sentBytes ?? 0 },
    ...{ refused: sender?.refused ?? 0, late: sender?.late ?? 0 },
    ...{ received: receiver?.received ?? 0, receivedBytes: receiver?.receivedBytes ?? 0 },
    ...{ meanDelayMs: receiver?.meanDelayMs ?? null, mostDelayMs: receiver?.mostDelayMs ?? null },
  };
  const isTogether = from && to && Math.abs(from.lastMs - to.lastMs) <= TOGETHER_MS;
  return { ...row, lost: isTogether ? lostOf(row) : null };
}
