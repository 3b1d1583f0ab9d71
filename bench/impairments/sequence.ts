/**
 * Numbered UDP datagrams between two endpoints of one machine, with the time at which each was sent on the machine's monotonic
 * clock, so that the receiver knows how long each was under way.
 *
 *   node bench/impairments/sequence.ts receive PORT                                  at SIGTERM: a line of JSON, [number, ms under way, ms
 *                                                                                    since 1970, …]
 *   node bench/impairments/sequence.ts send ADDRESS PORT PER_SECOND COUNT [BYTES]    ends when all are sent
 */
import { createSocket } from 'node:dgram';
import { writeSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { hrtime } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { millisToSeconds, nanosToMillis } from '../../proto/units.ts';

const PAYLOAD_BYTES = 64;
const RECEIVE_BUFFER_BYTES = 8 << 20;
const STEP_MS = 1;
const [role, ...args] = process.argv.slice(2);
const nowMs = (): number => nanosToMillis(Number(hrtime.bigint()));

if (role === 'receive') receive(Number(args[0]));
else await send(args[0]!, ...(args.slice(1).map(Number) as [number, number, number, number?]));

function receive(port: number): void {
  const socket = createSocket({ type: 'udp6', recvBufferSize: RECEIVE_BUFFER_BYTES });
  const seen: number[] = [];
  socket.on('message', (message) => {
    const underWayMs = Number((nowMs() - message.readDoubleLE(8)).toFixed(3));
    seen.push(message.readUInt32LE(), underWayMs, Date.now());
  });
  socket.bind(port, () => console.log('ready'));
  process.on('SIGTERM', () => {
    // All of it, also into a pipe.
    const text = Buffer.from(`${JSON.stringify(seen)}\n`);
    for (let at = 0; at < text.length; ) {
      try {
        at += writeSync(1, text, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
    }
    process.exit(0);
  });
}

async function send(
  address: string,
  port: number,
  perSecond: number,
  count: number,
  bytes = PAYLOAD_BYTES,
): Promise<void> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => socket.connect(port, address, () => resolve()));
  const started = performance.now();
  for (let number = 0; number < count; ) {
    const due = Math.min(count, Math.floor(millisToSeconds(performance.now() - started) * perSecond));
    for (; number < due; number++) {
      const message = Buffer.alloc(bytes);
      message.writeUInt32LE(number);
      message.writeDoubleLE(nowMs(), 8);
      await new Promise((resolve) => socket.send(message, resolve));
    }
    await sleep(STEP_MS);
  }
  socket.close();
}
