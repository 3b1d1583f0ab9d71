/** TCP goodput by iperf3, second by second at the receiver. */
import type { ChildProcess } from 'node:child_process';
import { amountIn, bytesOf, fromMillis } from '../../proto/units.ts';
import { deliveredGoodput } from './delivered.ts';
import { type Flow, output, type Place, start, TrafficError } from './traffic.ts';

export interface GoodputPlan {
  readonly seconds: number;
  /** Seconds at the start that don't count. */
  readonly settleSeconds: number;
  /** What is expected, in bit/s: iperf3 counts whole blocks, of which one takes 10 ms at this rate. Absent: fast. */
  readonly rateBps?: number;
  /** Concurrent measurements to one place need different ones. */
  readonly port?: number;
}

const PORT = 5201;
/** iperf3's default, and the payload of a full frame. */
const BLOCK_BYTES = { most: 131_072, least: 1448 } as const;
const BLOCK_TIME = fromMillis(10);

/** A flow counts as slow below this rate: see `deliveredGoodput`. */
const SLOW_BPS = 1e6;
/** The client sends for longer than is measured. */
const MARGIN_SECONDS = 1;

/**
 * Bits of payload per second that arrive over one TCP connection (cubic, whatever the machine's default is), for each whole
 * second that counts. Not the total: what waits in a queue still arrives when the sender has ended.
 */
export async function tcpSeconds(flow: Flow, plan: GoodputPlan): Promise<number[]> {
  const { seconds, settleSeconds, port = PORT } = plan;
  const server = await startIperfServer(flow.to, port);
  try {
    const ended = new Promise<void>((resolve) => server.child.on('close', () => resolve()));
    await output(flow.from, [...client(flow, plan), '-t', String(seconds), '-O', String(settleSeconds)]);
    await ended;
    const found = parseServer(server.printed());
    if (found.length > 0) return found;
    throw new TrafficError('iperf3', `printed no whole second: ${server.printed()}`);
  } finally {
    server.child.kill('SIGKILL');
  }
}

/** The mean of `tcpSeconds`; of a slow flow, what was delivered meanwhile. */
export async function tcpGoodput(flow: Flow, plan: GoodputPlan): Promise<number> {
  if (plan.rateBps !== undefined && plan.rateBps < SLOW_BPS) return slowGoodput(flow, plan);
  const all = await tcpSeconds(flow, plan);
  return all.reduce((sum, one) => sum + one, 0) / all.length;
}

async function slowGoodput(flow: Flow, plan: GoodputPlan): Promise<number> {
  const { seconds, settleSeconds, port = PORT } = plan;
  const server = await startIperfServer(flow.to, port);
  const sending = start(flow.from, [
    ...client(flow, plan),
    '-t',
    String(settleSeconds + seconds + MARGIN_SECONDS),
  ]);
  const ended = new Promise<void>((resolve) => {
    sending.on('close', () => resolve());
    sending.on('error', () => resolve());
  });
  try {
    return await deliveredGoodput(flow, port, { seconds, settleSeconds });
  } finally {
    sending.kill('SIGTERM');
    server.child.kill('SIGKILL');
    await ended;
  }
}

function client({ to }: Flow, { rateBps = Number.POSITIVE_INFINITY, port = PORT }: GoodputPlan): string[] {
  const { least, most } = BLOCK_BYTES;
  const block = Math.round(Math.min(Math.max(bytesOf(amountIn(BLOCK_TIME, rateBps)), least), most));
  return ['iperf3', '-C', 'cubic', '-c', to.address, '-p', String(port), '-l', String(block)];
}

export interface IperfServer {
  readonly child: ChildProcess;
  readonly printed: () => string;
}

/** An iperf3 server that listens already, for one connection; prints every second. To be killed by the caller. */
export async function startIperfServer(place: Place, port = PORT): Promise<IperfServer> {
  const child = start(place, [
    ...['iperf3', '-s', '-1', '-p', String(port)],
    ...['-i', '1', '-f', 'k', '--forceflush'],
  ]);
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (text: Buffer) => {
      printed += text.toString();
      if (printed.includes('listening')) resolve();
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new TrafficError('iperf3 -s', `ended with ${code} in ${place.name}`)));
  });
  return { child, printed: () => printed };
}

const LINE = /(\d+\.\d+)-(\d+\.\d+)\s+sec\s+[\d.]+ \w*Bytes\s+([\d.]+) Kbits\/sec(.*)$/;
const KILO = 1000;
/** The last interval is shorter, so it can't be compared. */
const WHOLE = 0.9;

/** The lines of `iperf3 -s -i 1 -f k` for whole seconds that count: exact to 1 kb/s. */
export function parseServer(text: string): number[] {
  return text.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (!match || /omitted|receiver|sender/.test(match[4]!)) return [];
    const [from, to, kilobits] = match.slice(1, 4).map(Number) as [number, number, number];
    return to - from >= WHOLE ? [kilobits * KILO] : [];
  });
}
