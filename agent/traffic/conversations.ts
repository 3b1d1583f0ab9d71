/** What sources say over TCP: one conversation for each, in each of its windows. Those that fail, or that the peer ends, begin anew. */
import { Socket } from 'node:net';
import { fromMillis } from '../../proto/units.ts';
import { familyBytes } from '../kernel/netlink/addresses.ts';
import { within } from '../kernel/netns/namespaces.ts';
import { connectingTcp } from '../kernel/sys/inet-sockets.ts';
import type { Counters } from './counters.ts';
import { isTcp, type Place, type RealSource, TRAFFIC_PORT, type Windows } from './messages.ts';
import { type Partner, type Talk, talkOf } from './talks.ts';

/** After a connection that could not be made, or has ended. */
const AGAIN_MS = 250;

interface Conversation {
  readonly source: RealSource;
  readonly row: number;
  talk: Talk | undefined;
  /** The beginning of the window in which it talks. */
  from: number;
  /** Not before this instant, in milliseconds of `performance.now()`. */
  waitsUntilMs: number;
}

export class Conversations {
  readonly #counters: Counters;
  readonly #all: readonly Conversation[];
  readonly #byRow: ReadonlyMap<number, Conversation>;
  readonly #places = new Map<number, Place>();
  #addresses: ReadonlyMap<number, string> = new Map();
  #windows: Windows = [];
  /** When something begins, ends, or is tried again, in microseconds since the start of the experiment. */
  #due = 0;
  readonly #wallMs: () => number;

  constructor(sources: readonly RealSource[], counters: Counters, wallMs: () => number) {
    this.#counters = counters;
    this.#wallMs = wallMs;
    this.#all = sources.flatMap((source, row) =>
      isTcp(source) ? [{ source, row, talk: undefined, from: -1, waitsUntilMs: 0 }] : [],
    );
    this.#byRow = new Map(this.#all.map((one) => [one.row, one]));
  }

  attach(place: Place): void {
    this.#places.set(place.number, place);
    this.#due = 0;
  }

  detach(number: number): void {
    this.#places.delete(number);
    for (const one of this.#all) if (one.source.from === number) end(one);
  }

  setAddresses(addresses: ReadonlyMap<number, string>): void {
    this.#addresses = addresses;
    this.#due = 0;
  }

  setWindows(windows: Windows): void {
    this.#windows = windows;
    this.#due = 0;
  }

  /** When `look` has something to do, in microseconds; infinite: never. */
  get due(): number {
    return this.#due;
  }

  /** Begins and ends conversations as `now`, microseconds since the start, requires. */
  look(now: number): void {
    if (now < this.#due) return;
    const nowMs = performance.now();
    let due = Number.POSITIVE_INFINITY;
    for (const one of this.#all) {
      const windows = this.#windows[one.source.entry] ?? [];
      const turn = windows.findIndex(({ until }) => until > now);
      const window = windows[turn];
      const isOn = window !== undefined && window.from <= now;
      if (!isOn || window.from !== one.from) end(one);
      if (isOn && !one.talk && nowMs >= one.waitsUntilMs) {
        one.from = window.from;
        this.#begin(one, turn);
      }
      if (window) due = Math.min(due, isOn ? window.until : window.from);
      if (isOn && !one.talk) due = Math.min(due, now + fromMillis(Math.max(1, one.waitsUntilMs - nowMs)));
    }
    this.#due = due;
  }

  /** Of a source whose messages have times. */
  write(row: number, bytes: number): boolean {
    return this.#byRow.get(row)?.talk?.write?.(bytes) ?? false;
  }

  #begin(one: Conversation, turn: number): void {
    const { source, row } = one;
    const [place, address] = [this.#places.get(source.from), this.#addresses.get(source.to)];
    one.waitsUntilMs = performance.now() + AGAIN_MS;
    if (!place || address === undefined) return;
    const partner: Partner = {
      ...{ source, row, turn, counters: this.#counters, wallMs: this.#wallMs },
      connect: () => connected(place, address),
      onOver: () => {
        one.talk = undefined;
        this.#due = 0;
      },
    };
    const talk = talkOf(partner);
    one.talk = talk.isOver ? undefined : talk;
  }

  close(): void {
    for (const one of this.#all) end(one);
  }
}

function end(one: Conversation): void {
  const { talk } = one;
  one.talk = undefined;
  one.from = -1;
  talk?.end();
}

/** `undefined`: there is no route, as when the endpoint is away. */
function connected({ namespace }: Place, address: string): Socket | undefined {
  try {
    const fd = within(namespace, () => connectingTcp(familyBytes(address), TRAFFIC_PORT));
    return new Socket({ fd, readable: true, writable: true });
  } catch {
    return undefined;
  }
}
