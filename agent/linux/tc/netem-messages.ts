/** netem over netlink (linux/pkt_sched.h, net/sched/sch_netem.c): requests, and reading it back. */
import { netemTable } from '../../enforce/distributions.ts';
import { type NetemQueue, queueMajor } from '../../enforce/interface-state.ts';
import {
  type MessageWriter,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  readAttributes,
} from '../../kernel/netlink/netlink-message.ts';
import type { Request } from '../../kernel/netlink/netlink-socket.ts';
import {
  formatHandle,
  handle,
  header,
  NANOSECONDS_PER_TICK,
  queueHandle,
  RTM,
  TCA_KIND,
  TCA_OPTIONS,
} from '../../kernel/netlink/tc-messages.ts';

const TCA_NETEM = {
  DELAY_DIST: 2,
  REORDER: 3,
  CORRUPT: 4,
  LOSS: 5,
  RATE: 6,
  RATE64: 8,
  LATENCY64: 10,
  JITTER64: 11,
  SLOT: 12,
} as const;
/** Within TCA_NETEM_LOSS: struct tc_netem_gimodel and struct tc_netem_gemodel, words in the order of `NetemQueue.lossModel`. */
const NETEM_LOSS = { state: 1, gemodel: 2 } as const;
/** struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter. */
const QOPT_SIZE = 24;
/** With 0, netem reorders nothing, whatever TCA_NETEM_REORDER says; with 1, each packet by its probability. */
const GAP = 12;
const MAX_U32 = 0xffffffff;

/**
 * A netem with a rate keeps packets in order: none is sent before the previous one. This rate is too high to delay anything
 * by itself.
 */
const IN_ORDER_BYTES_PER_SECOND = 1e12;

/**
 * `tc qdisc replace dev IF parent MAJOR:MINOR handle MINOR: netem limit L delay D J distribution T loss P rate R`, where R is
 * that of the slowest link, or 8000gbit. A netem with a rate sends each packet when all of it has passed at
 * that rate, as the link does.
 *
 * The table is sent whenever there is jitter: a netem keeps an earlier table, and one without a table draws uniformly from
 * ±jitter, whose deviation is jitter/√3. Without a model of loss it has none; earlier
 * corruption and slots it keeps (`planTc` deletes it before).
 */
export function setNetem(ifindex: number, major: number, minor: number, queue: NetemQueue): Request {
  const parent = handle(major, minor);
  return {
    type: RTM.NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    what: `set the queue netem of class ${formatHandle(parent)}`,
    body: (w) => writeNetem(header(w, ifindex, queueHandle(major, minor), parent), queue),
  };
}

/**
 * `tc qdisc replace dev IF parent QUEUE:1 handle H: netem limit L rate R`: a link that follows, whose queue is the child of the one
 * before. `place`: from 1.
 */
export function setFurther(
  ifindex: number,
  minor: number,
  place: number,
  { bytesPerSecond, limit }: { readonly bytesPerSecond: number; readonly limit: number },
): Request {
  const plain = { latencyNs: 0, jitterNs: 0, distribution: 'none', loss: 0 } as const;
  const queue: NetemQueue = { kind: 'netem', limit, slowest: bytesPerSecond, ...plain };
  const parent = handle(queueMajor(minor, place - 1), 1);
  return {
    type: RTM.NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    what: `set the queue netem within ${formatHandle(parent)}`,
    body: (w) => writeNetem(header(w, ifindex, handle(queueMajor(minor, place), 0), parent), queue),
  };
}

/** `tc qdisc del dev IF parent QUEUE:1`: the queue at this place, with those within it. */
export function cutFurther(ifindex: number, minor: number, place: number): Request {
  const parent = handle(queueMajor(minor, place - 1), 1);
  return {
    type: RTM.DELQDISC,
    flags: 0,
    what: `delete the queue within ${formatHandle(parent)}`,
    body: (w) => header(w, ifindex, 0, parent),
  };
}

function writeNetem(w: MessageWriter, queue: NetemQueue): void {
  const {
    limit,
    latencyNs,
    jitterNs,
    distribution,
    loss,
    lossModel,
    slowest,
    corrupt = 0,
    reorder = 0,
  } = queue;
  const bytesPerSecond = slowest || IN_ORDER_BYTES_PER_SECOND;
  w.attributeString(TCA_KIND, 'netem').attribute(TCA_OPTIONS, (o) => {
    o.u32(ticks(latencyNs))
      .u32(limit)
      .u32(Math.round(loss * MAX_U32))
      .u32(reorder > 0 ? 1 : 0)
      .u32(0)
      .u32(ticks(jitterNs));
    o.attribute(TCA_NETEM.LATENCY64, (a) => a.u64(latencyNs));
    o.attribute(TCA_NETEM.JITTER64, (a) => a.u64(jitterNs));
    const [overhead, cell, cellOverhead] = (queue.framing ?? '0 0 0').split(' ').map(Number);
    o.attribute(TCA_NETEM.RATE, (a) =>
      a.u32(Math.min(MAX_U32, bytesPerSecond)).i32(overhead!).u32(cell!).i32(cellOverhead!),
    );
    if (bytesPerSecond >= MAX_U32) o.attribute(TCA_NETEM.RATE64, (a) => a.u64(bytesPerSecond));
    const { slots } = queue;
    if (corrupt > 0) o.attribute(TCA_NETEM.CORRUPT, (a) => writeProbability(a, corrupt));
    if (reorder > 0) o.attribute(TCA_NETEM.REORDER, (a) => writeProbability(a, reorder));
    if (lossModel !== undefined) o.nested(TCA_NETEM.LOSS, (a) => writeLossModel(a, lossModel));
    if (slots !== undefined) o.attribute(TCA_NETEM.SLOT, (a) => writeSlots(a, slots));
    if (distribution !== 'none' && distribution !== 'unknown') {
      const table = netemTable(distribution);
      o.attributeBytes(
        TCA_NETEM.DELAY_DIST,
        new Uint8Array(table.buffer, table.byteOffset, table.byteLength),
      );
    }
  });
}

/** And no correlation. */
function writeProbability(writer: MessageWriter, probability: number): void {
  writer.u32(Math.round(probability * MAX_U32)).u32(0);
}

function writeLossModel(writer: MessageWriter, lossModel: string): void {
  const [kind, ...words] = lossModel.split(' ');
  writer.attribute(NETEM_LOSS[kind as keyof typeof NETEM_LOSS], (a) => {
    for (const word of words) a.u32(Number(word));
  });
}

/** struct tc_netem_slot: least and greatest time, packets and bytes of each (0: no limit), and no distribution. */
function writeSlots(writer: MessageWriter, slots: string): void {
  for (const time of slots.split(' ')) writer.u64(Number(time));
  writer.i32(0).i32(0).u64(0).u64(0);
}

/** For kernels without LATENCY64. */
function ticks(nanoseconds: number): number {
  return Math.min(MAX_U32, Math.round(nanoseconds / NANOSECONDS_PER_TICK));
}

/** A netem as the kernel dumps it: the fixed part, then attributes. */
export function readNetem(options: Buffer): NetemQueue {
  const attributes = readAttributes(options, QOPT_SIZE);
  const latencyNs =
    nanoseconds(attributes.get(TCA_NETEM.LATENCY64)) ?? options.readUInt32LE(0) * NANOSECONDS_PER_TICK;
  const jitterNs =
    nanoseconds(attributes.get(TCA_NETEM.JITTER64)) ?? options.readUInt32LE(20) * NANOSECONDS_PER_TICK;
  const rate = attributes.get(TCA_NETEM.RATE)?.readUInt32LE(0) ?? MAX_U32;
  return {
    kind: 'netem',
    limit: options.readUInt32LE(4),
    latencyNs,
    jitterNs,
    distribution: jitterNs === 0 ? 'none' : 'unknown',
    loss: options.readUInt32LE(8) / MAX_U32,
    slowest: rate === MAX_U32 ? 0 : rate,
    ...readRare(options, attributes),
  };
}

/** What a netem rarely has. */
function readRare(
  options: Buffer,
  attributes: ReadonlyMap<number, Buffer>,
): Pick<NetemQueue, 'lossModel' | 'corrupt' | 'reorder' | 'slots' | 'framing'> {
  const probability = (type: number): number => (attributes.get(type)?.readUInt32LE(0) ?? 0) / MAX_U32;
  const corrupt = probability(TCA_NETEM.CORRUPT);
  const reorder = options.readUInt32LE(GAP) > 0 ? probability(TCA_NETEM.REORDER) : 0;
  const lossModel = readLossModel(attributes.get(TCA_NETEM.LOSS));
  const slots = attributes.get(TCA_NETEM.SLOT);
  const rate = attributes.get(TCA_NETEM.RATE);
  const framing = [4, 8, 12].map((at) => rate?.readInt32LE(at) ?? 0);
  const [least, most] = slots ? [nanoseconds(slots)!, nanoseconds(slots.subarray(8))!] : [0, 0];
  return {
    ...(lossModel !== undefined && { lossModel }),
    ...(corrupt > 0 && { corrupt }),
    ...(reorder > 0 && { reorder }),
    ...(most > 0 && { slots: `${least} ${most}` }),
    ...(framing.some((one) => one !== 0) && { framing: framing.join(' ') }),
  };
}

function readLossModel(payload: Buffer | undefined): string | undefined {
  const models = payload && readAttributes(payload);
  for (const [kind, type] of Object.entries(NETEM_LOSS)) {
    const words = models?.get(type);
    if (!words) continue;
    return [kind, ...Array.from({ length: words.length / 4 }, (_, at) => words.readUInt32LE(4 * at))].join(
      ' ',
    );
  }
  return undefined;
}

function nanoseconds(payload: Buffer | undefined): number | undefined {
  return payload && payload.readUInt32LE(0) + payload.readInt32LE(4) * 2 ** 32;
}
