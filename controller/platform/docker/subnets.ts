/** A range of addresses that nobody uses here, for the network of an experiment. Pure. */
import { createHash } from 'node:crypto';

/** IPv4, as numbers: the first address and how many there are. */
export interface Range {
  readonly first: number;
  readonly size: number;
}

/** Room for as many endpoints as a bridge of Linux has ports (BR_MAX_PORTS is 1,024), with the gateway. */
export const PREFIX_BITS = 22;
export const MOST_ENDPOINTS = 1000;
const SIZE = 2 ** (32 - PREFIX_BITS);

/** Private ranges (RFC 1918) of which Docker's own networks use the ends. */
const POOLS: readonly string[] = ['172.16.0.0/12', '10.0.0.0/8'];

/** `10.1.0.0/16`; `undefined`: it is no range of IPv4. */
export function rangeOf(text: string): Range | undefined {
  const [address = '', bits = '32'] = text.split('/');
  const parts = address.split('.').map(Number);
  const length = Number(bits);
  if (
    parts.length !== 4 ||
    !parts.every((part) => part >= 0 && part <= 255) ||
    !(length >= 0 && length <= 32)
  )
    return undefined;
  const size = 2 ** (32 - length);
  const number = parts.reduce((sum, part) => sum * 256 + part, 0);
  return { first: number - (number % size), size };
}

export const addressIn = ({ first }: Range, index: number): string => {
  const number = first + index;
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(number / unit) % 256).join('.');
};

/**
 * The first range of a pool that overlaps none that is taken, from a place on that depends on the name: two experiments that start
 * at once seldom choose the same. `undefined`: there is none.
 */
export function freeRange(taken: readonly Range[], name: string): Range | undefined {
  const start = createHash('sha256').update(name).digest().readUInt32BE(0);
  for (const pool of POOLS.map((text) => rangeOf(text)!)) {
    const count = pool.size / SIZE;
    for (let tried = 0; tried < count; tried++) {
      const range = { first: pool.first + ((start + tried) % count) * SIZE, size: SIZE };
      if (!taken.some((one) => overlaps(one, range))) return range;
    }
  }
  return undefined;
}

const overlaps = (a: Range, b: Range): boolean => a.first < b.first + b.size && b.first < a.first + a.size;

/** The unique local prefix (RFC 4193) that belongs to a range of IPv4 addresses here. */
export function ipv6Prefix(name: string, { first }: Range): string {
  const digits = createHash('sha256').update(`${name} ${first}`).digest('hex');
  return `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6, 10)}::`;
}

/** Of the text of /proc/net/route: the networks to which this machine has routes, but for the default one. */
export function routedRanges(table: string): Range[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, destination, , , , , , mask] = line.split('\t');
      if (destination === undefined || mask === undefined) return [];
      const [first, bits] = [numberOf(destination), numberOf(mask)];
      return bits === 0 ? [] : [{ first, size: 2 ** 32 - bits }];
    });
}

/** Eight hexadecimal digits, the last byte first. */
const numberOf = (hex: string): number => Buffer.from(hex, 'hex').reverse().readUInt32BE(0);
