/**
 * Which of several paths of equal cost a packet takes. The classifier chooses in the same way where it is sent (bpf/lanes.h). Pure,
 * without allocation.
 *
 * As with Linux' own multipath routing by ports (`fib_multipath_hash_policy=1`): all packets with the same addresses, protocol and
 * ports take the same path, and the way back has the same hash. Fragments are told apart by addresses and protocol alone, since
 * only the first of them says its ports; so are packets of protocols without ports.
 */

/** Between an address and the lane in the text of a target. */
const MARK = '#';

/** A destination as the classifier's targets name it: its address, and which of the paths to it, if it is not the first. */
export function laneAddress(address: string, lane: number): string {
  return lane === 0 ? address : `${address}${MARK}${lane}`;
}

export function readLaneAddress(text: string): { readonly address: string; readonly lane: number } {
  const at = text.indexOf(MARK);
  if (at === -1) return { address: text, lane: 0 };
  return { address: text.slice(0, at), lane: Number(text.slice(at + 1)) };
}

const IPV4_MAPPED = 0x0000ffff;
const IPV6_HEADER = 40;
const IPV6_FRAGMENT = 44;
/** Of IPv4: more fragments, or an offset. */
const ANY_FRAGMENT = 0x3fff;
/** TCP, UDP, DCCP, SCTP, UDP-Lite: they begin with two ports. */
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

/** The place of a packet among `lanes` paths. Its network header is at `offset`; `present` bytes of it are there. */
export function laneOf(
  seed: number,
  lanes: number,
  data: Uint8Array,
  offset: number,
  present: number,
): number {
  const isV4 = data[offset]! >> 4 === 4;
  let protocol = data[offset + (isV4 ? 9 : 6)]!;
  let transport = offset + (isV4 ? 4 * (data[offset]! & 0xf) : IPV6_HEADER);
  let isPart = isV4 && (((data[offset + 6]! << 8) | data[offset + 7]!) & ANY_FRAGMENT) !== 0;
  if (!isV4 && protocol === IPV6_FRAGMENT) {
    isPart = true;
    protocol = data[transport]!;
  }
  const hasPorts = !isPart && WITH_PORTS.has(protocol) && present >= transport - offset + 4;
  if (!hasPorts) transport = -1;
  const one = endHash(seed, data, offset, isV4 ? 12 : 8, transport);
  const other = endHash(seed, data, offset, isV4 ? 16 : 24, transport === -1 ? -1 : transport + 2);
  const hash = spread(spread((one + other) | 0) ^ one ^ other ^ protocol);
  return Math.floor(((hash >>> 0) * lanes) / 2 ** 32);
}

/** Of an address, whose place in the network header is `at`, and the port at `portAt`; -1: none. */
function endHash(seed: number, data: Uint8Array, offset: number, at: number, portAt: number): number {
  const start = offset + at;
  const isV4 = data[offset]! >> 4 === 4;
  let hash = seed;
  for (let index = 0; index < 4; index++) {
    const mapped = index === 2 ? IPV4_MAPPED : index === 3 ? word(data, start) : 0;
    hash = spread(hash ^ (isV4 ? mapped : word(data, start + 4 * index)));
  }
  return spread(hash ^ (portAt === -1 ? 0 : (data[portAt]! << 8) | data[portAt + 1]!));
}

/** The last step of MurmurHash3, by Austin Appleby, in the public domain. */
function spread(word: number): number {
  let bits = word;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function word(data: Uint8Array, at: number): number {
  return (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
}
