/** Rules that delay a part of a path's traffic. What they delay by the same time keeps its order, and other packets pass it. Pure. */
import { isAbout, type Rule, rulesOf, TCP, type Traits, UDP } from '../../../../proto/rules.ts';
import { toMillis } from '../../../../proto/units.ts';

const ICMP = 1;
const ICMPV6 = 58;
const IPV6_FRAGMENT = 44;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
const SYN = 0x02;
const ACK = 0x10;
const FLAGS_AT = 13;

/** A packet from its network header on; `present` bytes of it are there. */
export interface PacketHead {
  readonly data: Uint8Array;
  readonly offset: number;
  readonly present: number;
}

export class RuleDelays {
  readonly #rules: readonly Rule[];
  /** Of each rule, ms. */
  readonly #delays: Float64Array;
  /** When the last packet leaves that the same rules delay: bit n of the index is rule n. */
  readonly #lastRelease: Float64Array;
  readonly #traits: Traits = {
    ...{ protocol: 0, isIcmp: false, isSyn: false, sourcePort: 0, destinationPort: 0, dscp: 0 },
  };

  /** `text`: of rules that delay (`delayingRules`). */
  constructor(text: string) {
    this.#rules = rulesOf(text);
    this.#delays = Float64Array.from(this.#rules, ({ action }) =>
      action.kind === 'delay' ? toMillis(action.delay) : 0,
    );
    this.#lastRelease = new Float64Array(2 ** this.#rules.length);
  }

  /** When the last of the packets leaves that rules have delayed. */
  get lastRelease(): number {
    return Math.max(...this.#lastRelease);
  }

  /**
   * When a packet leaves that would leave at `dueMs`; 0: no rule delays it. `spacingMs`: what it keeps away from the one before.
   */
  release(packet: PacketHead, dueMs: number, spacingMs: number): number {
    readTraits(packet, this.#traits);
    let which = 0;
    let delay = 0;
    for (let at = 0; at < this.#rules.length; at++) {
      if (!isAbout(this.#rules[at]!, this.#traits)) continue;
      which |= 1 << at;
      delay += this.#delays[at]!;
    }
    if (which === 0) return 0;
    const release = Math.max(dueMs + delay, this.#lastRelease[which]! + spacingMs);
    this.#lastRelease[which] = release;
    return release;
  }
}

/** As the classifier reads them (bpf/rules.h): IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293). */
function readTraits({ data, offset, present }: PacketHead, of: Traits): void {
  of.protocol = of.sourcePort = of.destinationPort = of.dscp = 0;
  of.isIcmp = of.isSyn = false;
  const isV4 = data[offset]! >> 4 === 4;
  if (present < (isV4 ? 20 : IPV6_HEADER)) return;
  let transport = offset;
  let isFirst = true;
  if (isV4) {
    of.protocol = data[offset + 9]!;
    of.dscp = data[offset + 1]! >> 2;
    transport += 4 * (data[offset]! & 0xf);
    isFirst = (((data[offset + 6]! << 8) | data[offset + 7]!) & 0x1fff) === 0;
    of.isIcmp = of.protocol === ICMP;
  } else {
    of.protocol = data[offset + 6]!;
    of.dscp = ((data[offset]! & 0xf) << 2) | (data[offset + 1]! >> 6);
    transport += IPV6_HEADER;
    if (of.protocol === IPV6_FRAGMENT && present >= IPV6_HEADER + FRAGMENT_HEADER) {
      of.protocol = data[transport]!;
      isFirst = ((data[transport + 2]! << 8) | data[transport + 3]!) >> 3 === 0;
      transport += FRAGMENT_HEADER;
    }
    of.isIcmp = of.protocol === ICMPV6;
  }
  const there = present - (transport - offset);
  if (!isFirst || there < 4 || (of.protocol !== TCP && of.protocol !== UDP)) return;
  of.sourcePort = (data[transport]! << 8) | data[transport + 1]!;
  of.destinationPort = (data[transport + 2]! << 8) | data[transport + 3]!;
  of.isSyn = of.protocol === TCP && there > FLAGS_AT && (data[transport + FLAGS_AT]! & (SYN | ACK)) === SYN;
}
