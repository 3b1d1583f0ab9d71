/**
 * What is installed for the outgoing traffic of an interface: plain data that a journal can keep. `qdisc-tree.ts` reads it,
 * `tree-restore.ts` restores it.
 */
import { z } from 'zod';

const u32 = z.int().min(0).max(0xffffffff);

/** The payload of TCA_OPTIONS as the kernel sent it; absent where it sent none. */
const options = z.base64().optional();

const qdisc = z.object({
  kind: z.string(),
  /** 0: created by the kernel itself. */
  handle: u32,
  parent: u32,
  options,
  /** The payload of TCA_STAB, by which packet sizes are computed. */
  sizeTable: z.base64().optional(),
  /** Its filters or classes are in a block that it shares with other interfaces. */
  sharesBlock: z.boolean().optional(),
});

const trafficClass = z.object({ kind: z.string(), handle: u32, parent: u32, options });

const filter = z.object({
  kind: z.string(),
  /** 0 for the heading of the filters of one priority. */
  handle: u32,
  /** The qdisc or class to which it is attached. */
  parent: u32,
  priority: z.int().min(0).max(0xffff),
  /** An Ethernet protocol (linux/if_ether.h), in host byte order. */
  protocol: z.int().min(0).max(0xffff),
  chain: u32,
  options,
});

/** The properties of the interface that influence new qdiscs on it. */
const device = z.object({
  ifname: z.string(),
  mtu: u32,
  txQueueLength: u32,
  txQueues: u32,
  gsoMaxSegments: u32,
  /** The value of `gsoMaxSegments` on an interface where it was never changed. */
  gsoSegmentsByDefault: u32,
});

export const qdiscTreeSchema = z.object({
  device,
  qdiscs: z.array(qdisc),
  /** Classes that were created by request. Bands and flows, which come with their qdisc, are left out. */
  classes: z.array(trafficClass),
  /** In the order in which the kernel lists them. */
  filters: z.array(filter),
});

/** The root and everything below it. clsact and ingress are not included: they stay when a root is replaced. */
export type QdiscTree = z.infer<typeof qdiscTreeSchema>;
export type TreeDevice = QdiscTree['device'];
export type TreeQdisc = QdiscTree['qdiscs'][number];
export type TreeClass = QdiscTree['classes'][number];
export type TreeFilter = QdiscTree['filters'][number];

/**
 * True when the kernel created the whole tree by itself; it creates it again when another root is deleted. The kind is not
 * enough to know that: `tc qdisc add dev IF root fq_codel` has a handle, the kernel's own fq_codel has none.
 */
export function isKernelDefault({ qdiscs, classes, filters }: QdiscTree): boolean {
  return classes.length === 0 && filters.length === 0 && qdiscs.every(({ handle }) => handle === 0);
}

/** True when deleting netfold's root is not enough to restore everything. */
export function needsJournal(tree: QdiscTree): boolean {
  return !isKernelDefault(tree) || tree.device.gsoMaxSegments !== tree.device.gsoSegmentsByDefault;
}
