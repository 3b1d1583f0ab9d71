/**
 * Generators of traffic of a script as traffic of netfold's own: CBR, Exponential and Pareto over UDP, FTP over TCP, with ns-2's defaults
 * (ns-default.tcl). Packets of ns-2 have the size that links count.
 */
import { fromMillis, type Micros, micros } from '../../../proto/units.ts';
import { isName } from '../../model/names.ts';
import type { Position } from '../../model/position.ts';
import { DATAGRAM_OVERHEAD, type Traffic, type TrafficKind, trafficLabel } from '../../model/traffic.ts';
import type { Place } from '../../networks/notes.ts';
import { TclError } from '../../tcl/errors.ts';
import { readBandwidth, readDelay } from './quantities.ts';
import { type Lan, type Node, nameOf, type Other } from './things.ts';
import type { World } from './world.ts';

const KINDS: Readonly<Record<string, TrafficKind>> = {
  'Application/Traffic/CBR': 'constant',
  'Application/Traffic/Exponential': 'exponential',
  'Application/Traffic/Pareto': 'pareto',
  'Application/FTP': 'greedy',
};
/** Payloads between these have a head and pass without fragments. */
const SIZE = { least: 24, most: 1472, default: 1000 } as const;
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
  if (!(kind === 'greedy' ? /^Agent\/TCP/ : /^Agent\/UDP/).test(agent.className)) return [];
  const times = windows(thing);
  if (!times) return [];
  const [from, to] = [{ name: names.get(ends[0])! }, { name: names.get(ends[1])! }];
  let settings: ReturnType<typeof settingsOf>;
  try {
    settings = settingsOf(world, thing, kind);
  } catch (error) {
    if (!(error instanceof TclError)) throw error;
    world.findings.error('TCL_ERROR', thing.place, nameOf(thing), error.message, error.remedy);
    return [];
  }
  const name = nameOf(thing);
  return times.map(({ start, stop }) => ({
    ...{ from, to, kind, start, ...(stop !== undefined && { stop }), ...settings },
    name: isName(name) ? name : trafficLabel({ from, to }),
    ...{ count: 1, seed: 1, simulated: false, position },
  }));
}

function settingsOf(
  world: World,
  thing: Other,
  kind: TrafficKind,
): Pick<Traffic, 'rate' | 'size' | 'on' | 'off' | 'shape'> {
  if (kind === 'greedy') return { size: SIZE.default, ...NO_BURSTS };
  const value = (name: string, otherwise: string): string =>
    thing.values.get(name) ?? world.classValues.get(`${thing.className} ${name}`) ?? otherwise;
  const bytes = Number(value('packetSize_', DEFAULTS.size));
  if (!(bytes > 0))
    throw new TclError(`${value('packetSize_', '')} is no size of a packet`, 'write bytes, e.g. 1000');
  const size = Math.min(SIZE.most, Math.max(SIZE.least, Math.round(bytes) - DATAGRAM_OVERHEAD));
  const interval = value('interval_', '');
  const rate =
    interval === ''
      ? value('rate_', kind === 'constant' ? DEFAULTS.rate : DEFAULTS.burstyRate)
      : rateFor(bytes, interval);
  return { size, rate: readBandwidth(rate), ...timesOf(value, kind) };
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
