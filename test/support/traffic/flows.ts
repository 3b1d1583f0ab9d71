/**
 * Flows of UDP, each from a port of its own. `echo PORT` sends everything back, and says "ready". `ask ADDRESS PORT FIRST COUNT ROUNDS`
 * sends so many datagrams from each of so many ports, one after the other, and prints the shortest round trip of each port: `PORT MS`.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const ANSWER_MS = 3000;

async function open(type: 'udp4' | 'udp6', port: number): Promise<Socket> {
  const socket = createSocket({ type, ...(type === 'udp6' && { ipv6Only: true }) });
  socket.bind(port);
  await once(socket, 'listening');
  return socket;
}

async function echo(port: number): Promise<void> {
  for (const type of ['udp4', 'udp6'] as const) {
    const socket = await open(type, port);
    socket.on('message', (message, from) => socket.send(message, from.port, from.address));
  }
  console.log('ready');
}

async function roundTrip(socket: Socket, address: string, port: number): Promise<number> {
  const begin = performance.now();
  socket.send('?', port, address);
  await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
  return performance.now() - begin;
}

async function ask(address: string, port: number, from: number, rounds: number): Promise<string> {
  const socket = await open(address.includes(':') ? 'udp6' : 'udp4', from);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++)
    least = Math.min(least, await roundTrip(socket, address, port));
  socket.close();
  return `${from} ${least.toFixed(2)}`;
}

const [what, ...args] = process.argv.slice(2);
if (what === 'echo') await echo(Number(args[0]));
else {
  const [address, port, first, count, rounds] = [args[0]!, ...args.slice(1).map(Number)] as const;
  const ports = Array.from({ length: count! }, (_, index) => first! + index);
  const lines = await Promise.all(ports.map((from) => ask(address, port!, from, rounds!)));
  console.log(lines.join('\n'));
}
