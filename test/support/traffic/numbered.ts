/**
 * Numbered UDP datagrams between two namespaces of one machine.
 *
 *   node test/support/traffic/numbered.ts receive PORT         prints each number that arrives; ends with its input
 *   node test/support/traffic/numbered.ts send ADDRESS PORT    for each line FIRST COUNT GAP_MS of its input, sends so many
 */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const [role, ...args] = process.argv.slice(2);
if (role === 'receive') receive(Number(args[0]));
else await send(args[0]!, Number(args[1]));

function receive(port: number): void {
  const socket = createSocket('udp4');
  socket.on('message', (message) => console.log(message.readUInt32LE()));
  socket.bind(port, () => console.log('ready'));
  process.stdin.resume().on('end', () => socket.close());
}

async function send(address: string, port: number): Promise<void> {
  const socket = createSocket('udp4');
  console.log('ready');
  for await (const line of createInterface(process.stdin)) {
    const [first, count, gapMs] = line.split(' ').map(Number) as [number, number, number];
    for (let number = first; number < first + count; number++) {
      const message = Buffer.alloc(64);
      message.writeUInt32LE(number);
      await new Promise((resolve) => socket.send(message, port, address, resolve));
      if (gapMs > 0) await sleep(gapMs);
    }
    console.log(first + count);
  }
  socket.close();
}
