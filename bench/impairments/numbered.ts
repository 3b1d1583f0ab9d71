/** Numbered packets between two endpoints of a lab. */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Flow, start } from '../../controller/verify/traffic.ts';
import type { Arrivals } from './arrivals.ts';

const SCRIPT = join(import.meta.dirname, 'sequence.ts');
const PORT = 5013;
/** Until the last packet has arrived; paths have 20 ms, and buffers of a quarter of a second. */
const DRAIN_MS = 700;

export interface Stream {
  readonly perSecond: number;
  readonly packets: number;
  /** Of the payload; default: few. */
  readonly bytes?: number;
}

export async function sendNumbered(
  { from, to }: Flow,
  { perSecond, packets, bytes }: Stream,
): Promise<Arrivals> {
  const receiver = start(to, [process.execPath, SCRIPT, 'receive', String(PORT)]);
  const parts: Buffer[] = [];
  receiver.stdout!.on('data', (part: Buffer) => parts.push(part));
  const closed = once(receiver, 'close');
  try {
    while (!Buffer.concat(parts).includes('ready\n')) await sleep(10);
    const numbers = [PORT, perSecond, packets, ...(bytes === undefined ? [] : [bytes])].map(String);
    await once(start(from, [process.execPath, SCRIPT, 'send', to.address, ...numbers]), 'exit');
    await sleep(DRAIN_MS);
  } finally {
    receiver.kill('SIGTERM');
  }
  await closed;
  const flat = JSON.parse(Buffer.concat(parts).toString().split('\n')[1]!) as number[];
  const every = (offset: number): number[] => flat.filter((_, at) => at % 3 === offset);
  return { sent: packets, numbers: every(0), delaysMs: every(1), timesMs: every(2) };
}
