/** Programs of classic BPF that keep what comes from some addresses, or goes to them. Pure. */
import type { Instruction } from '../../agent/kernel/sys/sockets.ts';

/** linux/bpf_common.h */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const JUMP_EQUAL = 0x15;
const JUMP = 0x05;
const RETURN = 0x06;
/** Offsets from here on count from the header of IP, wherever the packet begins for the socket (linux/filter.h, SKF_NET_OFF). */
const NETWORK = 0xfff00000;

/** The most of a packet that is kept: a GSO packet has some more than 64 KiB. */
export const MOST_CAPTURED = 0x40000;

const ARP = 0x0806;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;

/** What a program consists of before its jumps are counted. */
type Line = { readonly label: string } | Step;
interface Step {
  readonly code: number;
  readonly operand: number;
  /** Absent: the next line. */
  readonly yes?: string;
  readonly no?: string;
}

/**
 * Of frames of Ethernet: those of ARP, IPv4 and IPv6 from or to one of the addresses (4 bytes or 16). Some dozen of addresses have room:
 * throws `RangeError` beyond.
 */
export function framesOf(addresses: readonly Uint8Array[]): Instruction[] {
  const v4 = addresses.filter(({ length }) => length === 4);
  const v6 = addresses.filter(({ length }) => length === 16);
  return assemble([
    { code: LOAD_HALF, operand: 12 },
    { code: JUMP_EQUAL, operand: IPV4, no: 'not 4' },
    ...v4.flatMap((address) => [...matches(26, address), ...matches(30, address)]),
    { code: JUMP, operand: 0, yes: 'reject' },
    { label: 'not 4' },
    { code: JUMP_EQUAL, operand: ARP, no: 'not arp' },
    ...v4.flatMap((address) => [...matches(28, address), ...matches(38, address)]),
    { code: JUMP, operand: 0, yes: 'reject' },
    { label: 'not arp' },
    { code: JUMP_EQUAL, operand: IPV6, no: 'reject' },
    ...v6.flatMap((address) => [...matches(22, address), ...matches(38, address)]),
    ...END,
  ]);
}

/** Of packets that a raw socket receives: those from one of the addresses. */
export function packetsFrom(version: 4 | 6, addresses: readonly Uint8Array[]): Instruction[] {
  const [bytes, at] = version === 4 ? [4, 12] : [16, 8];
  const own = addresses.filter(({ length }) => length === bytes);
  return assemble([...own.flatMap((address) => matches(NETWORK + at, address)), ...END]);
}

const END: readonly Line[] = [
  { label: 'reject' },
  { code: RETURN, operand: 0 },
  { label: 'accept' },
  { code: RETURN, operand: MOST_CAPTURED },
];

/** Accepts if the words at `at` are those of the address, else goes on behind. */
function matches(at: number, address: Uint8Array): Line[] {
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  const behind = `behind ${at} ${address.join('.')}`;
  const words = Array.from({ length: address.length / 4 }, (_, index) => index);
  return [
    ...words.flatMap((index): Line[] => [
      { code: LOAD_WORD, operand: at + 4 * index },
      {
        ...{ code: JUMP_EQUAL, operand: view.getUint32(4 * index), no: behind },
        ...(index === words.length - 1 && { yes: 'accept' }),
      },
    ]),
    { label: behind },
  ];
}

/** The most that a conditional jump leaves out. */
const LONGEST_JUMP = 255;

function assemble(lines: readonly Line[]): Instruction[] {
  const places = new Map<string, number>();
  const steps: Step[] = [];
  for (const line of lines)
    if ('label' in line) places.set(line.label, steps.length);
    else steps.push(line);
  const distance = (from: number, label: string | undefined): number =>
    label === undefined ? 0 : places.get(label)! - from - 1;
  return steps.map(({ code, operand, yes, no }, index): Instruction => {
    // The only jump with a condition of its own kind: how far is its operand.
    if (code === JUMP) return [code, 0, 0, distance(index, yes)];
    const [ifTrue, ifFalse] = [distance(index, yes), distance(index, no)];
    if (Math.max(ifTrue, ifFalse) > LONGEST_JUMP) throw new RangeError('too many addresses for one filter');
    return [code, ifTrue, ifFalse, operand];
  });
}
