/** Round trips by `ping`. Pure. */

export interface RoundTrips {
  readonly sent: number;
  readonly received: number;
  /** Ratio, 0 to 1. */
  readonly loss: number;
  /** null: nothing came back. */
  readonly minMs: number | null;
  readonly medianMs: number | null;
  readonly maxMs: number | null;
}

/** Five pings a second, and some seconds for the last to come back: a path has ten minutes at most, and mostly a part of a second. */
const INTERVAL_SECONDS = 0.2;
const GRACE_SECONDS = 5;

export function pingCommand(address: string, count: number): string[] {
  const deadline = Math.ceil(count * INTERVAL_SECONDS) + GRACE_SECONDS;
  return ['ping', '-n', '-c', `${count}`, '-i', `${INTERVAL_SECONDS}`, '-w', `${deadline}`, address];
}

/** Of the output of iputils' or busybox' ping; `undefined` if it is none. */
export function roundTripsOf(output: string): RoundTrips | undefined {
  const counts = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(output);
  if (!counts) return undefined;
  const times = [...output.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms)).sort((a, b) => a - b);
  const [sent, received] = [Number(counts[1]), Number(counts[2])];
  return {
    ...{ sent, received },
    loss: sent === 0 ? 0 : 1 - received / sent,
    minMs: times[0] ?? null,
    medianMs: times[Math.floor(times.length / 2)] ?? null,
    maxMs: times.at(-1) ?? null,
  };
}
