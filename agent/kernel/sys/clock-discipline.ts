/** Whether something keeps the clock right (adjtimex(2), linux/timex.h): chrony, ntpd, systemd-timesyncd, PTP. */
import { readClockState } from './libc.ts';

export interface ClockDiscipline {
  readonly synchronised: boolean;
  /** What the kernel was told of how wrong the clock is at most, in microseconds. */
  readonly maxErrorMicros: number;
}

/** struct timex on 64-bit machines. */
const TIMEX = { size: 208, maxError: 24, status: 40 } as const;
const TIME_ERROR = 5;
const STA_UNSYNC = 0x40;

export function readClockDiscipline(): ClockDiscipline {
  const timex = new Uint8Array(TIMEX.size);
  return decodeTimex(readClockState(timex), timex);
}

/** `state` is what adjtimex returned. Numbers are little-endian. */
export function decodeTimex(state: number, timex: Uint8Array): ClockDiscipline {
  const view = new DataView(timex.buffer, timex.byteOffset, timex.byteLength);
  const unsynchronised = state === TIME_ERROR || (view.getInt32(TIMEX.status, true) & STA_UNSYNC) !== 0;
  return { synchronised: !unsynchronised, maxErrorMicros: Number(view.getBigInt64(TIMEX.maxError, true)) };
}
