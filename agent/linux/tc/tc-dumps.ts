/** Reads queueing disciplines, classes and filters from the kernel: the counterpart of tc-messages.ts. */
import type { LeafQueue } from '../../enforce/interface-state.ts';
import { readAttributes, readString } from '../../kernel/netlink/netlink-message.ts';
import type { NetlinkSocket, Request } from '../../kernel/netlink/netlink-socket.ts';
import {
  type HtbRate,
  handle,
  header,
  NANOSECONDS_PER_TICK,
  RTM,
  TC_H_ROOT,
  TC_LINKLAYER,
  TCA_BPF,
  TCA_HTB,
  TCA_KIND,
  TCA_OPTIONS,
} from '../../kernel/netlink/tc-messages.ts';
import { readNetem } from './netem-messages.ts';

const TCA_STATS = 3;
/** struct tc_stats: bytes (8 bytes), packets, drops, overlimits, bps, pps, qlen, backlog. */
const TC_STATS = { PACKETS: 8, DROPS: 12, QLEN: 28 } as const;

/** Offsets in struct tc_ratespec, with which the parameters of a class begin. */
const RATESPEC = { linkLayer: 1, overhead: 2 } as const;
/** struct tcmsg: family and padding (4), ifindex, handle, parent, info. */
const TCMSG_SIZE = 20;

export interface QdiscSeen {
  readonly kind: string;
  readonly handle: number;
  readonly parent: number;
  readonly packets: { readonly sent: number; readonly dropped: number; readonly waiting: number };
  /** The same as the queue of a class, where it is of a kind that netfold makes. */
  readonly queue?: LeafQueue;
}

/** `tc qdisc show dev IF` */
export function listQdiscs(socket: NetlinkSocket, ifindex: number): QdiscSeen[] {
  const request: Request = {
    type: RTM.GETQDISC,
    flags: 0,
    what: 'list qdiscs',
    body: (w) => header(w, ifindex, 0, 0),
  };
  return socket.dump(request, (body) => {
    // The kernel dumps the qdiscs of all interfaces.
    if (body.readInt32LE(4) !== ifindex) return undefined;
    const attributes = readAttributes(body, TCMSG_SIZE);
    const kind = readString(attributes.get(TCA_KIND));
    const options = attributes.get(TCA_OPTIONS);
    const queue = options && readQueue(kind, options);
    return {
      kind,
      handle: body.readUInt32LE(8),
      parent: body.readUInt32LE(12),
      packets: readPackets(attributes.get(TCA_STATS)),
      ...(queue && { queue }),
    };
  });
}

function readPackets(stats: Buffer | undefined): QdiscSeen['packets'] {
  const read = (offset: number): number => stats?.readUInt32LE(offset) ?? 0;
  return { sent: read(TC_STATS.PACKETS), dropped: read(TC_STATS.DROPS), waiting: read(TC_STATS.QLEN) };
}

function readQueue(kind: string, options: Buffer): LeafQueue | undefined {
  if (kind === 'bfifo' || kind === 'pfifo') return { kind, limit: options.readUInt32LE(0) };
  return kind === 'netem' ? readNetem(options) : undefined;
}

export interface ClassSeen extends HtbRate {
  readonly minor: number;
  /** Minor number of the class in which it is, whose rate it borrows: then these are the rate and burst to which it may. */
  readonly above?: number;
}

/** `tc class show dev IF`: the HTB classes below `major`. */
export function listClasses(socket: NetlinkSocket, ifindex: number, major: number): ClassSeen[] {
  const request: Request = {
    type: RTM.GETTCLASS,
    flags: 0,
    what: 'list classes',
    body: (w) => header(w, ifindex, 0, 0),
  };
  return socket.dump(request, (body) => {
    const own = body.readUInt32LE(8);
    const attributes = readAttributes(body, TCMSG_SIZE);
    const options = attributes.get(TCA_OPTIONS);
    if (own >>> 16 !== major || !options || readString(attributes.get(TCA_KIND)) !== 'htb') return undefined;
    const parent = body.readUInt32LE(12);
    const above = parent === TC_H_ROOT ? undefined : parent & 0xffff;
    const rate = readRate(readAttributes(options), above === undefined ? 'rate' : 'ceil');
    return { minor: own & 0xffff, ...rate, ...(above !== undefined && { above }) };
  });
}

/** In the parameters: of the rate itself, and of what a class may borrow up to. */
const RATES = {
  rate: { at: 8, burstAt: 24, wide: TCA_HTB.RATE64 },
  ceil: { at: 20, burstAt: 28, wide: TCA_HTB.CEIL64 },
} as const;

function readRate(options: Map<number, Buffer>, which: keyof typeof RATES): HtbRate {
  const parms = options.get(TCA_HTB.PARMS);
  if (!parms) return { bytesPerSecond: 0, burstBytes: 0 };
  const { at, burstAt, wide } = RATES[which];
  const wideRate = options.get(wide);
  const bytesPerSecond = wideRate
    ? wideRate.readUInt32LE(0) + wideRate.readUInt32LE(4) * 2 ** 32
    : parms.readUInt32LE(at);
  const burstBytes = Math.round((parms.readUInt32LE(burstAt) * NANOSECONDS_PER_TICK * bytesPerSecond) / 1e9);
  const overheadBytes = parms.readUInt16LE(RATESPEC.overhead);
  const inCells = parms.readUInt8(RATESPEC.linkLayer) === TC_LINKLAYER.atm;
  return {
    ...{ bytesPerSecond, burstBytes },
    ...((overheadBytes > 0 || inCells) && { overheadBytes }),
    ...(inCells && { inCells }),
  };
}

/** The BPF program ids of the filters at the root `major`. `tc filter show dev IF` */
export function listClassifiers(socket: NetlinkSocket, ifindex: number, major: number): number[] {
  const request: Request = {
    type: RTM.GETTFILTER,
    flags: 0,
    what: 'list filters',
    body: (w) => header(w, ifindex, 0, handle(major, 0)),
  };
  return socket.dump(request, (body) => {
    const attributes = readAttributes(body, TCMSG_SIZE);
    const options = attributes.get(TCA_OPTIONS);
    if (!options || readString(attributes.get(TCA_KIND)) !== 'bpf') return undefined;
    const id = readAttributes(options).get(TCA_BPF.ID);
    return id ? id.readUInt32LE(0) : undefined;
  });
}
