/**
 * Packets of one queue whose content the thread keeps: those with a flipped bit until they leave, and copies of those that arrive
 * twice. The kernel has no verdict that gives a packet twice: a copy is sent by a raw socket of the endpoint to the endpoint
 * itself, and arrives over its loopback interface. Only these packets cost an allocation.
 */

import { bitsOf } from '../../../../proto/units.ts';
import { within } from '../../../kernel/netns/namespaces.ts';
import { sendTo } from '../../../kernel/sys/datagrams.ts';
import { close } from '../../../kernel/sys/descriptors.ts';
import { rawIp, socketAddress } from '../../../kernel/sys/inet-sockets.ts';
import type { Draws } from './loss-process.ts';

/** The packet has a bit flipped that every receiver sees before it knows whose packet it is. */
export const UNREADABLE = -1;
/** In place of a packet's id: a copy, whose number stands in place of the mark. The kernel counts from 1. */
export const COPY = 0;
/** Copies that wait; more are not made. At most 64 KiB each. */
const MOST_COPIES = 16_384;
const LAST_NUMBER = 0xffffffff;

export class KeptContent {
  readonly #namespace: string;
  readonly #changed = new Map<number, Uint8Array>();
  readonly #copies = new Map<number, Uint8Array>();
  #lastNumber = 0;
  #sockets: { readonly v4: number; readonly v6: number | undefined } | undefined;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Whether every packet leaves as it came. */
  get isEmpty(): boolean {
    return this.#changed.size === 0;
  }

  /** To be called before any copy is made. Throws `KernelError`. */
  open(): void {
    this.#sockets ??= within(this.#namespace, () => ({ v4: rawIp(true), v6: rawIpv6() }));
  }

  /**
   * Draws whether this packet is changed and copied. Returns the number of the copy, 0: there is none, or `UNREADABLE`. `data` has
   * all of the packet, or nothing (`length` 0).
   */
  draw(
    id: number,
    { corrupt, duplicate }: { readonly corrupt: number; readonly duplicate: number },
    random: Draws,
    { data, offset, length }: { readonly data: Uint8Array; readonly offset: number; readonly length: number },
  ): number {
    const isChanged = corrupt > 0 && random.uniform() < corrupt;
    const isCopied = duplicate > 0 && random.uniform() < duplicate && this.#copies.size < MOST_COPIES;
    if (length === 0 || !(isChanged || isCopied)) return 0;
    if (isChanged) {
      const packet = data.slice(offset, offset + length);
      if (isUnreadable(data[offset]!, flipBit(packet, random))) return UNREADABLE;
      this.#changed.set(id, packet);
    }
    if (!isCopied) return 0;
    this.#lastNumber = (this.#lastNumber % LAST_NUMBER) + 1;
    this.#copies.set(this.#lastNumber, data.slice(offset, offset + length));
    return this.#lastNumber;
  }

  /** Removes and returns the content with which the packet leaves; `undefined`: its own. */
  take(id: number): Uint8Array | undefined {
    const content = this.#changed.get(id);
    if (content) this.#changed.delete(id);
    return content;
  }

  /** Lets a copy arrive. What the kernel does not take is lost, as in a network. */
  send(number: number): void {
    const packet = this.#copies.get(number);
    if (!packet || !this.#sockets) return;
    this.#copies.delete(number);
    const isV4 = packet[0]! >> 4 === 4;
    const fd = isV4 ? this.#sockets.v4 : this.#sockets.v6;
    const destination = isV4 ? packet.subarray(16, 20) : packet.subarray(24, 40);
    if (fd !== undefined) sendTo(fd, packet, packet.length, socketAddress(destination, 0));
  }

  close(): void {
    if (!this.#sockets) return;
    const { v4, v6 } = this.#sockets;
    this.#sockets = undefined;
    close(v4);
    if (v6 !== undefined) close(v6);
  }
}

/** Kernels without IPv6 have none. */
function rawIpv6(): number | undefined {
  try {
    return rawIp(false);
  } catch {
    return undefined;
  }
}

/** Flips one bit, any of them; returns in which byte. */
export function flipBit(packet: Uint8Array, random: Draws): number {
  const bit = Math.floor(random.uniform() * bitsOf(packet.length));
  const at = bit >> 3;
  packet[at]! ^= 1 << (bit & 7);
  return at;
}

/**
 * Whether a packet with another byte `at` fails what the kernel has checked before it queued the packet: the header's checksum of
 * IPv4 (RFC 791), version and length of IPv6 (RFC 8200). `first`: its first byte as it came.
 */
export function isUnreadable(first: number, at: number): boolean {
  if (first >> 4 === 4) return at < 4 * (first & 0xf);
  return at === 0 || at === 4 || at === 5;
}
