/** The size of the queue in front of a link: packets, bytes, or the time that a full one takes at the link's bandwidth. */
import {
  amountIn,
  type Bps,
  BYTES_PATTERN,
  LATENCY_PATTERN,
  type Micros,
  parseBytes,
  parseLatency,
  requireShort,
  toBytesPerSecond,
  UnitError,
} from './units.ts';

export const MAX_QUEUE_PACKETS = 10_000_000;
/** A full Ethernet frame as tc counts it: the least that a queue must hold to let anything through. */
export const FULL_FRAME_BYTES = 1514;

/** At most one of them. */
export interface QueueSize {
  readonly queuePackets?: number;
  readonly queueBytes?: number;
  readonly queueTime?: Micros;
}

const PACKETS = /^(\d+)\s*packets?$/;
const BYTES = /^[\d.]+\s*[KMG]?i?B$/;
/** As those of proto/units.ts. */
export const QUEUE_PATTERN = [String.raw`^\s*0*[1-9]\d*\s*packets?\s*$`, BYTES_PATTERN, LATENCY_PATTERN].join(
  '|',
);
const EXAMPLES = 'write packets, bytes or a time, e.g. 200 packets, 64KB or 50ms';

/** `200 packets`, `64KB`, `64KiB`, `50ms`. Throws `UnitError`. */
export function parseQueue(text: string): QueueSize {
  requireShort(text, 'the size of a queue', EXAMPLES);
  const trimmed = text.trim();
  const packets = PACKETS.exec(trimmed)?.[1];
  if (packets !== undefined) return { queuePackets: inRange(Number(packets), text) };
  if (BYTES.test(trimmed)) {
    const queueBytes = parseBytes(trimmed);
    if (queueBytes >= FULL_FRAME_BYTES) return { queueBytes };
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" has no room for a full frame`,
      `write at least ${FULL_FRAME_BYTES}B`,
    );
  }
  if (/^\d+$/.test(trimmed)) throw new UnitError('UNIT_MISSING', `"${text}" has no unit`, EXAMPLES);
  try {
    return { queueTime: parseLatency(trimmed) };
  } catch (error) {
    if (error instanceof UnitError && error.code !== 'UNIT_RANGE')
      throw new UnitError(error.code, `"${text}" is not the size of a queue`, EXAMPLES);
    throw error;
  }
}

function inRange(packets: number, text: string): number {
  if (packets >= 1 && packets <= MAX_QUEUE_PACKETS) return packets;
  throw new UnitError('UNIT_RANGE', `"${text}" is not 1 to ${MAX_QUEUE_PACKETS} packets`, EXAMPLES);
}

/** The same in bytes, of full frames; `undefined` if there is none, or a time at a link without a limit. */
export function queueInBytes(
  { queuePackets, queueBytes, queueTime }: QueueSize,
  bandwidth: Bps,
): number | undefined {
  if (queuePackets !== undefined) return queuePackets * FULL_FRAME_BYTES;
  if (queueBytes !== undefined) return queueBytes;
  if (queueTime === undefined || !Number.isFinite(bandwidth)) return undefined;
  return Math.max(FULL_FRAME_BYTES, Math.round(amountIn(queueTime, toBytesPerSecond(bandwidth))));
}
