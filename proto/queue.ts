/**
 * The queue in front of a link: its size in packets, in bytes, or as the time that a full one takes at the link's bandwidth; how many
 * bytes of that bandwidth a frame takes; and how the queue is managed before it is full, as texts: `red min=5packets max=15packets`,
 * `codel target=5ms`. As those of models.ts, they are properties in their canonical form.
 *
 * RED: Floyd and Jacobson, "Random Early Detection gateways for congestion avoidance", IEEE/ACM Transactions on Networking 1(4), 1993;
 * the defaults are those of ns-2. CoDel: Nichols and Jacobson, RFC 8289. ECN: RFC 3168.
 */
import {
  amountIn,
  type Bps,
  BYTES_PATTERN,
  formatMicros,
  formatRatio,
  LATENCY_PATTERN,
  type Micros,
  parseBytes,
  parseLatency,
  parsePercentage,
  type Ratio,
  requireShort,
  toBytesPerSecond,
  UnitError,
} from './units.ts';

export const MAX_QUEUE_PACKETS = 10_000_000;
/** A full Ethernet frame as tc counts it: the least that a queue must hold to let anything through. */
export const FULL_FRAME_BYTES = 1514;

/** At most one of them. */
export interface QueueSize {
  readonly queuePackets?: number;
  readonly queueBytes?: number;
  readonly queueTime?: Micros;
}

const PACKETS = /^(\d+)\s*packets?$/;
const BYTES = /^[\d.]+\s*[KMG]?i?B$/;
/** As those of proto/units.ts. */
export const QUEUE_PATTERN = [String.raw`^\s*0*[1-9]\d*\s*packets?\s*$`, BYTES_PATTERN, LATENCY_PATTERN].join(
  '|',
);
const EXAMPLES = 'write packets, bytes or a time, e.g. 200 packets, 64KB or 50ms';

/** `200 packets`, `64KB`, `64KiB`, `50ms`. Throws `UnitError`. */
export function parseQueue(text: string): QueueSize {
  requireShort(text, 'the size of a queue', EXAMPLES);
  const trimmed = text.trim();
  const packets = PACKETS.exec(trimmed)?.[1];
  if (packets !== undefined) return { queuePackets: inRange(Number(packets), text) };
  if (BYTES.test(trimmed)) {
    const queueBytes = parseBytes(trimmed);
    if (queueBytes >= FULL_FRAME_BYTES) return { queueBytes };
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" has no room for a full frame`,
      `write at least ${FULL_FRAME_BYTES}B`,
    );
  }
  if (/^\d+$/.test(trimmed)) throw new UnitError('UNIT_MISSING', `"${text}" has no unit`, EXAMPLES);
  try {
    return { queueTime: parseLatency(trimmed) };
  } catch (error) {
    if (error instanceof UnitError && error.code !== 'UNIT_RANGE')
      throw new UnitError(error.code, `"${text}" is not the size of a queue`, EXAMPLES);
    throw error;
  }
}

function inRange(packets: number, text: string): number {
  if (packets >= 1 && packets <= MAX_QUEUE_PACKETS) return packets;
  throw new UnitError('UNIT_RANGE', `"${text}" is not 1 to ${MAX_QUEUE_PACKETS} packets`, EXAMPLES);
}

/** The same in bytes, of full frames; `undefined` if there is none, or a time at a link without a limit. `overhead`: the link's. */
export function queueInBytes(
  { queuePackets, queueBytes, queueTime }: QueueSize,
  bandwidth: Bps,
  overhead?: string,
): number | undefined {
  if (queuePackets !== undefined) return queuePackets * FULL_FRAME_BYTES;
  if (queueBytes !== undefined) return queueBytes;
  if (queueTime === undefined || !Number.isFinite(bandwidth)) return undefined;
  const passing = amountIn(queueTime, toBytesPerSecond(bandwidth)) * frameShare(overhead);
  return Math.max(FULL_FRAME_BYTES, Math.round(passing));
}

/** How a frame passes a link: with so many bytes besides those that tc counts, perhaps in cells of ATM, the last one padded. */
export interface Overhead {
  readonly bytes: number;
  readonly inCells: boolean;
}

/** ITU-T I.361: 48 bytes and a header of 5. */
export const CELL = { payload: 48, bytes: 53 } as const;

const OVERHEADS: Readonly<Record<string, Overhead>> = {
  none: { bytes: 0, inCells: false },
  /** Preamble and start of the frame (8), check sum (4), gap (12): IEEE 802.3. */
  ethernet: { bytes: 24, inCells: false },
  /** The same, and a tag of IEEE 802.1Q. */
  vlan: { bytes: 28, inCells: false },
  /** LLC and SNAP of a bridged frame without its check sum (10; RFC 2684, section 5.2), the trailer of AAL5 (8; ITU-T I.363.5). */
  atm: { bytes: 18, inCells: true },
};
/** A stack of tunnels has less. */
const MAX_OVERHEAD = 1000;
const OVERHEAD_BYTES = /^(\d{1,4})\s*bytes?$/;
export const OVERHEAD_PATTERN = String.raw`^\s*(?:none|ethernet|vlan|atm|\d{1,4}\s*bytes?)\s*$`;

/** `ethernet`, `vlan`, `atm`, `none`, `38 bytes`. Throws `UnitError`. */
export function parseOverhead(text: string): string {
  const remedy = 'write ethernet, vlan, atm, none, or e.g. 38 bytes';
  requireShort(text, 'the overhead of a frame', remedy);
  const trimmed = text.trim();
  if (Object.hasOwn(OVERHEADS, trimmed)) return trimmed;
  const bytes = Number(OVERHEAD_BYTES.exec(trimmed)?.[1] ?? Number.NaN);
  if (Number.isNaN(bytes)) throw new UnitError('UNIT_SYNTAX', `"${text}" is no overhead of a frame`, remedy);
  if (bytes > MAX_OVERHEAD)
    throw new UnitError('UNIT_RANGE', `"${text}" is more than ${MAX_OVERHEAD} bytes`, remedy);
  return bytes === 0 ? 'none' : `${bytes} bytes`;
}

/** What a text of `parseOverhead` says. */
export function overheadOf(text: string): Overhead {
  return OVERHEADS[text] ?? { bytes: Number.parseInt(text, 10), inCells: false };
}

/** How many bytes of a link's bandwidth a frame of so many takes. */
export function bytesAtLink(frameBytes: number, overhead: string | undefined): number {
  if (overhead === undefined) return frameBytes;
  const { bytes, inCells } = overheadOf(overhead);
  const all = frameBytes + bytes;
  return inCells ? Math.ceil(all / CELL.payload) * CELL.bytes : all;
}

/** The part of a link's bandwidth that is for full frames themselves. */
export function frameShare(overhead: string | undefined): number {
  return overhead === undefined ? 1 : FULL_FRAME_BYTES / bytesAtLink(FULL_FRAME_BYTES, overhead);
}

export interface Red {
  readonly kind: 'red';
  /** Below `minBytes` on average nothing is dropped, from `maxBytes` on everything. */
  readonly minBytes: number;
  readonly maxBytes: number;
  /** Of packets where the average comes to `maxBytes`. */
  readonly probability: Ratio;
  /** The weight of each packet in the average is 2 to the power of minus this. */
  readonly weightShift: number;
  readonly ecn: boolean;
}

export interface CoDel {
  readonly kind: 'codel';
  readonly target: Micros;
  readonly interval: Micros;
  readonly ecn: boolean;
}

export type Aqm = Red | CoDel;

export const AQM_EXAMPLES = ['red min=5packets max=15packets probability=10% ecn', 'codel target=5ms'];
const REMEDY = `write e.g. ${AQM_EXAMPLES.join(', or ')}`;
/** It matches whatever `parseAqm` accepts. */
export const AQM_PATTERN = String.raw`^\s*(?:red|codel)(?:\s+\S+)*\s*$`;

const RED_DEFAULTS = { min: '5packets', max: '15packets', probability: '10%', weight: '0.002' };
const CODEL_DEFAULTS = { target: '5ms', interval: '100ms' };
/** The program keeps times of CoDel in 32 bits of nanoseconds. */
const MAX_INTERVAL_MICROS = 4_000_000;
const MAX_SHIFT = 20;

/** The canonical text, with all parameters. Throws `UnitError`. */
export function parseAqm(text: string): string {
  return read(text).text;
}

const known = new Map<string, Aqm>();

/** What a text of `parseAqm` says. */
export function aqmOf(text: string): Aqm {
  let found = known.get(text);
  if (found) return found;
  found = read(text).aqm;
  // Texts of one process are those of its topologies.
  if (known.size >= 10_000) known.clear();
  known.set(text, found);
  return found;
}

/** The least room of a buffer that it manages, bytes. */
export const roomFor = (aqm: Aqm): number => (aqm.kind === 'red' ? 2 * aqm.maxBytes : 0);

function read(text: string): { readonly text: string; readonly aqm: Aqm } {
  requireShort(text, 'the management of a queue', REMEDY);
  const [kind = '', ...words] = text.trim().split(/\s+/);
  if (kind === 'red') return red(settings(words, RED_DEFAULTS, text), text);
  if (kind === 'codel') return coDel(settings(words, CODEL_DEFAULTS, text), text);
  throw new UnitError('UNIT_SYNTAX', `"${text}" manages no queue`, REMEDY);
}

type Settings<D> = { readonly [K in keyof D]: string } & { readonly ecn: boolean };

function red({ ecn, ...of }: Settings<typeof RED_DEFAULTS>, text: string): ReturnType<typeof read> {
  const [min, max] = [threshold(of.min), threshold(of.max)];
  const probability = parsePercentage(of.probability);
  const weight = /^\d?\.?\d+$/.test(of.weight) ? Number(of.weight) : Number.NaN;
  const weightShift = Math.round(-Math.log2(weight));
  const wrong = (what: string, remedy: string): UnitError =>
    new UnitError('UNIT_RANGE', `"${text}" ${what}`, remedy);
  if (min.bytes >= max.bytes)
    throw wrong('has a min that is not below its max', 'write the smaller one as min');
  if (probability <= 0) throw wrong('never drops a packet below its max', 'write a probability above 0%');
  if (!(weightShift >= 1 && weightShift <= MAX_SHIFT))
    throw wrong('has a weight that is not from 0.000001 to 0.5', 'write e.g. weight=0.002');
  const words = [`min=${min.text}`, `max=${max.text}`, `probability=${formatRatio(probability)}`];
  return {
    text: ['red', ...words, `weight=${weight}`, ...(ecn ? ['ecn'] : [])].join(' '),
    aqm: { kind: 'red', minBytes: min.bytes, maxBytes: max.bytes, probability, weightShift, ecn },
  };
}

function coDel({ ecn, ...of }: Settings<typeof CODEL_DEFAULTS>, text: string): ReturnType<typeof read> {
  const [target, interval] = [parseLatency(of.target), parseLatency(of.interval)];
  if (target <= 0 || target >= interval || interval > MAX_INTERVAL_MICROS)
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" has a target that is not below its interval, or an interval above 4s`,
      'write e.g. target=5ms interval=100ms',
    );
  const words = ['codel', `target=${formatMicros(target)}`, `interval=${formatMicros(interval)}`];
  return {
    text: [...words, ...(ecn ? ['ecn'] : [])].join(' '),
    aqm: { kind: 'codel', target, interval, ecn },
  };
}

/** `5packets`, of full frames, or `7570B`. */
function threshold(text: string): { readonly bytes: number; readonly text: string } {
  const packets = /^(\d{1,7})packets?$/.exec(text)?.[1];
  const bytes = packets === undefined ? parseBytes(text) : Number(packets) * FULL_FRAME_BYTES;
  if (bytes < FULL_FRAME_BYTES || bytes > 2 ** 31)
    throw new UnitError('UNIT_RANGE', `"${text}" is not from one full frame to 2 GiB`, 'write e.g. 5packets');
  return { bytes, text: packets === undefined ? `${bytes}B` : `${Number(packets)}packets` };
}

function settings<D extends Readonly<Record<string, string>>>(
  words: readonly string[],
  defaults: D,
  text: string,
): Settings<D> {
  const found = new Map<string, string>();
  for (const word of words) {
    const [, name = word, value = ''] = /^([a-z]+)=(.+)$/.exec(word) ?? [];
    const isKnown = word === 'ecn' || (value !== '' && Object.hasOwn(defaults, name));
    if (!isKnown || found.has(name))
      throw new UnitError(
        'UNIT_SYNTAX',
        `"${word}" does not belong into "${text}"`,
        `write ecn, and each of ${Object.keys(defaults).join(', ')} once, e.g. min=5packets`,
      );
    found.set(name, value);
  }
  return { ...defaults, ...Object.fromEntries(found), ecn: found.has('ecn') } as Settings<D>;
}

/** `queue: { kind: red, limit: 60 packets, … }` of a file. */
export interface QueueSettings {
  readonly kind: 'droptail' | 'red' | 'codel';
  readonly limit?: QueueSize | undefined;
  readonly [parameter: string]: unknown;
}

/** The size, and how it is managed. Throws `UnitError`. */
export function managedQueue({
  kind,
  limit,
  ecn,
  ...of
}: QueueSettings): QueueSize & { readonly aqm?: string } {
  const parameters = Object.entries(of).filter(([, value]) => value !== undefined);
  const size = limit ?? {};
  if (kind === 'droptail') {
    const [name = ecn === true ? 'ecn' : undefined] = parameters.map(([key]) => key);
    if (name === undefined) return size;
    throw new UnitError(
      'UNIT_SYNTAX',
      `a queue that drops its tail has no ${name}`,
      `leave ${name} out, or write kind: red`,
    );
  }
  const words = parameters.map(([name, value]) => `${name}=${String(value).replace(/\s+/g, '')}`);
  return { ...size, aqm: parseAqm([kind, ...words, ...(ecn === true ? ['ecn'] : [])].join(' ')) };
}
