/**
 * Follows each packet from the interface that it leaves to the stack that it reaches, and says of it what became of it. Everything is held
 * back for the same time, after which all that will be known of a packet is known; so packets come out in the order of their times. Pure.
 */
import { formatMicros, type Micros, micros } from '../../proto/units.ts';
import { LONGEST_PACKET, type Packet, parseFrame, WATCHED } from './format/packet.ts';

export interface FollowedEndpoint {
  readonly name: string;
  /** In the form of `addressText`. */
  readonly addresses: readonly string[];
  /** Whether what its stack delivers is told, by `delivered`. Where packets wait before their interface only, that says nothing. */
  readonly isWitnessed: boolean;
}

/** A frame at the interface of an endpoint. */
export interface Sighting {
  /** Number of the endpoint. */
  readonly endpoint: number;
  readonly at: Micros;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly isOutgoing: boolean;
}

export interface Followed extends Sighting {
  readonly comment: string | undefined;
}

/** How many packets between endpoints of this capture had which end. */
export interface Ends {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  /** One cannot say: fragments, trains, packets that are alike, the end of the capture. */
  unknown: number;
}

/** All with one key at one destination. */
interface Alike {
  readonly sent: Waiting[];
  readonly arrived: Waiting[];
  /** Instants, in their order. */
  readonly delivered: Micros[];
  last: Micros;
}

interface Waiting {
  readonly seen: Sighting;
  readonly packet: Packet | undefined;
  /** Of both, if the receiver is an endpoint of this capture. */
  readonly alike: Alike | undefined;
  /** -1: none of this capture. */
  readonly from: number;
  readonly to: number;
}

/** More that are alike are not counted: none of them is known from the others. */
const MOST_ALIKE = 1000;
/** Deliveries are known at once, arrivals when the kernel hands over their block. */
const ARRIVAL_LAG = micros(200_000);

export class Follower {
  readonly ends: Ends = { sent: 0, delivered: 0, lost: 0, duplicated: 0, unknown: 0 };
  /** Whether this capture itself has missed packets: whoever is not seen need not be lost. */
  hasMissed = false;
  readonly #endpoints: readonly FollowedEndpoint[];
  readonly #endpointOf: ReadonlyMap<string, number>;
  readonly #wait: Micros;
  readonly #alike = new Map<string, Alike>();
  #waiting: Waiting[] = [];
  #ready: Followed[] = [];

  /** `wait`: how long a packet may take. */
  constructor(endpoints: readonly FollowedEndpoint[], wait: Micros) {
    this.#endpoints = endpoints;
    this.#wait = wait;
    this.#endpointOf = new Map(
      endpoints.flatMap(({ addresses }, index) => addresses.map((address) => [address, index] as const)),
    );
  }

  /** Frames that are held back. */
  get held(): number {
    return this.#waiting.length + this.#ready.length;
  }

  see(seen: Sighting): void {
    const packet = parseFrame(seen.bytes);
    const from = (packet && this.#endpointOf.get(packet.source)) ?? -1;
    const to = (packet && this.#endpointOf.get(packet.destination)) ?? -1;
    // Frames of others pass a switch, too. Of what comes from elsewhere, what becomes of it here is seen nevertheless.
    const isOwn = seen.isOutgoing
      ? seen.endpoint === from && to >= 0 && from !== to
      : seen.endpoint === to && from !== to;
    const alike = isOwn ? this.#alikeOf(to, packet!.key, seen.at) : undefined;
    const waiting = { seen, packet, alike, from, to };
    const list = seen.isOutgoing ? alike?.sent : alike?.arrived;
    if (list && list.length < MOST_ALIKE) list.push(waiting);
    this.#waiting.push(waiting);
  }

  /** The stack of an endpoint has got a packet. */
  delivered(endpoint: number, key: string, at: Micros): void {
    const { delivered } = this.#alikeOf(endpoint, key, at);
    if (delivered.length < MOST_ALIKE) delivered.push(at);
  }

  #alikeOf(to: number, key: string, at: Micros): Alike {
    const name = `${to} ${key}`;
    const found = this.#alike.get(name);
    if (found) {
      found.last = micros(Math.max(found.last, at));
      return found;
    }
    const made: Alike = { sent: [], arrived: [], delivered: [], last: at };
    this.#alike.set(name, made);
    return made;
  }

  /** All packets of which everything is known now, in the order of their times. `isEnd`: nothing more is seen, and all come out. */
  take(now: Micros, isEnd = false): Followed[] {
    const due = isEnd ? Number.POSITIVE_INFINITY : now - this.#wait;
    const later: Waiting[] = [];
    for (const waiting of this.#waiting) {
      if (waiting.seen.at <= due) this.#finish(waiting, now);
      else later.push(waiting);
    }
    this.#waiting = later;
    const out = this.#ready.filter(({ at }) => at <= due);
    this.#ready = this.#ready.filter(({ at }) => at > due);
    for (const [name, { last }] of this.#alike)
      if (last + this.#wait + ARRIVAL_LAG < due) this.#alike.delete(name);
    return out.sort((a, b) => a.at - b.at || Number(b.isOutgoing) - Number(a.isOutgoing));
  }

  #finish(waiting: Waiting, now: Micros): void {
    const { seen, alike } = waiting;
    if (!alike) this.#ready.push({ ...seen, comment: undefined });
    else if (seen.isOutgoing) this.#ready.push({ ...seen, comment: this.#endOf(waiting, alike, now) });
    else this.#finishArrival(waiting, alike, now);
  }

  /** What became of a packet that was sent. */
  #endOf({ seen, packet, to }: Waiting, { sent, arrived, delivered }: Alike, now: Micros): string {
    const { ends } = this;
    const { name, isWitnessed } = this.#endpoints[to]!;
    ends.sent++;
    const isWatched = isWitnessed && WATCHED.has(packet!.protocol);
    const reached = isWatched ? delivered : arrived.map(({ seen: { at } }) => at);
    const doing = isWatched ? 'delivered' : 'arrived';
    if (sent.length > 1) {
      ends.unknown++;
      return `one of ${sent.length} that are alike, of which ${reached.length} ${doing} at ${name}`;
    }
    const [first, ...more] = reached;
    if (first !== undefined && isWitnessed && !isWatched) {
      ends.unknown++;
      return `at the interface of ${name} after ${span(seen.at, first)}; whether it was delivered is not known`;
    }
    if (first !== undefined) {
      ends.delivered++;
      if (more.length > 0) ends.duplicated++;
      const times =
        more.length === 0
          ? ''
          : `, and again after ${more.map((at) => span(seen.at, at)).join(', ')}: duplicated`;
      return `${doing} at ${name} after ${span(seen.at, first)}${times}`;
    }
    const unknown = this.#whyUnknown(seen, packet!, now);
    if (unknown !== undefined) {
      ends.unknown++;
      return `not seen to be ${doing} at ${name}: ${unknown}`;
    }
    ends.lost++;
    const within = `within ${formatMicros(this.#wait)}`;
    const [arrival] = arrived;
    return arrival
      ? `lost at ${name}: at its interface after ${span(seen.at, arrival.seen.at)}, not delivered ${within}`
      : `lost: not at the interface of ${name} ${within}`;
  }

  /** `undefined`: one can say that a packet that was not seen is lost. */
  #whyUnknown(seen: Sighting, packet: Packet, now: Micros): string | undefined {
    if (now - seen.at < this.#wait) return 'its time was not over when it was written';
    if (packet.isFragment) return 'a fragment, which is delivered as a part of the whole';
    if (packet.length > LONGEST_PACKET) return 'a train of packets, which may be delivered one by one';
    return this.hasMissed ? 'this capture has missed packets' : undefined;
  }

  /** A packet that arrived stands where it was delivered, as the application sees it; copies of it follow. */
  #finishArrival(waiting: Waiting, alike: Alike, now: Micros): void {
    const { seen, packet, from, to } = waiting;
    const { sent, arrived, delivered } = alike;
    const isWatched = this.#endpoints[to]!.isWitnessed && WATCHED.has(packet!.protocol);
    const place = arrived.indexOf(waiting);
    const isAlone = sent.length <= 1 && arrived.length <= 1;
    const alikes = isAlone ? [] : ['one of several that are alike'];
    const sentBefore = (at: Micros): string[] =>
      isAlone && sent[0]
        ? [`sent by ${this.#endpoints[from]!.name} ${span(sent[0].seen.at, at)} before`]
        : [];
    const say = (at: Micros, facts: readonly string[]): void => {
      this.#ready.push({ ...seen, at, comment: facts.length === 0 ? undefined : facts.join(', ') });
    };
    if (!isWatched) {
      say(seen.at, [...alikes, ...sentBefore(seen.at)]);
      return;
    }
    const read = place < 0 ? undefined : delivered[place];
    if (read === undefined) {
      say(seen.at, isAlone ? [this.#whyNotDelivered(waiting, now)] : alikes);
      return;
    }
    // It is read somewhat later than it was delivered, but never before it was there.
    const at = micros(Math.max(read, seen.at));
    say(at, [...alikes, ...sentBefore(at), `at the interface ${span(seen.at, at)} before`]);
    if (place < arrived.length - 1) return;
    // What was delivered more often than it arrived; an arrival of the last moment may not be known yet.
    for (const copy of delivered.slice(arrived.length))
      if (copy < now - ARRIVAL_LAG) say(copy, ['a copy, delivered again']);
  }

  #whyNotDelivered({ seen, packet }: Waiting, now: Micros): string {
    const unknown = this.#whyUnknown(seen, packet!, now);
    if (unknown !== undefined) return `not seen to be delivered: ${unknown}`;
    return `lost here: not delivered within ${formatMicros(this.#wait)}`;
  }
}

const span = (from: Micros, to: Micros): string => formatMicros(Math.max(0, to - from));
