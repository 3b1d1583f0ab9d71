/**
 * One-way delay of UDP datagrams between two endpoints of one machine, which share its monotonic clock.
 *
 *   node test/support/traffic/one-way.ts receive PORT COUNT [udp6]   prints the median delay in milliseconds
 *   node test/support/traffic/one-way.ts send ADDRESS PORT COUNT
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [role, ...args] = process.argv.slice(2);
if (role === 'receive') receive(Number(args[0]), Number(args[1]), args[2] === 'udp6' ? 'udp6' : 'udp4');
else await send(args[0]!, Number(args[1]), Number(args[2]));

function receive(port: number, count: number, type: 'udp4' | 'udp6'): void {
  const socket = createSocket(type);
  const delays: number[] = [];
  socket.on('message', (message) => {
    delays.push(Number(process.hrtime.bigint() - message.readBigUInt64LE()) / 1e6);
    if (delays.length < count) return;
    // Not the mean: both programs have just started, and their first calls take milliseconds.
    console.log(delays.sort((a, b) => a - b)[Math.floor(count / 2)]);
    socket.close();
  });
  socket.bind(port, () => console.log('listening'));
}

async function send(address: string, port: number, count: number): Promise<void> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const message = Buffer.alloc(64);
  for (let sent = 0; sent < count; sent++) {
    message.writeBigUInt64LE(process.hrtime.bigint());
    await new Promise((resolve) => socket.send(message, port, address, resolve));
    await sleep(10);
  }
  socket.close();
}
