/**
 * Requests for queueing disciplines, classes and filters (linux/rtnetlink.h, pkt_sched.h, pkt_cls.h); tc-dumps.ts reads
 * them back. Each function gives a request for `NetlinkSocket`; beside it stands the `tc` command that does the same.
 */
import { fromBytesPerSecond } from '../../../proto/units.ts';
import { type MessageWriter, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './netlink-message.ts';
import type { Request } from './netlink-socket.ts';

export const RTM = {
  NEWQDISC: 36,
  DELQDISC: 37,
  GETQDISC: 38,
  NEWTCLASS: 40,
  DELTCLASS: 41,
  GETTCLASS: 42,
  NEWTFILTER: 44,
  DELTFILTER: 45,
  GETTFILTER: 46,
} as const;
export const TCA_KIND = 1;
export const TCA_OPTIONS = 2;
export const TCA_HTB = { PARMS: 1, INIT: 2, DIRECT_QLEN: 5, RATE64: 6, CEIL64: 7 } as const;
export const TCA_BPF = { CLASSID: 3, NAME: 7, FD: 6, FLAGS: 8, ID: 11 } as const;
const TCA_BPF_FLAG_ACT_DIRECT = 1;
/** Its mask leaves room for others (include/net/sch_generic.h). */
export const TC_LINKLAYER = { ethernet: 1, atm: 2 } as const;
const HTB_PROTOCOL_VERSION = 3;
const HTB_RATE_TO_QUANTUM = 10;
const ETH_P_ALL_BE = 0x0300;
export const TC_H_ROOT = 0xffffffff;
/** One tick of tc's time unit is 64 ns on every kernel since 2.6.31 (PSCHED_SHIFT, net/pkt_sched.h). */
export const NANOSECONDS_PER_TICK = 64;
const MAX_U32 = 0xffffffff;

/** `4e46:3` as one number. */
export function handle(major: number, minor: number): number {
  return ((major << 16) | minor) >>> 0;
}

/** `4e46:3`, as tc prints it. */
export function formatHandle(value: number): string {
  if (value === TC_H_ROOT) return 'root';
  const minor = value & 0xffff;
  return `${(value >>> 16).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`;
}

/** struct tcmsg */
export function header(
  writer: MessageWriter,
  ifindex: number,
  own: number,
  parent: number,
  info = 0,
): MessageWriter {
  return writer.u32(0).i32(ifindex).u32(own).u32(parent).u32(info);
}

/** `tc qdisc replace dev IF root handle MAJOR: htb default 0`: packets without a class pass unshaped. */
export function setHtbRoot(ifindex: number, major: number, directQueuePackets: number): Request {
  return {
    type: RTM.NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    what: `set the root qdisc htb ${formatHandle(handle(major, 0))}`,
    body: (w) =>
      header(w, ifindex, handle(major, 0), TC_H_ROOT)
        .attributeString(TCA_KIND, 'htb')
        .nested(TCA_OPTIONS, (o) =>
          o
            .attribute(TCA_HTB.INIT, (i) =>
              i.u32(HTB_PROTOCOL_VERSION).u32(HTB_RATE_TO_QUANTUM).u32(0).u32(0).u32(0),
            )
            .attributeU32(TCA_HTB.DIRECT_QLEN, directQueuePackets),
        ),
  };
}

/** `tc qdisc del dev IF root`: the kernel's default comes back. */
export function deleteRoot(ifindex: number): Request {
  return {
    type: RTM.DELQDISC,
    flags: 0,
    what: 'delete the root qdisc',
    body: (w) => header(w, ifindex, 0, TC_H_ROOT),
  };
}

export interface HtbRate {
  readonly bytesPerSecond: number;
  /** Bytes that may be sent at once after a pause. */
  readonly burstBytes: number;
  /** Bytes that each packet takes of the rate besides its own, and whether it passes in cells of ATM. */
  readonly overheadBytes?: number;
  readonly inCells?: true;
}

/** A class in the one above it: of its own it has a rate of `ownBytesPerSecond`, and borrows the rest. */
export interface HtbPlace {
  readonly above: number;
  readonly ownBytesPerSecond: number;
}

/**
 * `tc class replace dev IF parent MAJOR:[ABOVE] classid MAJOR:MINOR htb rate R ceil R burst B cburst B quantum Q [overhead O] [linklayer
 * atm]`. The kernel ignores another place of a class that is there.
 */
export function setHtbClass(
  ifindex: number,
  major: number,
  minor: number,
  rate: HtbRate,
  quantumBytes: number,
  place?: HtbPlace,
): Request {
  const own = place ? { ...rate, bytesPerSecond: place.ownBytesPerSecond, burstBytes: 0 } : rate;
  return {
    type: RTM.NEWTCLASS,
    flags: NLM_F_CREATE,
    what: `set class ${formatHandle(handle(major, minor))} to ${fromBytesPerSecond(rate.bytesPerSecond)} b/s`,
    body: (w) =>
      header(w, ifindex, handle(major, minor), handle(major, place?.above ?? 0))
        .attributeString(TCA_KIND, 'htb')
        .nested(TCA_OPTIONS, (o) => {
          o.attribute(TCA_HTB.PARMS, (p) => {
            rateSpec(rateSpec(p, own), rate);
            p.u32(burstTicks(own)).u32(burstTicks(rate)).u32(quantumBytes).u32(0).u32(0);
          });
          // The 32-bit field holds up to 34 Gb/s; for higher rates the kernel reads these attributes.
          if (rate.bytesPerSecond > MAX_U32) {
            o.attribute(TCA_HTB.RATE64, (a) => a.u64(own.bytesPerSecond));
            o.attribute(TCA_HTB.CEIL64, (a) => a.u64(rate.bytesPerSecond));
          }
        }),
  };
}

/** struct tc_ratespec. With a link layer, the kernel needs no rate table. */
function rateSpec(
  writer: MessageWriter,
  { bytesPerSecond, overheadBytes = 0, inCells }: HtbRate,
): MessageWriter {
  return writer
    .u8(0)
    .u8(inCells ? TC_LINKLAYER.atm : TC_LINKLAYER.ethernet)
    .u16(overheadBytes)
    .u16(0xffff)
    .u16(0)
    .u32(Math.min(bytesPerSecond, MAX_U32));
}

/** A burst is given as the time that it takes at the rate. */
function burstTicks({ bytesPerSecond, burstBytes }: HtbRate): number {
  return Math.min(MAX_U32, Math.ceil((burstBytes / bytesPerSecond) * (1e9 / NANOSECONDS_PER_TICK)));
}

/** `tc class del dev IF classid MAJOR:MINOR` */
export function deleteClass(ifindex: number, major: number, minor: number): Request {
  const own = handle(major, minor);
  return {
    type: RTM.DELTCLASS,
    flags: 0,
    what: `delete class ${formatHandle(own)}`,
    body: (w) => header(w, ifindex, own, 0),
  };
}

/** The kernel's own handle of clsact. */
const CLSACT_MAJOR = 0xffff;

/**
 * The handle of the queue of a class. Its major number is the class's minor number, so that handles can be predicted. Two of these
 * numbers belong to the root and to clsact; for the queues of those classes the kernel chooses a handle.
 */
export function queueHandle(major: number, minor: number): number {
  return minor === major || minor === CLSACT_MAJOR ? 0 : handle(minor, 0);
}

/** `tc qdisc del dev IF parent MAJOR:MINOR`: the class gets the kernel's default queue. */
export function deleteQueue(ifindex: number, major: number, minor: number): Request {
  const parent = handle(major, minor);
  return {
    type: RTM.DELQDISC,
    flags: 0,
    what: `delete the queue of class ${formatHandle(parent)}`,
    body: (w) => header(w, ifindex, 0, parent),
  };
}

/** `tc qdisc replace dev IF parent MAJOR:MINOR handle MINOR: bfifo limit BYTES` (or pfifo, packets) */
export function setFifo(
  ifindex: number,
  major: number,
  minor: number,
  { kind, limit }: { readonly kind: 'bfifo' | 'pfifo'; readonly limit: number },
): Request {
  const parent = handle(major, minor);
  return {
    type: RTM.NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    what: `set the queue ${kind} limit ${limit} of class ${formatHandle(parent)}`,
    body: (w) =>
      header(w, ifindex, queueHandle(major, minor), parent)
        .attributeString(TCA_KIND, kind)
        .attribute(TCA_OPTIONS, (o) => o.u32(limit)),
  };
}

const FILTER_HANDLE = 1;

/** TC_H_CLSACT, and below it the parents of its filters, with TC_H_MIN_INGRESS and TC_H_MIN_EGRESS. */
const CLSACT = 0xfffffff1;
const CLSACT_HANDLE = 0xffff0000;
/** Where filters run: on packets that arrive, or on packets that leave, before the root qdisc sees them. */
export const HOOK_PARENTS = { ingress: 0xfffffff2, egress: 0xfffffff3 } as const;
export type Hook = keyof typeof HOOK_PARENTS;

export interface BpfFilter {
  readonly parent: number;
  readonly priority: number;
  readonly programFd: number;
  readonly name: string;
  readonly what: string;
}

/**
 * `tc filter replace dev IF parent PARENT protocol all prio P handle 1 bpf direct-action fd N name NAME`
 *
 * The kernel replaces the program between two packets, so that every packet is classified.
 */
export function setBpfFilter(
  ifindex: number,
  { parent, priority, programFd, name, what }: BpfFilter,
): Request {
  return {
    type: RTM.NEWTFILTER,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    what,
    body: (w) =>
      header(w, ifindex, FILTER_HANDLE, parent, handle(priority, ETH_P_ALL_BE))
        .attributeString(TCA_KIND, 'bpf')
        .nested(TCA_OPTIONS, (o) =>
          o
            // The major number of the classes that the program names.
            .attributeU32(TCA_BPF.CLASSID, (parent & 0xffff0000) >>> 0)
            .attributeU32(TCA_BPF.FD, programFd)
            .attributeString(TCA_BPF.NAME, name)
            .attributeU32(TCA_BPF.FLAGS, TCA_BPF_FLAG_ACT_DIRECT),
        ),
  };
}

/** `tc qdisc add dev IF clsact` */
export function addClsact(ifindex: number): Request {
  return {
    type: RTM.NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    what: 'add the qdisc clsact',
    body: (w) => header(w, ifindex, CLSACT_HANDLE, CLSACT).attributeString(TCA_KIND, 'clsact'),
  };
}

/** `tc qdisc del dev IF clsact`, with all of its filters */
export function deleteClsact(ifindex: number): Request {
  return {
    type: RTM.DELQDISC,
    flags: 0,
    what: 'delete the qdisc clsact',
    body: (w) => header(w, ifindex, 0, CLSACT).attributeString(TCA_KIND, 'clsact'),
  };
}

/** Needs clsact, or, at `ingress`, the qdisc of that name. Filters of lower priorities run before it. */
export function setHookFilter(
  ifindex: number,
  hook: Hook,
  programFd: number,
  { name, priority }: Pick<BpfFilter, 'name' | 'priority'>,
): Request {
  return setBpfFilter(ifindex, {
    parent: HOOK_PARENTS[hook],
    priority,
    programFd,
    name,
    what: `set the BPF program at ${hook}`,
  });
}
