/**
 * Packets that several machines have taken, each at its own end of a path: what left at one is known again where it arrived at another. What
 * each file says of its own packets stays; what it could not know is added. Pure.
 */
import { formatMicros, type Micros, micros } from '../../proto/units.ts';
import { LONGEST_PACKET, type Packet, parseFrame } from './format/packet.ts';

/** An interface of one of the files. */
export interface MatchedInterface {
  /** Of its endpoint; the same endpoint may be in several files. */
  readonly name: string;
  /** Number of its file. */
  readonly file: number;
  /** In the form of `addressText`. */
  readonly addresses: readonly string[];
  /** While it surely was watched: from its first packet to its last, by the one clock of all. */
  readonly firstAt: Micros;
  readonly lastAt: Micros;
  readonly filter: string | undefined;
  readonly dropped: number;
}

export interface MatchedPacket {
  /** Number of the interface. */
  readonly interface: number;
  /** By the one clock of all. */
  readonly at: Micros;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly isOutgoing: boolean;
  readonly comment: string | undefined;
}

/** Of packets from an endpoint of one file to that of another. */
export interface MatchedEnds {
  sent: number;
  arrived: number;
  lost: number;
  /** One cannot say. */
  unknown: number;
}

interface Alike {
  readonly sent: Waiting[];
  readonly arrived: Waiting[];
  last: Micros;
}

interface Waiting {
  readonly packet: MatchedPacket;
  readonly parsed: Packet | undefined;
  readonly alike: Alike | undefined;
}

/** A packet that takes longer is not known again. */
export const MATCH_WAIT = micros(5_000_000);
/** Whole prefixes of what a capture says (follower.ts). */
const NOT_DELIVERED = 'lost here';
const DELIVERED = 'at the interface ';

/** `packets`: in the order of their times. Yields all of them in this order; `ends` is counted meanwhile. */
export function* matched(
  packets: Iterable<MatchedPacket>,
  interfaces: readonly MatchedInterface[],
  ends: MatchedEnds,
): Generator<MatchedPacket> {
  const matching = new Matching(interfaces, ends);
  for (const packet of packets) {
    matching.take(packet);
    yield* matching.ready(packet.at);
  }
  yield* matching.ready(Number.POSITIVE_INFINITY);
}

class Matching {
  readonly #interfaces: readonly MatchedInterface[];
  readonly #ends: MatchedEnds;
  readonly #endpointOf: ReadonlyMap<string, string>;
  readonly #alike = new Map<string, Alike>();
  #waiting: Waiting[] = [];
  #first = 0;

  constructor(interfaces: readonly MatchedInterface[], ends: MatchedEnds) {
    this.#interfaces = interfaces;
    this.#ends = ends;
    this.#endpointOf = new Map(
      interfaces.flatMap(({ name, addresses }) => addresses.map((address) => [address, name] as const)),
    );
  }

  take(packet: MatchedPacket): void {
    const parsed = parseFrame(packet.bytes);
    const to = parsed && this.#endpointOf.get(parsed.destination);
    const { name } = this.#interfaces[packet.interface]!;
    const isOurs = packet.isOutgoing
      ? packet.comment === undefined && to !== undefined && to !== name && this.#isElsewhere(packet, to)
      : to === name;
    const alike = isOurs ? this.#alikeOf(`${to} ${parsed!.key}`, packet.at) : undefined;
    const waiting = { packet, parsed, alike };
    if (alike) (packet.isOutgoing ? alike.sent : alike.arrived).push(waiting);
    this.#waiting.push(waiting);
  }

  /** Whether no interface of the packet's own file could have seen it arrive. */
  #isElsewhere({ interface: number }: MatchedPacket, to: string): boolean {
    const { file } = this.#interfaces[number]!;
    return !this.#interfaces.some((one) => one.file === file && one.name === to);
  }

  #alikeOf(name: string, at: Micros): Alike {
    const found = this.#alike.get(name);
    if (found) {
      found.last = at;
      return found;
    }
    const made: Alike = { sent: [], arrived: [], last: at };
    this.#alike.set(name, made);
    return made;
  }

  /** Those of which everything is known at that time. */
  *ready(now: number): Generator<MatchedPacket> {
    const due = now - MATCH_WAIT;
    for (; this.#first < this.#waiting.length && this.#waiting[this.#first]!.packet.at <= due; this.#first++)
      yield this.#said(this.#waiting[this.#first]!);
    // What is done is taken away now and then, since each time would cost as much as all that waits.
    if (this.#first < SWEEP) return;
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
    for (const [name, { last }] of this.#alike) if (last + MATCH_WAIT < due) this.#alike.delete(name);
  }

  #said(waiting: Waiting): MatchedPacket {
    const { packet, alike } = waiting;
    if (!alike) return packet;
    const comment = packet.isOutgoing ? this.#endOf(waiting, alike) : this.#origin(waiting, alike);
    return comment === undefined ? packet : { ...packet, comment };
  }

  #endOf({ packet, parsed }: Waiting, { sent, arrived }: Alike): string {
    const ends = this.#ends;
    const to = this.#endpointOf.get(parsed!.destination)!;
    const reached = arrived.filter(({ packet: { comment } }) => comment?.startsWith(NOT_DELIVERED) !== true);
    ends.sent++;
    if (sent.length > 1) {
      ends.unknown++;
      return `one of ${sent.length} that are alike, of which ${reached.length} arrived at ${to}`;
    }
    const [first, ...more] = reached;
    if (first) {
      ends.arrived++;
      const again = more.map((one) => span(packet, one.packet)).join(', ');
      const doing = first.packet.comment?.includes(DELIVERED) ? 'delivered' : 'arrived';
      return `${doing} at ${to} after ${span(packet, first.packet)}${again === '' ? '' : `, and again after ${again}: duplicated`}`;
    }
    const [held] = arrived;
    if (held) {
      ends.lost++;
      return `lost at ${to}: at its interface after ${span(packet, held.packet)}, not delivered`;
    }
    const unknown = this.#whyUnknown(packet, parsed!, to);
    if (unknown !== undefined) {
      ends.unknown++;
      return `not seen at ${to}: ${unknown}`;
    }
    ends.lost++;
    return `lost: not at the interface of ${to} within ${formatMicros(MATCH_WAIT)}`;
  }

  /** `undefined`: whoever did not see it there can say that it was lost. */
  #whyUnknown({ at, interface: number }: MatchedPacket, parsed: Packet, to: string): string | undefined {
    if (parsed.isFragment) return 'a fragment, which is delivered as a part of the whole';
    if (parsed.length > LONGEST_PACKET) return 'a train of packets, which may be delivered one by one';
    const there = this.#interfaces.filter(({ name }) => name === to);
    const watching = there.filter(({ firstAt, lastAt }) => firstAt <= at && at + MATCH_WAIT <= lastAt);
    if (watching.length === 0) return 'its end was not surely watched at that time';
    if (watching.every(({ dropped }) => dropped > 0)) return 'the capture there has missed packets';
    const { filter } = this.#interfaces[number]!;
    const isSame = watching.some((one) => one.filter === filter && one.dropped === 0);
    return isSame ? undefined : 'another filter was used there';
  }

  #origin({ packet }: Waiting, { sent, arrived }: Alike): string | undefined {
    const [first] = sent;
    if (first === undefined || sent.length > 1 || arrived.length > 1) return undefined;
    const { name } = this.#interfaces[first.packet.interface]!;
    const own = packet.comment === undefined ? [] : [packet.comment];
    return [`sent by ${name} ${span(first.packet, packet)} before`, ...own].join(', ');
  }
}

/** So many are done before they are taken away. */
const SWEEP = 10_000;

const span = (from: MatchedPacket, to: MatchedPacket): string => formatMicros(Math.max(0, to.at - from.at));
