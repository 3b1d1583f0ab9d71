/** Real traffic between endpoints: ping for round-trip times and losses, iperf3 for throughput. */
import { type ChildProcess, spawn } from 'node:child_process';
import { isIPv6 } from 'node:net';
import { NetfoldError } from '../../proto/errors.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { inNamespace } from '../names.ts';

export interface Place {
  readonly name: string;
  readonly namespace: string;
  /** The destination address of traffic: one of its addresses, of either family. */
  readonly address: string;
  /** The words that run a command there; absent: those for a network namespace of this machine. */
  readonly inside?: (command: readonly string[]) => string[];
}

export interface RoundTrips {
  readonly sent: number;
  readonly received: number;
  readonly meanMs: number;
  /** A pause of the machine changes the mean, but not this. */
  readonly medianMs: number;
  readonly deviationMs: number;
}

export class TrafficError extends NetfoldError {
  constructor(tool: string, message: string) {
    super({
      code: 'TRAFFIC_FAILED',
      blame: 'machine',
      message: `${tool}: ${message}`,
      remedy: 'install it (apt-get install iputils-ping iperf3), or look at the agents with `netfold status`',
    });
  }
}

/** A command in an endpoint, its output in pipes. */
export function start(place: Place, command: readonly string[]): ChildProcess {
  const { namespace, inside = (words) => inNamespace(namespace, words) } = place;
  const [program, ...args] = inside(command);
  return spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Standard output of a command in an endpoint; `accept` decides which exit codes are results. */
export async function output(
  place: Place,
  command: readonly string[],
  accept: readonly number[] = [0],
): Promise<string> {
  const child = start(place, command);
  let out = '';
  let err = '';
  child.stdout!.on('data', (text: Buffer) => {
    out += text.toString();
  });
  child.stderr!.on('data', (text: Buffer) => {
    err += text.toString();
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit) => resolve(exit ?? -1));
  });
  if (!accept.includes(code))
    throw new TrafficError(
      command.join(' '),
      `exit ${code}: ${(err || out).trim().split('\n').at(-1) ?? ''}`,
    );
  return out;
}

const PING_ALL_LOST = 1;

/** Ethernet, IPv4 and ICMP headers, and the 56 bytes that `ping` sends. */
export const PING_FRAME_BYTES = 14 + 20 + 8 + 56;
/** What the header of IPv6 has more than that of IPv4. */
export const MORE_HEADER6 = 20;

/** The larger of the two: of a place that is not known yet. */
export const PING6_FRAME_BYTES = PING_FRAME_BYTES + MORE_HEADER6;

/** Of a ping to this place, and of its answer. */
export const pingFrameBytes = ({ address }: Place): number =>
  PING_FRAME_BYTES + (isIPv6(address) ? MORE_HEADER6 : 0);

/** Sends `count` echo requests every `intervalMs` and waits for stragglers. */
export async function ping(
  from: Place,
  to: Place,
  count: number,
  intervalMs: number,
  patienceMs = 2000,
): Promise<RoundTrips> {
  const seconds = String(millisToSeconds(intervalMs));
  const text = await output(
    from,
    ['ping', '-n', '-c', String(count), '-i', seconds, '-W', String(millisToSeconds(patienceMs)), to.address],
    [0, PING_ALL_LOST],
  );
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(text);
  if (!counts) throw new TrafficError('ping', `can't read what it printed: ${text.trim()}`);
  const times = /= [\d.]+\/([\d.]+)\/[\d.]+\/([\d.]+) ms/.exec(text);
  return {
    sent: Number(counts[1]),
    received: Number(counts[2]),
    meanMs: Number(times?.[1] ?? Number.NaN),
    medianMs: medianOf([...text.matchAll(/ time=([\d.]+) ms/g)].map((match) => Number(match[1]))),
    deviationMs: Number(times?.[2] ?? Number.NaN),
  };
}

/** The lower of the two in the middle. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}

export interface Flow {
  readonly from: Place;
  readonly to: Place;
}
