/** A capture: taps, the follower, and the file, from the first packet to the last. */
import { stat } from 'node:fs/promises';
import { dateMicros } from '../../agent/kernel/sys/datagrams.ts';
import { type Micros, micros, toMillis } from '../../proto/units.ts';
import { CaptureWriter, type FileLimits, type Sink } from './capture-files.ts';
import { type Ends, type FollowedEndpoint, Follower } from './follower.ts';
import type { CapturedInterface } from './format/pcapng.ts';
import { type TapFilters, type TappedEndpoint, Taps } from './taps.ts';

export interface CapturePlan {
  readonly endpoints: readonly (TappedEndpoint & FollowedEndpoint & Pick<CapturedInterface, 'description'>)[];
  readonly filters: TapFilters;
  /** As users write it; for the file. */
  readonly filterText?: string | undefined;
  readonly program: string;
  readonly comment: string;
  /** How long a packet may take from one endpoint to another. */
  readonly wait: Micros;
  /** Whether comments say what became of packets. */
  readonly comments: boolean;
}

export interface CaptureEnd {
  /** The capture ends when this returns true, after so many packets, or when it is aborted. */
  readonly isOver: () => boolean;
  readonly mostPackets: number;
  readonly signal: AbortSignal;
}

export interface Captured {
  readonly packets: number;
  readonly ends: Ends;
  /** Frames that the kernel had, but no room for them. */
  readonly dropped: number;
  /** Deliveries that were not seen for the same reason. */
  readonly unseen: number;
}

/** How late a lost packet is seen to be lost, beside the wait itself. */
const LOOK = micros(5000);
const WRITE_EVERY_MS = 250;
const LOOK_AT_INTERFACES_MS = 200;
/** Of frames that wait: beyond, the oldest are written before their time. */
const MOST_HELD = 400_000;

/** Runs it to its end. Throws `KernelError` and system errors. */
export async function capture(
  plan: CapturePlan,
  sink: Sink,
  limits: FileLimits,
  { isOver, mostPackets, signal }: CaptureEnd,
  onBegin: () => void,
): Promise<Captured> {
  // Threads of Node's pool keep the namespace in which they begin, so they begin here.
  await stat('/');
  const follower = new Follower(plan.endpoints, plan.wait);
  const taps = new Taps(plan.endpoints, plan.filters, {
    onFrame: (endpoint, frame) => follower.see({ ...frame, endpoint }),
    onDelivered: (endpoint, key, at) => follower.delivered(endpoint, key, at),
  });
  try {
    const { endpoints, filterText, program, comment } = plan;
    const interfaces = endpoints.map(({ name, description }) => ({
      ...{ name, description },
      ...(filterText !== undefined && { filter: filterText }),
    }));
    const writer = new CaptureWriter(sink, { program, comment, interfaces }, limits);
    onBegin();
    const isGone = everyMs(LOOK_AT_INTERFACES_MS, () => taps.present().length === 0);
    let written = performance.now();
    while (!signal.aborted && !isOver() && writer.packets < mostPackets && !isGone()) {
      await taps.next(LOOK);
      if (performance.now() - written < WRITE_EVERY_MS) continue;
      written = performance.now();
      writeReady(plan, { follower, taps, writer, mostPackets }, false);
      sink.flush();
    }
    taps.drain();
    writeReady(plan, { follower, taps, writer, mostPackets }, true);
    const counts = taps.counts();
    writer.close(dateMicros(), counts);
    return {
      packets: writer.packets,
      ends: follower.ends,
      dropped: counts.reduce((sum, { dropped }) => sum + dropped, 0),
      unseen: taps.undelivered(),
    };
  } finally {
    taps.close();
  }
}

interface Running {
  readonly follower: Follower;
  readonly taps: Taps;
  readonly writer: CaptureWriter;
  readonly mostPackets: number;
}

function writeReady(plan: CapturePlan, running: Running, isEnd: boolean): void {
  const { follower, taps, writer, mostPackets } = running;
  const missed = taps.undelivered() + taps.counts().reduce((sum, { dropped }) => sum + dropped, 0);
  follower.hasMissed ||= missed > 0;
  const isFull = follower.held > MOST_HELD;
  for (const { endpoint, comment, ...packet } of follower.take(dateMicros(), isEnd || isFull)) {
    if (writer.packets >= mostPackets) return;
    writer.write({ ...packet, interface: endpoint, ...(plan.comments && { comment }) });
  }
}

/** What `look` has found, asked so often and not more. */
export function everyMs(ms: number, look: () => boolean): () => boolean {
  let last = Number.NEGATIVE_INFINITY;
  let found = false;
  return () => {
    if (performance.now() - last < ms) return found;
    last = performance.now();
    found = look();
    return found;
  };
}

/** After so long, `undefined`: never. */
export function after(time: Micros | undefined): () => boolean {
  const end = performance.now() + (time === undefined ? Number.POSITIVE_INFINITY : toMillis(time));
  return () => performance.now() >= end;
}
