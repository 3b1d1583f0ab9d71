/**
 * Generators of traffic of a script as traffic of netfold's own: CBR, Exponential, Pareto and Telnet over UDP or TCP, FTP over TCP, with ns-2's defaults
 * (ns-default.tcl). Packets of ns-2 have the size that links count.
 */
import { type Bps, bps, fromMillis, MIN_BANDWIDTH, type Micros, micros } from '../../../proto/units.ts';
import { isName } from '../../model/names.ts';
import type { Position } from '../../model/position.ts';
import {
  DATAGRAM_OVERHEAD,
  isBursty,
  isConversation,
  NEVER,
  type Protocol,
  type Traffic,
  type TrafficKind,
  trafficLabel,
} from '../../model/traffic.ts';
import type { Place } from '../../networks/notes.ts';
import { TclError } from '../../tcl/errors.ts';
import { readBandwidth, readDelay } from './quantities.ts';
import { type Lan, type Node, nameOf, type Other } from './things.ts';
import { sequencedName } from './traffic.ts';
import type { World } from './world.ts';

const KINDS: Readonly<Record<string, TrafficKind>> = {
  'Application/Traffic/CBR': 'constant',
  'Application/Traffic/Exponential': 'exponential',
  'Application/Traffic/Pareto': 'pareto',
  'Application/Telnet': 'telnet',
  'Application/FTP': 'greedy',
};
/** Payloads between these have a head and pass without fragments. */
const SIZE = { least: 24, most: 1472, mostOfTcp: 65_536, default: 1000 } as const;
const DEFAULTS = { rate: '448Kb', burstyRate: '64Kb', size: '210' } as const;
const BURST = fromMillis(500);
const SHAPE = 1.5;
const NO_BURSTS = { on: BURST, off: BURST, shape: SHAPE };

export interface Generated {
  readonly traffic: readonly Traffic[];
  /** The generators that became traffic. */
  readonly made: ReadonlySet<Other>;
}

/** What is no traffic here, or never starts, is left to be told. */
export function generated(
  world: World,
  names: ReadonlyMap<Node | Lan, string>,
  position: (place: Place) => Position,
): Generated {
  const made = new Set<Other>();
  const traffic = world.others.flatMap((thing) => {
    const found = one(world, thing, names, position(thing.place));
    if (found.length > 0) made.add(thing);
    return found;
  });
  return { traffic, made };
}

function one(
  world: World,
  thing: Other,
  names: ReadonlyMap<Node | Lan, string>,
  position: Position,
): Traffic[] {
  const { className, agent } = thing;
  const kind = Object.hasOwn(KINDS, className) ? KINDS[className] : undefined;
  const ends = [agent?.node, agent?.peer?.node];
  if (!kind || !agent || !ends[0] || !ends[1] || ends[0] === ends[1]) return [];
  const protocol = protocolOf(agent);
  if (!protocol || (protocol === 'udp' && isConversation(kind))) return [];
  const times = [...(windows(thing) ?? []), ...(thing.isInSequence ? [{ start: NEVER }] : [])];
  if (times.length === 0) return [];
  const [from, to] = [{ name: names.get(ends[0])! }, { name: names.get(ends[1])! }];
  let settings: ReturnType<typeof settingsOf>;
  try {
    settings = settingsOf(world, thing, kind, protocol);
  } catch (error) {
    if (!(error instanceof TclError)) throw error;
    world.findings.error('TCL_ERROR', thing.place, nameOf(thing), error.message, error.remedy);
    return [];
  }
  const name = nameOf(thing);
  const own = isName(name) && !thing.isInSequence ? name : trafficLabel({ from, to });
  const reckoned = thing.isSimulated && kind !== 'telnet';
  return times.map(({ start, stop }: Window) => ({
    ...{ from, to, kind, protocol, start, ...(stop !== undefined && { stop }), ...settings },
    ...(reckoned && isBursty(kind) && { kind: 'constant' as const, rate: meanRate(settings) }),
    name: Number.isFinite(start) ? own : sequencedName(world, thing),
    ...{ count: 1, seed: 1, simulated: reckoned, position },
  }));
}

/** Of what sends in bursts, which simulated flows do not have. */
const meanRate = ({ rate = bps(0), on, off }: Pick<Traffic, 'rate' | 'on' | 'off'>): Bps =>
  bps(Math.max(MIN_BANDWIDTH, Math.round((rate * on) / (on + off))));

function protocolOf({ className }: Other): Protocol | undefined {
  if (/^Agent\/UDP/.test(className)) return 'udp';
  return /^Agent\/TCP(?!Sink)/.test(className) ? 'tcp' : undefined;
}

function settingsOf(
  world: World,
  thing: Other,
  kind: TrafficKind,
  protocol: Protocol,
): Pick<Traffic, 'rate' | 'size' | 'on' | 'off' | 'shape' | 'interval'> {
  if (kind === 'greedy') return { size: SIZE.default, ...NO_BURSTS };
  const readerOf =
    (of: Other) =>
    (name: string, otherwise: string): string =>
      of.values.get(name) ?? world.classValues.get(`${of.className} ${name}`) ?? otherwise;
  const value = readerOf(thing);
  if (kind === 'telnet') {
    // It sends what its agent calls a packet.
    const size = sizeFrom(readerOf(thing.agent!)('packetSize_', String(SIZE.default)), protocol);
    const seconds = Number(value('interval_', '0'));
    if (!(seconds >= 0))
      throw new TclError(`${value('interval_', '')} is no interval`, 'write seconds, or 0');
    const interval = seconds > 0 && { interval: micros(Math.max(1, readDelay(String(seconds)))) };
    return { size, ...NO_BURSTS, ...interval };
  }
  const bytes = value('packetSize_', DEFAULTS.size);
  const size = sizeFrom(bytes, protocol);
  const interval = value('interval_', '');
  const rate =
    interval === ''
      ? value('rate_', kind === 'constant' ? DEFAULTS.rate : DEFAULTS.burstyRate)
      : rateFor(Number(bytes), interval);
  return { size, rate: readBandwidth(rate), ...timesOf(value, kind) };
}

/** Of a message. A packet of ns-2 has the size that links count, as a datagram's frame; with TCP it is what is written. */
function sizeFrom(text: string, protocol: Protocol): number {
  const bytes = Number(text);
  if (!(bytes > 0)) throw new TclError(`${text} is no size of a packet`, 'write bytes, e.g. 1000');
  if (protocol === 'tcp') return Math.min(SIZE.mostOfTcp, Math.max(1, Math.round(bytes)));
  return Math.min(SIZE.most, Math.max(SIZE.least, Math.round(bytes) - DATAGRAM_OVERHEAD));
}

/** Of bursts, where there are any. */
function timesOf(
  value: (name: string, otherwise: string) => string,
  kind: TrafficKind,
): Pick<Traffic, 'on' | 'off' | 'shape'> {
  if (kind === 'constant') return NO_BURSTS;
  const time = (name: string): Micros => (value(name, '') === '' ? BURST : readDelay(value(name, '')));
  const times = { on: micros(Math.max(1, time('burst_time_'))), off: time('idle_time_') };
  if (kind === 'exponential') return { ...NO_BURSTS, ...times };
  const shape = Number(value('shape_', String(SHAPE)));
  if (shape > 1) return { ...times, shape };
  throw new TclError(
    `${value('shape_', '')} is no shape of a Pareto distribution with a mean`,
    'write more than 1, e.g. 1.5',
  );
}

/** `interval_` of CBR, instead of a rate: one packet each so many seconds. */
function rateFor(bytes: number, interval: string): string {
  const seconds = Number(interval);
  if (!(seconds > 0)) throw new TclError(`${interval} is no interval`, 'write seconds, e.g. 0.005');
  return `${bytes / seconds}B`;
}

interface Window {
  readonly start: Micros;
  readonly stop?: Micros;
}

/** From each start to the next stop; `undefined` if it never starts, or does something else, such as to send so many bytes. */
function windows({ actions }: Other): Window[] | undefined {
  const found: Window[] = [];
  let start: Micros | undefined;
  for (const { words, at } of actions) {
    const [word] = words;
    if (word !== 'start' && word !== 'stop') return undefined;
    if (word === 'start') start ??= at;
    else if (start !== undefined) {
      if (at > start) found.push({ start, stop: at });
      start = undefined;
    }
  }
  if (start !== undefined) found.push({ start });
  return found.length > 0 ? found : undefined;
}
