/** What main thread and the thread of the traffic tell each other. */
import { isIPv4 } from 'node:net';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { type FlowWindow, isConversation } from '../../topology/model/traffic.ts';
import type { TimedTraffic } from './packet-times.ts';

/** A source that sends packets, by numbers of endpoints. */
export interface RealSource {
  /** Its place among all of the file. */
  readonly index: number;
  /** The place of what it is of among the entries of the file. */
  readonly entry: number;
  readonly from: number;
  readonly to: number;
  readonly traffic: TimedTraffic;
}

export const isTcp = ({ traffic: { kind, protocol } }: Pick<RealSource, 'traffic'>): boolean =>
  protocol === 'tcp' || isConversation(kind);

export interface TrafficStart {
  readonly sources: readonly RealSource[];
  /** Of `Counters`, by place in `sources`. */
  readonly counters: SharedArrayBuffer;
  /** Raised after each message. */
  readonly wakeFd: number;
}

export type Place = Pick<LocalEndpoint, 'number' | 'name' | 'namespace' | 'addresses'>;
export type Known = Pick<LocalEndpoint, 'number' | 'addresses'>;

/** Of each entry of the file, in order. */
export type Windows = readonly (readonly FlowWindow[])[];

export type ToTraffic =
  | { readonly kind: 'attach'; readonly places: readonly Place[] }
  | { readonly kind: 'detach'; readonly number: number }
  | { readonly kind: 'known'; readonly endpoints: readonly Known[] }
  | { readonly kind: 'windows'; readonly windows: Windows }
  /** At `monotonicMs` of the machine's monotonic clock, the experiment's time was `micros`. */
  | { readonly kind: 'time'; readonly monotonicMs: number; readonly micros: number }
  | { readonly kind: 'stop' };

export interface FromTraffic {
  readonly kind: 'problem';
  readonly text: string;
}

/** Beside 4646 (agents) and 4647 (segments, the API). Applications may not have it where traffic arrives. */
export const TRAFFIC_PORT = 4648;

/** The address that stands for all, of the family by which these addresses are reached. */
export const anyAddress = (addresses: readonly string[]): Uint8Array =>
  new Uint8Array(addresses.some((address) => isIPv4(address)) ? 4 : 16);
