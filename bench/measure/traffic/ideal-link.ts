/**
 * What pings take beyond the delay of an ideal link, on this machine: the stack's time, and the time until ping has woken. A ping
 * over an unshaped path never has to wake: its answer arrives before its own system call ends. One that waits for 20 ms has to,
 * whoever delays it.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { output, type Place, start, TrafficError } from '../../../controller/verify/traffic.ts';
import type { Pings } from './pings.ts';

const ECHO = join(import.meta.dirname, 'ideal-echo.ts');

const answerByKernel = (place: Place, answers: boolean): Promise<string> =>
  output(place, ['sysctl', '-qw', `net.ipv4.icmp_echo_ignore_all=${answers ? 0 : 1}`]);

/**
 * Calls `measure` while `to`, at an unshaped path, answers each echo request `holdMs` after it arrived, and returns its round
 * trips with `holdMs` subtracted. Throws `TRAFFIC_FAILED`.
 */
export async function beyondIdealLink(
  to: Place,
  holdMs: number,
  measure: () => Promise<Pings>,
): Promise<Pings> {
  await answerByKernel(to, false);
  const echo = start(to, [process.execPath, ECHO, `${holdMs}`]);
  const ended = once(echo, 'exit');
  try {
    const isReady = await Promise.race([
      once(echo.stdout!, 'data').then(() => true),
      ended.then(() => false),
    ]);
    if (!isReady) throw new TrafficError('ideal-echo.ts', `what answers pings in ${to.name} has ended`);
    const { sent, roundTripsMs } = await measure();
    return { sent, roundTripsMs: roundTripsMs.map((ms) => ms - holdMs) };
  } finally {
    echo.kill('SIGKILL');
    await ended;
    await answerByKernel(to, true);
  }
}
