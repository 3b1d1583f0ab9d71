/** What a host sees of its own endpoints, for expectations that a sequence waits for. */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Probe } from '../../topology/judge/evidence.ts';

/** Echo requests from one endpoint to another, sent until it is stopped. */
export interface EchoSeries {
  /** Why there are none, in words; `undefined`: it works. */
  readonly problem: string | undefined;
  /** In the order of sending. */
  readonly probes: readonly Probe[];
  /** Until when it is known what became of all that was sent. */
  settledMs(nowMs: number): number;
  forgetBefore(ms: number): void;
  stop(): void;
}

/** Times are milliseconds since the timeline began. */
export interface Senses {
  /** From inside of a local endpoint to another one, by its name; `undefined`: its address is not known yet. */
  openEchoes(from: LocalEndpoint, to: string, nowMs: number): EchoSeries | undefined;
  /** Of the flow, as frames; 0: there is none. */
  rateBps(from: LocalEndpoint, to: string): number;
  /** The round trips that TCP connections of the endpoint to the other one have measured last, ms. */
  roundTripsMs(from: LocalEndpoint, to: string): readonly number[];
  /** Of the endpoint's command, as status says it. */
  words(endpoint: string): string | undefined;
}
