/**
 * Where the kernel's description of a queueing discipline is incomplete, or differs from what a request must contain
 * (net/sched/sch_*.c). Only the kinds listed here can be restored; others were not examined.
 */

import { attributeBytes, editAttributes, u32Bytes } from '../../kernel/netlink/attribute-edit.ts';
import { readAttributes } from '../../kernel/netlink/netlink-message.ts';
import { longestFrame } from '../../kernel/netlink/rate-time.ts';
import { TCA_HTB } from '../../kernel/netlink/tc-messages.ts';
import type { TreeQdisc } from './model.ts';

interface QdiscKind {
  /** Its classes are created by separate requests, not together with the qdisc. */
  readonly classes?: true;
  /** The description without statistics: equal for equal qdiscs. */
  readonly canonical?: (options: Buffer) => Buffer;
  /** What a request must contain for a qdisc with this (canonical) description. */
  readonly request?: (options: Buffer) => Buffer;
  /** What the description lacks; `undefined` where it is complete. */
  readonly lost?: (options: Buffer) => string | undefined;
}

const KINDS: Readonly<Record<string, QdiscKind>> = {
  noqueue: {},
  pfifo: {},
  bfifo: {},
  pfifo_head_drop: {},
  pfifo_fast: {},
  prio: {},
  mq: {},
  fq: {},
  cake: {},
  drr: { classes: true },
  qfq: { classes: true },
  hfsc: { classes: true },
  htb: { classes: true, canonical: htbCanonical },
  tbf: { request: tbfRequest, lost: tbfLost },
  sfq: { canonical: sfqCanonical },
  codel: { request: (options) => codelRequest(options, [1, 3, 5]) },
  fq_codel: { request: (options) => codelRequest(options, [1, 3, 7]) },
  netem: { lost: netemLost },
};

const bytesOf = (base64: string | undefined): Buffer => Buffer.from(base64 ?? '', 'base64');

export function classesAreMade(kind: string): boolean {
  return KINDS[kind]?.classes === true;
}

export function canonicalQdisc({ kind, options }: Pick<TreeQdisc, 'kind' | 'options'>): Buffer {
  const bytes = bytesOf(options);
  return KINDS[kind]?.canonical?.(bytes) ?? bytes;
}

export function qdiscRequestOptions(qdisc: Pick<TreeQdisc, 'kind' | 'options'>): Buffer | undefined {
  if (qdisc.options === undefined) return undefined;
  const canonical = canonicalQdisc(qdisc);
  return KINDS[qdisc.kind]?.request?.(canonical) ?? canonical;
}

/** Why this qdisc can't be restored from its description; `undefined` where it can. */
export function whatQdiscLoses(qdisc: TreeQdisc): string | undefined {
  const kind = KINDS[qdisc.kind];
  if (!kind) return `netfold can't make qdiscs of the kind ${qdisc.kind} again`;
  if (qdisc.sharesBlock) return 'it shares a block of filters with other interfaces';
  const table = qdisc.sizeTable === undefined ? 0 : sizeTableEntries(bytesOf(qdisc.sizeTable));
  if (table > 0) return 'the kernel does not tell its size table (stab)';
  return kind.lost?.(bytesOf(qdisc.options));
}

const TCA_STAB_BASE = 1;

/** struct tc_sizespec: the number of entries of the table. */
function sizeTableEntries(table: Buffer): number {
  const base = readAttributes(table).get(TCA_STAB_BASE);
  return base && base.length >= 24 ? base.readUInt32LE(20) : 0;
}

/** struct tc_htb_glob: the kernel reports the full version and a count of packets, and accepts the major version. */
function htbCanonical(options: Buffer): Buffer {
  return editAttributes(options, (type, value) => {
    if (type !== TCA_HTB.INIT || value.length < 20) return value;
    const version = value.readUInt32LE(0);
    value.writeUInt32LE(version > 0xffff ? version >>> 16 : version, 0);
    value.writeUInt32LE(0, 16);
    return value;
  });
}

/** struct tc_sfq_qopt_v1 ends with counters. */
const SFQ_COUNTERS = 48;

function sfqCanonical(options: Buffer): Buffer {
  return Buffer.from(options).fill(0, SFQ_COUNTERS);
}

const TCA_TBF = { PARMS: 1, RATE64: 4, PRATE64: 5, BURST: 6, PBURST: 7 } as const;
/** Offsets in struct tc_tbf_qopt. */
const TBF = { rate: 0, peak: 12, buffer: 28, mtu: 32, size: 36 } as const;
/** Offsets in struct tc_ratespec. */
const RATESPEC = { linkLayer: 1, overhead: 2, minimum: 6, rate: 8 } as const;
const LINK_LAYER_ATM = 2;

/**
 * Bursts are reported as times. From a time the kernel computes fewer bytes than were requested, and a burst of one frame
 * would become too small for any frame. If the request also has the burst in bytes, the kernel takes that.
 */
function tbfRequest(options: Buffer): Buffer {
  const attributes = readAttributes(options);
  const parms = attributes.get(TCA_TBF.PARMS);
  if (!parms || parms.length < TBF.size) return options;
  const bytes = (spec: number, ticks: number, rate64: number): number =>
    longestFrame(
      {
        bytesPerSecond:
          attributes.get(rate64)?.readBigUInt64LE(0) ?? BigInt(parms.readUInt32LE(spec + RATESPEC.rate)),
        overhead: parms.readUInt16LE(spec + RATESPEC.overhead),
        minimum: parms.readUInt16LE(spec + RATESPEC.minimum),
      },
      parms.readUInt32LE(ticks),
    );
  const hasPeak = parms.readUInt32LE(TBF.peak + RATESPEC.rate) > 0;
  const burst = bytes(TBF.rate, TBF.buffer, TCA_TBF.RATE64);
  const peakBurst = hasPeak ? bytes(TBF.peak, TBF.mtu, TCA_TBF.PRATE64) : 0;
  return Buffer.concat([
    options,
    attributeBytes(TCA_TBF.BURST, u32Bytes(burst)),
    ...(hasPeak ? [attributeBytes(TCA_TBF.PBURST, u32Bytes(peakBurst))] : []),
  ]);
}

function tbfLost(options: Buffer): string | undefined {
  const parms = readAttributes(options).get(TCA_TBF.PARMS);
  if (!parms || parms.length < TBF.size) return 'the kernel does not tell its rate';
  const layers = [TBF.rate, TBF.peak].map((spec) => parms.readUInt8(spec + RATESPEC.linkLayer) & 0xf);
  return layers.includes(LINK_LAYER_ATM) ? 'the kernel does not tell its burst in bytes (ATM)' : undefined;
}

const CODEL_SHIFT = 10n;
/** codel counts time in units of 1,024 ns, and rounds down both what is requested and what it reports (net/codel.h). */
const reportedMicros = (micros: bigint): bigint => (((micros * 1000n) >> CODEL_SHIFT) << CODEL_SHIFT) / 1000n;

/** The microseconds to request, so that the kernel reports `reported`. */
function requestedMicros(reported: number): number {
  return reportedMicros(BigInt(reported)) === BigInt(reported) ? reported : reported + 1;
}

/** `times`: the attributes that are times. */
function codelRequest(options: Buffer, times: readonly number[]): Buffer {
  return editAttributes(options, (type, value) =>
    times.includes(type) && value.length === 4 ? u32Bytes(requestedMicros(value.readUInt32LE(0))) : value,
  );
}

/** struct tc_netem_qopt, then attributes */
const NETEM_SIZE = 24;
const NETEM_JITTER = 20;
const TCA_NETEM = { JITTER64: 11, SLOT: 12 } as const;
/** Offsets in struct tc_netem_slot. */
const SLOT_DELAY = 24;

function netemLost(options: Buffer): string | undefined {
  if (options.length < NETEM_SIZE) return 'the kernel does not tell its parameters';
  const attributes = readAttributes(options, NETEM_SIZE);
  const hasJitter = options.readUInt32LE(NETEM_JITTER) > 0 || !isZero(attributes.get(TCA_NETEM.JITTER64));
  const hasSlots = !isZero(attributes.get(TCA_NETEM.SLOT)?.subarray(SLOT_DELAY));
  if (!hasJitter && !hasSlots) return undefined;
  return `the kernel does not tell by which distribution its ${hasJitter ? 'jitter' : 'slots'} vary`;
}

function isZero(bytes: Buffer | undefined): boolean {
  return bytes?.every((byte) => byte === 0) ?? true;
}
