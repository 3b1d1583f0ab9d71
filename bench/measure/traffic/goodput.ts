/** TCP goodput, second by second at the receiver. */
import { z } from 'zod';
import { type Flow, output, type Place, start, TrafficError } from '../../../controller/verify/traffic.ts';

export interface GoodputPlan {
  readonly seconds: number;
  /** Seconds at the start that don't count. */
  readonly settleSeconds: number;
  /**
   * Size of one read of the receiver. iperf3 counts whole blocks only, and its default of 128 KB takes 8 s at 128
   * kb/s.
   */
  readonly blockBytes?: number;
}

export interface Goodput {
  /** Over all, bits of payload per second. */
  readonly meanBps: number;
  /** In each whole second. */
  readonly secondsBps: readonly number[];
}

/** Of one connection with cubic, whatever the machine's default is. */
export async function goodput({ from, to }: Flow, plan: GoodputPlan): Promise<Goodput> {
  const server = start(to, ['iperf3', '-s', '-1', '-i', '1', '-f', 'k', '--forceflush']);
  let printed = '';
  let summary: string;
  const ended = new Promise<void>((resolve) => server.on('close', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      server.stdout!.on('data', (text: Buffer) => {
        printed += text.toString();
        if (printed.includes('listening')) resolve();
      });
      server.on('error', reject);
      server.on('exit', (code) => reject(new TrafficError('iperf3 -s', `ended with ${code} in ${to.name}`)));
    });
    summary = await output(from, clientCommand(to, plan));
    await ended;
  } finally {
    server.kill('SIGKILL');
  }
  return { meanBps: parseClient(summary), secondsBps: parseServer(printed) };
}

function clientCommand(to: Place, { seconds, settleSeconds, blockBytes }: GoodputPlan): string[] {
  const block = blockBytes === undefined ? [] : ['-l', String(blockBytes)];
  return [
    'iperf3',
    '-J',
    '-C',
    'cubic',
    '-c',
    to.address,
    '-t',
    `${seconds}`,
    '-O',
    `${settleSeconds}`,
    ...block,
  ];
}

const LINE = /(\d+\.\d+)-(\d+\.\d+)\s+sec\s+[\d.]+ \w*Bytes\s+([\d.]+) Kbits\/sec(.*)$/;
/** The last interval is shorter, so it can't be compared. */
const WHOLE = 0.9;

/** The lines of `iperf3 -s -i 1 -f k` for whole seconds that count: exact to 1 kb/s. */
export function parseServer(text: string): number[] {
  return text.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (!match || /omitted|receiver|sender/.test(match[4]!)) return [];
    return Number(match[2]) - Number(match[1]) >= WHOLE ? [Number(match[3]) * 1000] : [];
  });
}

const clientSchema = z.object({
  end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }),
});

/** The receiver's total in the output of `iperf3 -J`: exact. */
export function parseClient(text: string): number {
  return clientSchema.parse(JSON.parse(text)).end.sum_received.bits_per_second;
}
