/** The names of a hosts file as DNS knows them. Pure. */
import { isIPv4 } from 'node:net';
import { familyBytes } from '../kernel/netlink/addresses.ts';

export interface NameRecord {
  readonly type: 'A' | 'AAAA' | 'PTR';
  /** An address, or the name of one. */
  readonly data: string;
}

/** Knows what a resolver finds in the file (hosts(5)): a name has the addresses of all its lines, in their order. */
export class NameTable {
  readonly #byName = new Map<string, NameRecord[]>();

  constructor(hostsText: string) {
    for (const line of hostsText.split('\n')) {
      const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
      if (!address || names.length === 0) continue;
      for (const name of names) this.#add(name, { type: isIPv4(address) ? 'A' : 'AAAA', data: address });
      // The first name of a line is the canonical one; an address has one name.
      const pointer = pointerName(address);
      if (!this.#byName.has(pointer)) this.#add(pointer, { type: 'PTR', data: names[0]! });
    }
  }

  /** Without regard to case, with or without the final dot. `undefined`: there is no such name. */
  find(name: string): readonly NameRecord[] | undefined {
    return this.#byName.get(keyOf(name));
  }

  #add(name: string, record: NameRecord): void {
    const records = this.#byName.get(keyOf(name));
    if (records) records.push(record);
    else this.#byName.set(keyOf(name), [record]);
  }
}

const keyOf = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** Where DNS has the name of an address: `1.0.1.10.in-addr.arpa` (RFC 1035), nibbles below `ip6.arpa` (RFC 3596). */
export function pointerName(address: string): string {
  const bytes = [...familyBytes(address)];
  if (bytes.length === 4) return `${bytes.reverse().join('.')}.in-addr.arpa`;
  const nibbles = bytes.flatMap((byte) => [byte >> 4, byte & 0xf]);
  return `${nibbles
    .reverse()
    .map((nibble) => nibble.toString(16))
    .join('.')}.ip6.arpa`;
}
