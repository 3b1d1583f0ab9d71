/** netem over netlink (linux/pkt_sched.h, net/sched/sch_netem.c): requests, and reading it back. */
import { netemTable } from '../../enforce/distributions.ts';
import type { NetemQueue } from '../../enforce/interface-state.ts';
import { NLM_F_CREATE, NLM_F_REPLACE, readAttributes } from '../../kernel/netlink/netlink-message.ts';
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

const TCA_NETEM = { DELAY_DIST: 2, RATE: 6, RATE64: 8, LATENCY64: 10, JITTER64: 11 } as const;
/** struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter. */
const QOPT_SIZE = 24;
const MAX_U32 = 0xffffffff;

/**
 * A netem with a rate keeps packets in order: none is sent before the previous one. This rate is too high to delay anything
 * by itself.
 */
const IN_ORDER_BYTES_PER_SECOND = 1e12;

/**
 * `tc qdisc replace dev IF parent MAJOR:MINOR handle MINOR: netem limit L delay D J distribution T loss P rate R`, where R is
 * that of the slowest link, or 8000gbit; and, for the other links, `… parent MINOR:1 netem limit L rate R2`. A netem with a
 * rate sends each packet when all of it has passed at that rate, as the link does; what leaves the first one enters the
 * second.
 *
 * The table is sent whenever there is jitter: a netem keeps an earlier table, and one without a table draws uniformly from
 * ±jitter, whose deviation is jitter/√3.
 */
export function setNetem(ifindex: number, major: number, minor: number, queue: NetemQueue): Request[] {
  const parent = handle(major, minor);
  const own = queueHandle(major, minor);
  const { limit, slowest, others } = queue;
  const first = stage(ifindex, own, parent, `the queue netem of class ${formatHandle(parent)}`, {
    ...queue,
    bytesPerSecond: slowest || IN_ORDER_BYTES_PER_SECOND,
  });
  if (others === 0) return [first];
  const what = `the second netem of class ${formatHandle(parent)}`;
  return [first, stage(ifindex, 0, secondParent(own), what, { ...NO_DELAY, limit, bytesPerSecond: others })];
}

/** The parent of the netem within this one. */
export const secondParent = (own: number): number => ((own & 0xffff0000) | 1) >>> 0;

type Stage = Omit<NetemQueue, 'kind' | 'slowest' | 'others'> & { readonly bytesPerSecond: number };
const NO_DELAY = { latencyNs: 0, jitterNs: 0, distribution: 'none', loss: 0 } as const;

function stage(ifindex: number, own: number, parent: number, what: string, settings: Stage): Request {
  const { limit, latencyNs, jitterNs, distribution, loss, bytesPerSecond } = settings;
  return {
    type: RTM.NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    what: `set ${what}`,
    body: (w) =>
      header(w, ifindex, own, parent)
        .attributeString(TCA_KIND, 'netem')
        .attribute(TCA_OPTIONS, (o) => {
          o.u32(ticks(latencyNs))
            .u32(limit)
            .u32(Math.round(loss * MAX_U32))
            .u32(0)
            .u32(0)
            .u32(ticks(jitterNs));
          o.attribute(TCA_NETEM.LATENCY64, (a) => a.u64(latencyNs));
          o.attribute(TCA_NETEM.JITTER64, (a) => a.u64(jitterNs));
          o.attribute(TCA_NETEM.RATE, (a) => a.u32(Math.min(MAX_U32, bytesPerSecond)).i32(0).u32(0).i32(0));
          if (bytesPerSecond >= MAX_U32) o.attribute(TCA_NETEM.RATE64, (a) => a.u64(bytesPerSecond));
          if (distribution !== 'none' && distribution !== 'unknown') {
            const table = netemTable(distribution);
            o.attributeBytes(
              TCA_NETEM.DELAY_DIST,
              new Uint8Array(table.buffer, table.byteOffset, table.byteLength),
            );
          }
        }),
  };
}

/** For kernels without LATENCY64. */
function ticks(nanoseconds: number): number {
  return Math.min(MAX_U32, Math.round(nanoseconds / NANOSECONDS_PER_TICK));
}

/** A netem as the kernel dumps it: the fixed part, then attributes. Its `others` are those of the netem within it. */
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
    others: 0,
  };
}

function nanoseconds(payload: Buffer | undefined): number | undefined {
  return payload && payload.readUInt32LE(0) + payload.readInt32LE(4) * 2 ** 32;
}
