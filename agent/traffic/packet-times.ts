/** When a source sends its messages, and how long they are. Pure: the same in each run of the same file. */
import { bitsOf, fromSeconds, type Micros } from '../../proto/units.ts';
import { packetsOfFlows, readFlowTrace, readPacketTrace } from '../../topology/model/packet-trace.ts';
import {
  DATAGRAM_OVERHEAD,
  type FlowWindow,
  isConversation,
  type Traffic,
} from '../../topology/model/traffic.ts';
import { Draws } from './draws.ts';
import { TELNET_INTERARRIVALS } from './tcplib.ts';

/** What decides the times of one source. */
export type TimedTraffic = Pick<
  Traffic,
  'kind' | 'protocol' | 'size' | 'on' | 'off' | 'shape' | 'interval' | 'trace' | 'flows' | 'seed'
> & {
  /** 0: it has none. */
  readonly rate: number;
};

/** Times are in microseconds since the start of the experiment. */
export interface Timetable {
  /** When the next message is due; infinite: there is none any more in this window. */
  readonly due: number;
  /** Its bytes. */
  readonly size: number;
  /** The end of the window. */
  until: number;
  /** It was sent, or it is too late for it. */
  advance(): void;
  /** Leaves out what was due before `now`; returns how many messages that were. */
  skipTo(now: number): number;
}

/** `index`: the source's among all of the file; `turn`: which of its windows. Not of conversations, which have no times. */
export function timetableOf(
  traffic: TimedTraffic,
  index: number,
  window: FlowWindow,
  turn: number,
): Timetable {
  const draws = new Draws(traffic.seed, index, turn);
  switch (traffic.kind) {
    case 'telnet':
      return new KeyTimes(traffic, draws, window);
    case 'trace':
    case 'flows':
      return new TraceTimes(traffic, window);
    default:
      return new PacketTimes(traffic, draws, window);
  }
}

export const hasTimetable = ({ kind }: Pick<TimedTraffic, 'kind'>): boolean => !isConversation(kind);

/** From one datagram to the next while it sends, in microseconds. */
export const intervalOf = ({ size, rate }: Pick<TimedTraffic, 'size' | 'rate'>): Micros =>
  fromSeconds(bitsOf(size + DATAGRAM_OVERHEAD) / rate);

abstract class Times implements Timetable {
  until: number;
  readonly #size: number;

  constructor(until: number, size: number) {
    this.until = until;
    this.#size = size;
  }

  /** When the next one would be due if the window had no end. */
  protected abstract get next(): number;
  abstract advance(): void;

  get due(): number {
    const { next } = this;
    return next < this.until ? next : Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#size;
  }

  skipTo(now: number): number {
    let left = 0;
    for (; this.due < now; left++) this.advance();
    return left;
  }
}

/**
 * At a constant rate, or in bursts, which are those of ns-2 (expoo.cc, pareto.cc): of a drawn time, as many datagrams as have room in
 * it, at least one; then a drawn pause.
 */
class PacketTimes extends Times {
  readonly #traffic: TimedTraffic;
  readonly #interval: number;
  readonly #draws: Draws;
  /** Beginning of the burst, and datagrams that it has sent: no rounding adds up. */
  #begin: number;
  #sent = 0;
  #burst = Number.POSITIVE_INFINITY;

  constructor(traffic: TimedTraffic, draws: Draws, { from, until }: FlowWindow) {
    super(until, traffic.size);
    this.#traffic = traffic;
    this.#interval = intervalOf(traffic);
    this.#draws = draws;
    this.#begin = from;
    if (traffic.kind !== 'constant') this.#burst = this.#drawBurst();
  }

  protected get next(): number {
    return this.#begin + this.#sent * this.#interval;
  }

  advance(): void {
    if (++this.#sent < this.#burst) return;
    this.#begin += this.#sent * this.#interval + this.#draw(this.#traffic.off);
    this.#sent = 0;
    this.#burst = this.#drawBurst();
  }

  override skipTo(now: number): number {
    if (this.#traffic.kind !== 'constant' || this.due >= now) return super.skipTo(now);
    const left = Math.ceil((Math.min(now, this.until) - this.due) / this.#interval);
    this.#sent += left;
    return left;
  }

  #drawBurst(): number {
    return Math.max(1, Math.floor(this.#draw(this.#traffic.on) / this.#interval + 0.5));
  }

  #draw(mean: number): number {
    const { kind, shape } = this.#traffic;
    return kind === 'exponential' ? this.#draws.exponential(mean) : this.#draws.pareto(mean, shape);
  }
}

/** A message for each key: times between them are tcplib's, or exponential with the mean that was asked for, as ns-2's `interval_`. */
class KeyTimes extends Times {
  readonly #interval: Micros | undefined;
  readonly #draws: Draws;
  #next: number;

  constructor({ size, interval }: TimedTraffic, draws: Draws, { from, until }: FlowWindow) {
    super(until, size);
    this.#interval = interval;
    this.#draws = draws;
    this.#next = from;
    this.advance();
  }

  protected get next(): number {
    return this.#next;
  }

  advance(): void {
    this.#next +=
      this.#interval === undefined
        ? fromSeconds(this.#draws.fromPoints(TELNET_INTERARRIVALS))
        : this.#draws.exponential(this.#interval);
  }
}

/** What is sent, and when: microseconds since the beginning, and bytes. */
interface Played {
  readonly at: Float64Array;
  readonly size: ArrayLike<number>;
}

/** Many sources may play one trace. */
const TRACES = new Map<string, Played>();

function playedBy({ trace, flows, protocol }: TimedTraffic): Played {
  const key = `${protocol} ${trace ?? flows}`;
  const known = TRACES.get(key) ??
    (flows === undefined ? readPacketTrace(trace ?? '') : messagesOf(flows, protocol)) ?? {
      ...{ at: new Float64Array(), size: [] },
    };
  TRACES.set(key, known);
  return known;
}

/** Of TCP, each flow is a message: a connection of its own has all of it at once. */
function messagesOf(text: string, protocol: TimedTraffic['protocol']): Played | undefined {
  const flows = readFlowTrace(text);
  if (!flows) return undefined;
  return protocol === 'udp' ? packetsOfFlows(flows) : { at: flows.at, size: flows.bytes };
}

/** The packets or flows of a trace, once in each window, from its beginning on. */
class TraceTimes extends Times {
  readonly #trace: Played;
  readonly #from: number;
  #place = 0;

  constructor(traffic: TimedTraffic, { from, until }: FlowWindow) {
    super(until, traffic.size);
    this.#trace = playedBy(traffic);
    this.#from = from;
  }

  protected get next(): number {
    const at = this.#trace.at[this.#place];
    return at === undefined ? Number.POSITIVE_INFINITY : this.#from + at;
  }

  override get size(): number {
    return this.#trace.size[this.#place] ?? 0;
  }

  advance(): void {
    this.#place++;
  }
}
