/** Whether a program such as chrony, ntpd, systemd-timesyncd or ptp4l synchronises the clock (adjtimex(2), linux/timex.h). */
import { check, libc } from './libc.ts';

const raw = { adjtimex: libc.func('int adjtimex(void *timex)') };

export interface ClockDiscipline {
  readonly synchronised: boolean;
  /** The greatest error of the clock, in microseconds, as estimated by the program that keeps it right. */
  readonly maxErrorMicros: number;
}

/** struct timex on 64-bit machines. */
const TIMEX = { size: 208, maxError: 24, status: 40 } as const;
const TIME_ERROR = 5;
const STA_UNSYNC = 0x40;

export function readClockDiscipline(): ClockDiscipline {
  // `modes` is 0: only read.
  const timex = new Uint8Array(TIMEX.size);
  return decodeTimex(check('adjtimex', raw.adjtimex(timex), 'read'), timex);
}

/** `state` is what adjtimex returned. Numbers are little-endian. */
export function decodeTimex(state: number, timex: Uint8Array): ClockDiscipline {
  const view = new DataView(timex.buffer, timex.byteOffset, timex.byteLength);
  const unsynchronised = state === TIME_ERROR || (view.getInt32(TIMEX.status, true) & STA_UNSYNC) !== 0;
  return { synchronised: !unsynchronised, maxErrorMicros: Number(view.getBigInt64(TIMEX.maxError, true)) };
}
