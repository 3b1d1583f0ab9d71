/** What the agents of an experiment tell of netfold's own traffic, put together. Pure. */
import type { TrafficStatus } from '../proto/status.ts';

/** A row of `netfold traffic --json`, and of `traffic.json` in a record. */
export interface TrafficRow {
  readonly name: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly sources: number;
  readonly sent: number;
  readonly sentBytes: number;
  readonly refused: number;
  readonly late: number;
  readonly received: number;
  readonly receivedBytes: number;
  /** Of datagrams; those on their way are counted as lost. Null: of a TCP connection. */
  readonly lost: number | null;
  readonly meanDelayMs: number | null;
  readonly mostDelayMs: number | null;
}

/** What all hosts tell, each of its own end: a row for each entry of the file and pair of endpoints. */
export function trafficRows(told: readonly (readonly TrafficStatus[])[]): TrafficRow[] {
  const all = new Map<string, TrafficStatus>();
  for (const one of told.flat()) {
    const key = `${one.name} ${one.from} ${one.to}`;
    const sum = all.get(key);
    all.set(key, sum ? added(sum, one) : one);
  }
  return [...all.values()].map(rowOf);
}

function added(a: TrafficStatus, b: TrafficStatus): TrafficStatus {
  return {
    ...a,
    sources: Math.max(a.sources, b.sources),
    sent: a.sent + b.sent,
    sentBytes: a.sentBytes + b.sentBytes,
    refused: a.refused + b.refused,
    late: a.late + b.late,
    received: a.received + b.received,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    delaySumMs: a.delaySumMs + b.delaySumMs,
    mostDelayMs: Math.max(a.mostDelayMs, b.mostDelayMs),
  };
}

function rowOf({ delaySumMs, mostDelayMs, ...rest }: TrafficStatus): TrafficRow {
  const isTcp = rest.kind === 'greedy';
  const hasDelay = !isTcp && rest.received > 0;
  return {
    ...rest,
    lost: isTcp ? null : Math.max(0, rest.sent + rest.refused - rest.received),
    meanDelayMs: hasDelay ? delaySumMs / rest.received : null,
    mostDelayMs: hasDelay ? mostDelayMs : null,
  };
}
