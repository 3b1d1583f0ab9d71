/**
 * Reads everything that is installed for the outgoing traffic of an interface (net/sched/sch_api.c, cls_api.c).
 * qdisc-kinds.ts and filter-kinds.ts know where the kernel's lists are incomplete.
 */

import { readLink } from '../../kernel/netlink/links.ts';
import { readAttributes, readString } from '../../kernel/netlink/netlink-message.ts';
import type { NetlinkSocket } from '../../kernel/netlink/netlink-socket.ts';
import {
  formatHandle,
  header,
  RTM,
  TC_H_ROOT,
  TCA_KIND,
  TCA_OPTIONS,
} from '../../kernel/netlink/tc-messages.ts';
import type { QdiscTree, TreeClass, TreeFilter, TreeQdisc } from './model.ts';
import { classesAreMade } from './qdisc-kinds.ts';

/** struct tcmsg */
const TCMSG_SIZE = 20;
const TCA = { STAB: 8, DUMP_INVISIBLE: 10, CHAIN: 11, INGRESS_BLOCK: 13, EGRESS_BLOCK: 14 } as const;
/** Parent of clsact and ingress. */
const TC_H_INGRESS = 0xfffffff1;

const majorOf = (handle: number): number => handle >>> 16;
const base64 = (payload: Buffer | undefined): string | undefined => payload?.toString('base64');

/** Leaves out entries with the value `undefined`, so that trees compare equal after a journal has kept them. */
function defined<T extends object>(item: T): T {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as T;
}

/** The tree of the interface in the namespace of `socket`, without statistics. */
export function snapshotTree(socket: NetlinkSocket, ifindex: number): QdiscTree {
  const { ifindex: _, ...device } = readLink(socket, ifindex);
  const qdiscs = readQdiscs(socket, ifindex);
  const majors = new Set(qdiscs.filter(({ kind }) => classesAreMade(kind)).map((q) => majorOf(q.handle)));
  const classes = readClasses(socket, ifindex).filter(
    ({ handle }) => majors.has(majorOf(handle)) && (handle & 0xffff) !== 0,
  );
  // 0 stands for the root, also where the root has no handle.
  const root = qdiscs.some(({ parent, handle }) => parent === TC_H_ROOT && handle === 0) ? [0] : [];
  const parents = [...qdiscs.map(({ handle }) => handle).filter((handle) => handle !== 0), ...root];
  const filters = [...parents, ...classes.map(({ handle }) => handle)].flatMap((parent) =>
    readFilters(socket, ifindex, parent),
  );
  return { device, qdiscs, classes, filters };
}

/** Includes the queues that the kernel gives to classes by itself, which `tc qdisc show` hides. */
function readQdiscs(socket: NetlinkSocket, ifindex: number): TreeQdisc[] {
  const request = {
    type: RTM.GETQDISC,
    flags: 0,
    what: 'list qdiscs',
    body: (w: Parameters<typeof header>[0]) =>
      void header(w, ifindex, 0, 0).attribute(TCA.DUMP_INVISIBLE, () => {}),
  };
  return socket.dump(request, (body) => {
    const parent = body.readUInt32LE(12);
    if (body.readInt32LE(4) !== ifindex || parent === TC_H_INGRESS) return undefined;
    const attributes = readAttributes(body, TCMSG_SIZE);
    const sharesBlock = attributes.has(TCA.INGRESS_BLOCK) || attributes.has(TCA.EGRESS_BLOCK);
    return defined({
      kind: readString(attributes.get(TCA_KIND)),
      handle: body.readUInt32LE(8),
      parent,
      options: base64(attributes.get(TCA_OPTIONS)),
      sizeTable: base64(attributes.get(TCA.STAB)),
      sharesBlock: sharesBlock || undefined,
    });
  });
}

function readClasses(socket: NetlinkSocket, ifindex: number): TreeClass[] {
  const request = {
    type: RTM.GETTCLASS,
    flags: 0,
    what: 'list classes',
    body: (w: Parameters<typeof header>[0]) => void header(w, ifindex, 0, 0),
  };
  return socket.dump(request, (body) => {
    const attributes = readAttributes(body, TCMSG_SIZE);
    return defined({
      kind: readString(attributes.get(TCA_KIND)),
      handle: body.readUInt32LE(8),
      parent: body.readUInt32LE(12),
      options: base64(attributes.get(TCA_OPTIONS)),
    });
  });
}

/** The filters of one qdisc or class, with headings. */
export function readFilters(socket: NetlinkSocket, ifindex: number, parent: number): TreeFilter[] {
  const request = {
    type: RTM.GETTFILTER,
    flags: 0,
    what: `list the filters at ${parent === 0 ? 'the root' : formatHandle(parent)}`,
    body: (w: Parameters<typeof header>[0]) => void header(w, ifindex, 0, parent),
  };
  return socket.dump(request, (body) => {
    const attributes = readAttributes(body, TCMSG_SIZE);
    const info = body.readUInt32LE(16);
    return defined({
      kind: readString(attributes.get(TCA_KIND)),
      handle: body.readUInt32LE(8),
      parent,
      priority: info >>> 16,
      protocol: ((info & 0xff) << 8) | ((info >>> 8) & 0xff),
      chain: attributes.get(TCA.CHAIN)?.readUInt32LE(0) ?? 0,
      options: base64(attributes.get(TCA_OPTIONS)),
    });
  });
}
