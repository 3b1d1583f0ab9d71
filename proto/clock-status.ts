/** What an agent reports on its clock and the others' (a part of its status). */

export interface ClockStatus {
  /** Whether the experiment's time is known here, and its start has passed. */
  readonly state: 'unset' | 'waiting' | 'running';
  /** The host whose clock all follow; null while none has the time. */
  readonly reference: string | null;
  /**
   * How far the reference is ahead of this host; the true value is at most `errorMs` away. Null before the first
   * request.
   */
  readonly offsetMs: number | null;
  readonly errorMs: number | null;
  readonly peers: readonly PeerClockStatus[];
}

export interface PeerClockStatus {
  readonly host: string;
  /** As above, for this host. */
  readonly offsetMs: number | null;
  readonly errorMs: number | null;
  /** Least round-trip time of the latest exchanges. */
  readonly rttMs: number | null;
}
