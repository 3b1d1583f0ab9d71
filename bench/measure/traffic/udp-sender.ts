/**
 * Sends UDP datagrams at an even pace, from its own process because that is in the endpoint's namespace.
 *
 *   node bench/measure/traffic/udp-sender.ts ADDRESS PORT PAYLOAD_BYTES PER_SECOND COUNT
 *
 * Ends after COUNT datagrams or on SIGTERM, and prints {"offered":N,"seconds":S}.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { millisToSeconds } from '../../../proto/units.ts';

const STEP_MS = 1;
/** Datagrams that a pause of the machine prevented are forgotten beyond this, so that no flood follows. */
const MAX_STEP_SECONDS = 0.02;
/** If the socket's buffer is full, datagrams wait in this process. Beyond this number they are dropped. */
const MAX_WAITING = 4096;

const [address, port, payloadBytes, perSecond, count] = process.argv.slice(2) as [string, ...string[]];
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
// No process listens there, so an ICMP error is not a failure.
socket.on('error', () => {});
// A connected socket needs no look-up for each datagram.
await new Promise<void>((resolve) => socket.connect(Number(port), address, () => resolve()));

let stopped = false;
process.on('SIGTERM', () => {
  stopped = true;
});
const { offered, seconds } = await send(Number(perSecond), Number(count), Buffer.alloc(Number(payloadBytes)));
socket.close();
console.log(JSON.stringify({ offered, seconds }));

async function send(
  rate: number,
  total: number,
  payload: Buffer,
): Promise<{ offered: number; seconds: number }> {
  const start = performance.now();
  let from = start;
  let offered = 0;
  let debt = 0;
  let waiting = 0;
  const done = (): void => {
    waiting--;
  };
  while (offered < total && !stopped) {
    const now = performance.now();
    debt = Math.min(debt + millisToSeconds(now - from) * rate, Math.max(1, rate * MAX_STEP_SECONDS));
    from = now;
    for (; debt >= 1 && offered < total; debt--, offered++) {
      if (waiting >= MAX_WAITING) continue;
      waiting++;
      socket.send(payload, done);
    }
    await sleep(STEP_MS);
  }
  while (waiting > 0 && !stopped) await sleep(STEP_MS);
  return { offered, seconds: millisToSeconds(performance.now() - start) };
}
