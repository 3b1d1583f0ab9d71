/**
 * What somebody has installed for the traffic that leaves an interface: plain data, that a journal can keep. It is
 * taken and made again in agent/kernel/.
 */
import { z } from 'zod';

const u32 = z.int().min(0).max(0xffffffff);

/** The payload of TCA_OPTIONS, as the kernel gave it; absent where it gave none. */
const options = z.base64().optional();

const qdisc = z.object({
  kind: z.string(),
  /** 0: made by the kernel itself. */
  handle: u32,
  parent: u32,
  options,
  /** The payload of TCA_STAB: how sizes of packets are counted. */
  sizeTable: z.base64().optional(),
  /** Its filters or classes live in a block that other interfaces share. */
  sharesBlock: z.boolean().optional(),
});

const trafficClass = z.object({ kind: z.string(), handle: u32, parent: u32, options });

const filter = z.object({
  kind: z.string(),
  /** 0 for the heading under which the kernel lists the filters of one priority. */
  handle: u32,
  /** The qdisc or class that it is attached to. */
  parent: u32,
  priority: z.int().min(0).max(0xffff),
  /** An Ethernet protocol (linux/if_ether.h), in host byte order. */
  protocol: z.int().min(0).max(0xffff),
  chain: u32,
  options,
});

/** What of the interface decides how qdiscs come out that are made on it. */
const device = z.object({
  ifname: z.string(),
  mtu: u32,
  txQueueLength: u32,
  txQueues: u32,
  gsoMaxSegments: u32,
  /** What `gsoMaxSegments` is on an interface that nobody has limited. */
  gsoSegmentsByDefault: u32,
});

export const qdiscTreeSchema = z.object({
  device,
  qdiscs: z.array(qdisc),
  /** Those that somebody made; bands and flows come with their qdisc. */
  classes: z.array(trafficClass),
  /** In the order in which the kernel lists them. */
  filters: z.array(filter),
});

/** The root and all below it. clsact and ingress are not a part: they stay when a root is replaced. */
export type QdiscTree = z.infer<typeof qdiscTreeSchema>;
export type TreeDevice = QdiscTree['device'];
export type TreeQdisc = QdiscTree['qdiscs'][number];
export type TreeClass = QdiscTree['classes'][number];
export type TreeFilter = QdiscTree['filters'][number];

/**
 * True when the kernel made the whole tree: it makes it again when another root is deleted. A kind says nothing:
 * `tc qdisc add dev IF root fq_codel` has a handle, the kernel's own fq_codel has none.
 */
export function isKernelDefault({ qdiscs, classes, filters }: QdiscTree): boolean {
  return classes.length === 0 && filters.length === 0 && qdiscs.every(({ handle }) => handle === 0);
}

/** True when deleting netfold's root doesn't bring everything back as it was. */
export function needsJournal(tree: QdiscTree): boolean {
  return !isKernelDefault(tree) || tree.device.gsoMaxSegments !== tree.device.gsoSegmentsByDefault;
}
