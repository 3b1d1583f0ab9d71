/** Live control: what a user tells a running experiment, and what its agents answer. */

/**
 * A command as all agents know it. Commands take effect in the order of `compareCommands`, everywhere alike.
 * Times are microseconds since the experiment's start.
 */
export interface Command {
  /** Name of the host whose agent accepted it, the incarnation of that agent, and its count there, from 1. */
  readonly origin: string;
  readonly incarnation: number;
  readonly number: number;
  /** When it was accepted, and when it takes effect. */
  readonly issuedAt: number;
  readonly at: number;
  /** When it ends, for what has a window. */
  readonly until?: number;
  /** An action of the event grammar (`set s1--s2 latency=50ms`), or `reset`: back to the timeline. */
  readonly text: string;
}

/** A total order: all fields that tell two commands apart take part. */
export function compareCommands(a: Command, b: Command): number {
  return (
    a.at - b.at ||
    a.issuedAt - b.issuedAt ||
    (a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : 0) ||
    a.incarnation - b.incarnation ||
    a.number - b.number
  );
}

/** What tells a command from all others. */
export function commandKey({ origin, incarnation, number }: Command): string {
  return `${origin} ${incarnation} ${number}`;
}
