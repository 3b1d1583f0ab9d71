/** The taps of a capture: at the interface of each endpoint, and at its stack where packets wait behind the interface. */
import { DeliveredPackets } from '../../agent/kernel/capture/delivered-packets.ts';
import { type Frame, PacketRing } from '../../agent/kernel/capture/packet-ring.ts';
import { namespacePath, within } from '../../agent/kernel/netns/namespaces.ts';
import { isFiltering } from '../../agent/kernel/sys/packet-socket.ts';
import { Poller } from '../../agent/kernel/sys/poller.ts';
import type { Instruction } from '../../agent/kernel/sys/sockets.ts';
import { type Micros, toNanos } from '../../proto/units.ts';
import { keyOf6, parseIpv4 } from './format/packet.ts';

export interface TappedEndpoint {
  readonly namespace: string;
  readonly ifindex: number;
  readonly isWitnessed: boolean;
}

export interface TapFilters {
  /** Of frames at the interface of an endpoint, by its number. */
  readonly frames?: ((endpoint: number) => readonly Instruction[]) | undefined;
  /** Of what its stack delivers, by the version of IP. */
  readonly packets?: ((endpoint: number) => Readonly<Record<4 | 6, readonly Instruction[]>>) | undefined;
}

export interface TapEvents {
  readonly onFrame: (endpoint: number, frame: Frame) => void;
  /** `key`: as of `parseFrame`. */
  readonly onDelivered: (endpoint: number, key: string, at: Micros) => void;
}

interface Tap {
  readonly ifindex: number;
  readonly ring: PacketRing;
  readonly delivered: DeliveredPackets | undefined;
  received: number;
}

/** Blocks of 256 KiB that all rings have together, and what each has at least and at most: the kernel can't swap them. */
const BLOCKS = { all: 256, least: 2, most: 64 } as const;

export class Taps {
  readonly #taps: Tap[] = [];
  readonly #events: TapEvents;
  readonly #poller = new Poller();

  /** Opens all of them or, where one is refused, none. Throws `KernelError`: `NO_PERMISSION`, `NAMESPACE_MISSING`, `INTERFACE_GONE`. */
  constructor(endpoints: readonly TappedEndpoint[], { frames, packets }: TapFilters, events: TapEvents) {
    this.#events = events;
    const share = Math.floor(BLOCKS.all / endpoints.length);
    const blocks = Math.min(BLOCKS.most, Math.max(BLOCKS.least, share));
    try {
      for (const [number, { namespace, ifindex, isWitnessed }] of endpoints.entries())
        within(namespacePath(namespace), () => {
          // The stack first: what is seen at the interface is seen there, too.
          const delivered = isWitnessed ? new DeliveredPackets(packets?.(number)) : undefined;
          try {
            const ring = new PacketRing(ifindex, blocks, frames?.(number));
            this.#taps.push({ ifindex, ring, delivered, received: 0 });
          } catch (error) {
            delivered?.close();
            throw error;
          }
        });
      for (const { delivered } of this.#taps)
        for (const fd of delivered?.descriptors ?? []) this.#poller.add(fd, fd);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Waits until a stack has delivered something, at most so long, and hands over what is there. */
  async next(longest: Micros): Promise<void> {
    await this.#poller.readable(toNanos(longest));
    this.drain();
  }

  drain(): void {
    const { onFrame, onDelivered } = this.#events;
    for (const [number, tap] of this.#taps.entries()) {
      tap.delivered?.drain(({ version, protocol, bytes, sender, at }) => {
        const key = version === 4 ? parseIpv4(bytes)?.key : keyOf6(sender!, protocol, bytes);
        if (key !== undefined) onDelivered(number, key, at);
      });
      tap.ring.drain((frame) => {
        tap.received++;
        onFrame(number, frame);
      });
    }
  }

  /** Of each endpoint, in their order. */
  counts(): { readonly received: number; readonly dropped: number }[] {
    return this.#taps.map(({ ring, received }) => {
      const dropped = ring.dropped();
      return { received: received + dropped, dropped };
    });
  }

  /** What stacks have delivered, and had no room. */
  undelivered(): number {
    return this.#taps.reduce((sum, { delivered }) => sum + (delivered?.dropped() ?? 0), 0);
  }

  /** Numbers of the endpoints whose interface is still there. */
  present(): number[] {
    return this.#taps.flatMap(({ ring, ifindex }, number) => (isFiltering(ring.fd, ifindex) ? [number] : []));
  }

  close(): void {
    this.#poller.close();
    for (const { ring, delivered } of this.#taps.splice(0)) {
      ring.close();
      delivered?.close();
    }
  }
}
