/** Clock requests and their answers, to and from bytes (proto/mesh.proto). */

import { isIncarnation } from '../../../proto/command.ts';
import { netfold } from '../../../proto/generated/mesh.js';
import { MAX_DURATION } from '../../../proto/units.ts';
import { decode } from './codec.ts';
import { MAX_CLOCK_BYTES } from './limits.ts';
import { type Rejection, reject } from './rejections.ts';

const wire = netfold.mesh;

export interface ClockReply {
  readonly incarnation: number;
  /** Whether the times are those of the experiment. */
  readonly timed: boolean;
  /** Microseconds. */
  readonly received: number;
  readonly sent: number;
}

/** `topology`: 16 hexadecimal digits. */
export function encodeClockRequest({ topology }: { topology: string }): Uint8Array {
  return wire.ClockRequest.encode({ topology: Buffer.from(topology, 'hex') }).finish();
}

export function decodeClockRequest(bytes: Uint8Array): { topology: string } | Rejection {
  return decode(bytes, MAX_CLOCK_BYTES, (reader) => {
    const { topology } = wire.ClockRequest.decode(reader);
    if (topology?.length !== 8) return reject('MESSAGE_FIELD', `topology of ${topology?.length ?? 0} bytes`);
    return { topology: Buffer.from(topology).toString('hex') };
  });
}

export function encodeClockReply(reply: ClockReply): Uint8Array {
  return wire.ClockReply.encode(reply).finish();
}

export function decodeClockReply(bytes: Uint8Array): ClockReply | Rejection {
  return decode(bytes, MAX_CLOCK_BYTES, (reader) => {
    const { incarnation, timed, received, sent } = wire.ClockReply.decode(reader);
    if (!isIncarnation(incarnation)) return reject('MESSAGE_FIELD', `incarnation ${incarnation}`);
    const times = { received: received ?? 0, sent: sent ?? 0 };
    if (!isTime(times.received)) return reject('MESSAGE_FIELD', `received ${times.received}`);
    if (!isTime(times.sent) || times.sent < times.received) {
      return reject('MESSAGE_FIELD', `sent ${times.sent}, received ${times.received}`);
    }
    return { incarnation, timed: timed ?? false, ...times };
  });
}

/** Experiments start at most a year ahead and last at most a year; times of other clocks are far below this, too. */
function isTime(micros: number): boolean {
  return Math.abs(micros) <= MAX_DURATION;
}
