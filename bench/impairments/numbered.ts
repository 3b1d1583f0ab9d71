/** Numbered packets between two endpoints of a lab. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Flow, start } from '../../controller/verify/traffic.ts';
import { BenchError } from '../errors.ts';
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

export const sendNumbered = ({ from, to }: Flow, stream: Stream): Promise<Arrivals> =>
  exchange(start(to, receiverWords()), () => start(from, senderWords(to.address, stream)), stream);

export const receiverWords = (): string[] => [process.execPath, SCRIPT, 'receive', String(PORT)];

export function senderWords(address: string, { perSecond, packets, bytes }: Stream): string[] {
  const numbers = [PORT, perSecond, packets, ...(bytes === undefined ? [] : [bytes])].map(String);
  return [process.execPath, SCRIPT, 'send', address, ...numbers];
}

/** The sender starts when the receiver is ready. Throws `COMMAND_FAILED`. */
export async function exchange(
  receiver: ChildProcess,
  startSender: () => ChildProcess,
  { packets }: Stream,
): Promise<Arrivals> {
  const parts: Buffer[] = [];
  receiver.stdout!.on('data', (part: Buffer) => parts.push(part));
  const closed = once(receiver, 'close');
  try {
    while (!Buffer.concat(parts).includes('ready\n')) await sleep(10);
    await untilSent(startSender());
    await sleep(DRAIN_MS);
  } finally {
    receiver.kill('SIGTERM');
  }
  await closed;
  const flat = JSON.parse(Buffer.concat(parts).toString().split('\n')[1]!) as number[];
  const every = (offset: number): number[] => flat.filter((_, at) => at % 3 === offset);
  return { sent: packets, numbers: every(0), delaysMs: every(1), timesMs: every(2) };
}

async function untilSent(sender: ChildProcess): Promise<void> {
  let said = '';
  sender.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const [code] = await once(sender, 'close');
  if (code !== 0) throw new BenchError('COMMAND_FAILED', `the sender ended with ${code}: ${said.trim()}`);
}
