/** Runs one-way.ts between two endpoints. */
import { spawn } from 'node:child_process';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Place } from '../../../controller/verify/traffic.ts';
import { runIn } from '../lab/lab.ts';

const PROGRAM = join(import.meta.dirname, 'one-way.ts');
const PORT = '5000';
const COUNT = '50';

/** Median delay of UDP datagrams in milliseconds, over the family of the destination's address. */
export async function oneWayDelayMs(from: Place, to: Place): Promise<number> {
  const receive = [process.execPath, PROGRAM, 'receive', PORT, COUNT, isIPv6(to.address) ? 'udp6' : 'udp4'];
  const receiver = spawn('ip', ['netns', 'exec', to.namespace, ...receive]);
  let out = '';
  const ended = new Promise((resolve) => receiver.on('close', resolve));
  await new Promise<void>((resolve) => {
    receiver.stdout.on('data', (text: Buffer) => {
      out += text.toString();
      if (out.includes('listening')) resolve();
    });
  });
  await runIn(from, process.execPath, PROGRAM, 'send', to.address, PORT, COUNT);
  await ended;
  return Number(out.trim().split('\n').at(-1));
}
