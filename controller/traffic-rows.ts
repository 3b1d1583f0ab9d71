/** What the agents of an experiment tell of netfold's own traffic, put together. Pure. */
import { type AgentStatus, sumOfTraffic, type TrafficStatus, trafficKey } from '../proto/status.ts';

/** A row of `netfold traffic --json`, and of `traffic.json` in a record. */
export interface TrafficRow extends Omit<TrafficStatus, 'delaySumMs' | 'mostDelayMs'> {
  /** Of datagrams; those on their way are counted as lost. Null: of TCP, and in a record that has not both ends until the same time. */
  readonly lost: number | null;
  /** Of datagrams, files and pages' objects; null: of other TCP. */
  readonly meanDelayMs: number | null;
  readonly mostDelayMs: number | null;
}

export interface TrafficTable {
  /** Since the start of the experiment. */
  readonly nowMs: number;
  readonly traffic: readonly TrafficRow[];
  /** Hosts whose agent does not answer. */
  readonly silent: readonly { readonly host: string; readonly reason: string }[];
}

type Told = Pick<AgentStatus, 'traffic' | 'nowMs'> & { readonly state: AgentStatus['state'] };
type Silent = { readonly host: string; readonly state: 'unreachable'; readonly reason: string };

/** Of what each host's agent has told. */
export function trafficTable(reports: readonly (Told | Silent)[]): TrafficTable {
  const told = reports.flatMap((one) => (one.state === 'unreachable' ? [] : [one]));
  return {
    nowMs: Math.max(0, ...told.map(({ nowMs }) => nowMs ?? 0)),
    traffic: trafficRows(told.map(({ traffic = [] }) => traffic)),
    silent: reports.flatMap((one) =>
      one.state === 'unreachable' ? [{ host: one.host, reason: one.reason }] : [],
    ),
  };
}

/** What all hosts tell, each of its own end: a row for each entry of the file and pair of endpoints. */
export function trafficRows(told: readonly (readonly TrafficStatus[])[]): TrafficRow[] {
  const all = new Map<string, TrafficStatus>();
  for (const one of told.flat()) {
    const key = trafficKey(one);
    const sum = all.get(key);
    all.set(key, sum ? added(sum, one) : one);
  }
  return [...all.values()].map(rowOf);
}

/** Null of TCP, which sends again what is lost. */
export const lostOf = ({
  protocol,
  sent,
  refused,
  received,
}: Pick<TrafficRow, 'protocol' | 'sent' | 'refused' | 'received'>): number | null =>
  protocol === 'tcp' ? null : Math.max(0, sent + refused - received);

/** Each end counts the same sources. */
const added = (a: TrafficStatus, b: TrafficStatus): TrafficStatus => ({
  ...sumOfTraffic(a, b),
  sources: Math.max(a.sources, b.sources),
});

/** Kinds of TCP of which whole files, objects or flows count. */
const WHOLE: ReadonlySet<string> = new Set(['ftp', 'web', 'flows']);

function rowOf({ delaySumMs, mostDelayMs, ...rest }: TrafficStatus): TrafficRow {
  const isTcp = rest.protocol === 'tcp';
  // Of other TCP, pieces are read whose beginning nobody knows.
  const hasDelay = rest.received > 0 && (!isTcp || WHOLE.has(rest.kind));
  return {
    ...rest,
    lost: lostOf(rest),
    meanDelayMs: hasDelay ? delaySumMs / rest.received : null,
    mostDelayMs: hasDelay ? mostDelayMs : null,
  };
}
