/** Streams of UDP datagrams of one size between two endpoints. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Flow, start, TrafficError } from '../../../controller/verify/traffic.ts';
import { secondsToMillis } from '../../../proto/units.ts';
import { DISCARD_PORT } from './udp-counters.ts';

const SENDER = join(import.meta.dirname, 'udp-sender.ts');

export interface Offer {
  readonly payloadBytes: number;
  readonly perSecond: number;
  readonly count?: number;
}

/** How much the sender tried to send, including what was lost. */
export interface Offered {
  readonly offered: number;
  readonly seconds: number;
}

const offeredSchema = z.strictObject({ offered: z.number(), seconds: z.number() });

/** More than any measurement needs; streams run until the caller stops them. */
const ENDLESS = 1e12;

export class UdpStream {
  readonly #sender: ChildProcess;
  /** Resolves when the sender ends, by itself after `count` datagrams or by `stop`. */
  readonly ended: Promise<Offered>;

  constructor({ from, to }: Flow, { payloadBytes, perSecond, count = ENDLESS }: Offer) {
    const numbers = [DISCARD_PORT, payloadBytes, perSecond, count].map(String);
    this.#sender = start(from, [process.execPath, SENDER, to.address, ...numbers]);
    this.ended = report(this.#sender, from.name);
    // The rejection is handled when the promise is awaited later.
    this.ended.catch(() => {});
  }

  async stop(): Promise<Offered> {
    this.#sender.kill('SIGTERM');
    return this.ended;
  }

  /** Ends it after `seconds` at the latest. */
  async within(seconds: number): Promise<Offered> {
    const cancel = new AbortController();
    const timeout = sleep(secondsToMillis(seconds), undefined, { signal: cancel.signal }).catch(() => {});
    await Promise.race([this.ended, timeout]);
    cancel.abort();
    return this.stop();
  }
}

async function report(sender: ChildProcess, name: string): Promise<Offered> {
  let out = '';
  let err = '';
  sender.stdout!.on('data', (text: Buffer) => {
    out += text.toString();
  });
  sender.stderr!.on('data', (text: Buffer) => {
    err += text.toString();
  });
  const code = await new Promise<number>((resolve, reject) => {
    sender.on('error', reject);
    sender.on('close', (exit) => resolve(exit ?? -1));
  });
  if (code !== 0) throw new TrafficError('udp-sender', `exit ${code} in ${name}: ${err.trim().slice(-300)}`);
  return offeredSchema.parse(JSON.parse(out));
}
