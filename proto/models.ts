/**
 * What packets meet besides delay, rate and independent loss, as texts: models of loss (`bursts 1% of 5 packets`), slots of
 * time (`2ms..4ms`), quantiles of jitter. A property is such a text in its canonical form, so that two of them are the same
 * where their texts are, and JSON has them as they are. `parse…` gives the canonical text or throws `UnitError`; `…Of` reads it.
 *
 * Two states: Gilbert, 1960; Elliott, 1963; parameters as Haßlinger and Hohlfeld name them ("The Gilbert-Elliott model for
 * packet loss in real time services on the Internet", MMB 2008). Four states: Salsano, Ludovici and Ordine, "Definition of a
 * general and intuitive loss model for packet networks and its implementation in the Netem module in the Linux kernel", 2012.
 */
import {
  formatMicros,
  formatRatio,
  MAX_LATENCY,
  type Micros,
  parseLatency,
  parsePercentage,
  ratio,
  requireShort,
  UnitError,
} from './units.ts';

/**
 * For each packet: it is lost by the state, then the state changes. `p`: from good to bad; `r`: back; `h` and `k`: how many
 * packets pass in the bad and the good state.
 */
export interface TwoStates {
  readonly kind: 'two states';
  readonly p: number;
  readonly r: number;
  readonly h: number;
  readonly k: number;
}

/** For each packet the state changes, then it is lost in states 3 (in a burst) and 4 (alone), not in 1 and 2 (in a burst). */
export interface FourStates {
  readonly kind: 'four states';
  readonly p13: number;
  readonly p31: number;
  readonly p32: number;
  readonly p23: number;
  readonly p14: number;
}

/** Of so many packets of a path, the last one is lost. */
export interface EveryNth {
  readonly kind: 'every';
  readonly packets: number;
}

export type LossModel = TwoStates | FourStates | EveryNth;

export const LOSS_MODEL_EXAMPLES = [
  'bursts 1% of 5 packets',
  'correlated 1% 25%',
  'gilbert-elliott p=1% r=20% h=10%',
  'markov p13=1% p31=30% p32=10% p23=50%',
  'every 100 packets',
];
const REMEDY = `write e.g. ${LOSS_MODEL_EXAMPLES.slice(0, 3).join(', or ')}`;
/** As those of units.ts: it matches whatever `parseLossModel` accepts. */
export const LOSS_MODEL_PATTERN = String.raw`^\s*(?:gilbert-elliott|markov|bursts|correlated|every)(?:\s+\S+)+\s*$`;

/** The canonical text. Throws `UnitError`, also where parameters contradict each other. */
export function parseLossModel(text: string): string {
  return readLossModel(text).text;
}

const known = new Map<string, LossModel>();
/** Texts of one process are those of its topologies. */
const MOST_KNOWN = 10_000;

/** What a text of `parseLossModel` says. */
export function lossModelOf(text: string): LossModel {
  let model = known.get(text);
  if (model) return model;
  model = readLossModel(text).model;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, model);
  return model;
}

/** How many packets it loses in the long run. */
export function meanLoss(model: LossModel): number {
  if (model.kind === 'every') return 1 / model.packets;
  if (model.kind === 'two states') {
    const { p, r, h, k } = model;
    return p === 0 ? 1 - k : (p * (1 - h) + r * (1 - k)) / (p + r);
  }
  const { p13, p31, p32, p23, p14 } = model;
  // The probability of each state, as a multiple of that of state 1: what enters a state leaves it.
  const third = p13 === 0 ? 0 : p13 / p31;
  const second = third === 0 || p32 === 0 ? 0 : (third * p32) / p23;
  return (third + p14) / (1 + second + third + p14);
}

interface Read {
  readonly text: string;
  readonly model: LossModel;
}

function readLossModel(text: string): Read {
  requireShort(text, 'a model of loss', REMEDY);
  const [kind = '', ...words] = text.trim().split(/\s+/);
  switch (kind) {
    case 'gilbert-elliott':
      return gilbertElliott(words, text);
    case 'markov':
      return markov(words, text);
    case 'bursts':
      return bursts(words, text);
    case 'correlated':
      return correlated(words, text);
    case 'every':
      return everyNth(words, text);
    default:
      throw new UnitError('UNIT_SYNTAX', `"${text}" is no model of loss`, REMEDY);
  }
}

function gilbertElliott(words: readonly string[], text: string): Read {
  const { p, r, h = 0, k = 1 } = settings(words, ['p', 'r'], ['h', 'k'], text);
  if (p! > 0 && r === 0)
    throw contradiction(text, 'never leaves its bad state', 'write r above 0%: from bad to good');
  if (h > k)
    throw contradiction(
      text,
      'loses more in its good state than in its bad one',
      'h and k are how many packets pass in the bad and the good state, so h is the smaller one',
    );
  const optional = [...(h > 0 ? [setting('h', h)] : []), ...(k < 1 ? [setting('k', k)] : [])];
  return {
    text: ['gilbert-elliott', setting('p', p!), setting('r', r!), ...optional].join(' '),
    model: { kind: 'two states', p: p!, r: r!, h, k },
  };
}

function markov(words: readonly string[], text: string): Read {
  const {
    p13,
    p31,
    p32 = 0,
    p23 = 0,
    p14 = 0,
  } = settings(words, ['p13', 'p31'], ['p32', 'p23', 'p14'], text);
  const wrong = (what: string, remedy: string): UnitError => contradiction(text, what, remedy);
  if (p13! + p14 > 1) throw wrong('leaves state 1 with more than 100%', 'p13 + p14 is at most 100%');
  if (p31! + p32 > 1) throw wrong('leaves state 3 with more than 100%', 'p31 + p32 is at most 100%');
  if (p13! > 0 && p31 === 0) throw wrong('never leaves a burst', 'write p31 above 0%');
  if (p32 > 0 && p23 === 0) throw wrong('never leaves state 2', 'write p23 above 0%, or p32=0%');
  if (p32 === 0 && p23 > 0) throw wrong('never comes to state 2', 'write p32 above 0%, or leave p23 out');
  const optional = Object.entries({ p32, p23, p14 }).filter(([, value]) => value > 0);
  return {
    text: [
      'markov',
      setting('p13', p13!),
      setting('p31', p31!),
      ...optional.map(([name, value]) => setting(name, value)),
    ].join(' '),
    model: { kind: 'four states', p13: p13!, p31: p31!, p32, p23, p14 },
  };
}

/** `1% of 5 packets`: that part of all packets, in runs of that mean length. */
function bursts(words: readonly string[], text: string): Read {
  const [loss = '', of, length = '', unit, ...more] = words;
  if (of !== 'of' || !isPackets(unit) || more.length > 0 || !/^\d{1,7}(?:\.\d{1,6})?$/.test(length))
    throw new UnitError('UNIT_SYNTAX', `"${text}" does not say how long bursts are`, REMEDY);
  const share = parsePercentage(loss);
  const packets = Number(length);
  if (packets < 1) throw contradiction(text, 'has bursts of less than one packet', 'write at least 1 packet');
  const r = 1 / packets;
  const p = (share * r) / (1 - share);
  if (!(p <= 1))
    throw contradiction(
      text,
      'loses more than bursts of that length can',
      `at most ${formatRatio(1 / (1 + r))} of all packets, or longer bursts`,
    );
  const unitOf = packets === 1 ? 'packet' : 'packets';
  return {
    text: `bursts ${formatRatio(share)} of ${packets} ${unitOf}`,
    model: { kind: 'two states', p, r, h: 0, k: 1 },
  };
}

/**
 * `1% 25%`: how many packets are lost, and how far the loss of one follows that of the packet before (the autocorrelation of
 * lag 1, which of lag n is its n-th power).
 */
function correlated(words: readonly string[], text: string): Read {
  if (words.length !== 2)
    throw new UnitError('UNIT_SYNTAX', `"${text}" is not a loss and its correlation`, REMEDY);
  const [loss, correlation] = [parsePercentage(words[0]!), parsePercentage(words[1]!)];
  if (correlation === 1)
    throw contradiction(text, 'loses all packets or none', 'write a correlation below 100%');
  const free = 1 - correlation;
  return {
    text: `correlated ${formatRatio(loss)} ${formatRatio(correlation)}`,
    model: { kind: 'two states', p: loss * free, r: (1 - loss) * free, h: 0, k: 1 },
  };
}

/** `100 packets`. */
function everyNth(words: readonly string[], text: string): Read {
  const [number = '', unit, ...more] = words;
  const packets = /^\d{1,9}$/.test(number) ? Number(number) : 0;
  if (packets < 1 || !isPackets(unit) || more.length > 0)
    throw new UnitError('UNIT_SYNTAX', `"${text}" does not say of how many packets one is lost`, REMEDY);
  return {
    text: `every ${packets} ${packets === 1 ? 'packet' : 'packets'}`,
    model: { kind: 'every', packets },
  };
}

const isPackets = (word: string | undefined): boolean => word === 'packet' || word === 'packets';
const setting = (name: string, value: number): string => `${name}=${formatRatio(ratio(value))}`;

function contradiction(text: string, what: string, remedy: string): UnitError {
  return new UnitError('UNIT_RANGE', `"${text}" ${what}`, remedy);
}

/** `p=1% r=20%`: each name once. */
function settings(
  words: readonly string[],
  needed: readonly string[],
  optional: readonly string[],
  text: string,
): Readonly<Record<string, number>> {
  const found = new Map<string, number>();
  for (const word of words) {
    const [, name = '', value = ''] = /^([a-z0-9]+)=(.+)$/.exec(word) ?? [];
    if (![...needed, ...optional].includes(name) || found.has(name)) {
      const all = [...needed, ...optional].join(', ');
      throw new UnitError(
        'UNIT_SYNTAX',
        `"${word}" does not belong into "${text}"`,
        `write each of ${all} once`,
      );
    }
    found.set(name, parsePercentage(value));
  }
  const missing = needed.find((name) => !found.has(name));
  if (missing !== undefined)
    throw new UnitError('UNIT_SYNTAX', `"${text}" has no ${missing}`, `write e.g. ${missing}=10%`);
  return Object.fromEntries(found);
}

const DISTANCE = /^(\d{1,5})\s*packets?$/;
export const DISTANCE_PATTERN = String.raw`^\s*\d{1,5}\s*packets?\s*$`;
/** A path holds so many packets for one that waits for others; more is a slip. */
const MAX_DISTANCE = 10_000;

/** `3 packets`: how many packets overtake one that is reordered. Throws `UnitError`. */
export function parseDistance(text: string): number {
  const remedy = 'write e.g. 3 packets';
  requireShort(text, 'a number of packets', remedy);
  const packets = Number(DISTANCE.exec(text.trim())?.[1] ?? Number.NaN);
  if (Number.isNaN(packets)) throw new UnitError('UNIT_SYNTAX', `"${text}" is no number of packets`, remedy);
  if (packets >= 1 && packets <= MAX_DISTANCE) return packets;
  throw new UnitError('UNIT_RANGE', `"${text}" is not 1 to ${MAX_DISTANCE} packets`, remedy);
}

/** As `parseDistance` reads it. */
export const formatDistance = (packets: number): string => `${packets} packets`;

/** A path's packets leave at instants that are so far apart, drawn uniformly. */
export interface Slots {
  readonly least: Micros;
  readonly most: Micros;
}

const SLOT_REMEDY = 'write e.g. 5ms, or 2ms..4ms';
export const SLOT_PATTERN = String.raw`^\s*[\d.]+\s*[a-zµ]+\s*(?:\.\.\s*[\d.]+\s*[a-zµ]+\s*)?$`;

/** `5ms` or `2ms..4ms`. Throws `UnitError`. */
export function parseSlots(text: string): string {
  requireShort(text, 'a time between slots', SLOT_REMEDY);
  const [from = '', to = from, ...more] = text.split('..');
  if (more.length > 0) throw new UnitError('UNIT_SYNTAX', `"${text}" is no range of times`, SLOT_REMEDY);
  const [least, most] = [parseLatency(from), parseLatency(to)];
  if (least === 0 || most > MAX_LATENCY)
    throw new UnitError('UNIT_RANGE', `"${text}" leaves no time between slots`, SLOT_REMEDY);
  if (least > most)
    throw new UnitError(
      'UNIT_RANGE',
      `"${text}" goes backwards`,
      'write the shorter time first, e.g. 2ms..4ms',
    );
  return least === most ? formatMicros(least) : `${formatMicros(least)}..${formatMicros(most)}`;
}

export function slotsOf(text: string): Slots {
  const [least = '', most = least] = text.split('..');
  return { least: parseLatency(least), most: parseLatency(most) };
}

/** Mean time between them. */
export const meanSlot = ({ least, most }: Slots): number => (least + most) / 2;

export const FEWEST_QUANTILES = 8;
const MOST_QUANTILES = 1024;
const QUANTILES_REMEDY = 'write distribution: FILE.csv, or let netfold check --expand write them';
/** Characters of all quantiles; each has few digits. */
const MOST_QUANTILES_TEXT = 16 * MOST_QUANTILES;
export const QUANTILES_PATTERN = String.raw`^\s*-?[\d.]+(?:\s+-?[\d.]+)+\s*$`;

/** Ascending numbers of equal probability, in any unit. Throws `UnitError`. */
export function parseQuantiles(text: string): string {
  const wrong = (what: string): UnitError =>
    new UnitError('UNIT_SYNTAX', `the quantiles ${what}`, QUANTILES_REMEDY);
  if (text.length > MOST_QUANTILES_TEXT) throw wrong('are too many');
  const words = text.trim().split(/\s+/);
  if (words.length < FEWEST_QUANTILES || words.length > MOST_QUANTILES)
    throw wrong(`are ${words.length}, not ${FEWEST_QUANTILES} to ${MOST_QUANTILES}`);
  if (!words.every((word) => /^-?\d{1,9}(?:\.\d{1,6})?$/.test(word)))
    throw wrong('are not all plain numbers');
  const values = words.map(Number);
  if (values.some((value, index) => index > 0 && value < values[index - 1]!)) throw wrong('do not ascend');
  if (values[0] === values.at(-1)) throw wrong('are all the same');
  return values.join(' ');
}

export function quantilesOf(text: string): readonly number[] {
  return text.split(' ').map(Number);
}
