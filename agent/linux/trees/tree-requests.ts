/** The requests that create a tree, in an order in which each is valid. Pure. */

import {
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  readAttributes,
} from '../../kernel/netlink/netlink-message.ts';
import type { Request } from '../../kernel/netlink/netlink-socket.ts';
import {
  handle as handleOf,
  header,
  RTM,
  TC_H_ROOT,
  TCA_KIND,
  TCA_OPTIONS,
} from '../../kernel/netlink/tc-messages.ts';
import { canonicalFilter, isHeading, samePriority, TCA_U32 } from './filter-kinds.ts';
import type { QdiscTree, TreeClass, TreeFilter, TreeQdisc } from './model.ts';
import { qdiscRequestOptions } from './qdisc-kinds.ts';
import { describeClass, describeFilter, describeQdisc } from './tree-compare.ts';

const TCA_STAB = 8;
const CREATE = NLM_F_CREATE | NLM_F_EXCL;

/**
 * The root, which replaces the existing one, then everything below it. Parts that the kernel creates by itself are left out.
 */
export function treeRequests(ifindex: number, tree: QdiscTree): Request[] {
  const made = tree.qdiscs.filter(({ handle }) => handle !== 0);
  const requests: Request[] = [];
  const add = (qdisc: TreeQdisc): void => {
    requests.push(qdiscRequest(ifindex, qdisc));
    const classes = parentsFirst(tree.classes.filter((one) => isInside(one.handle, qdisc)));
    for (const one of classes) requests.push(classRequest(ifindex, one));
    for (const child of made) if (child !== qdisc && isInside(child.parent, qdisc)) add(child);
    for (const parent of [qdisc.handle, ...classes.map(({ handle }) => handle)])
      for (const filter of orderFilters(tree.filters.filter((one) => one.parent === parent)))
        requests.push(filterRequest(ifindex, filter));
  };
  for (const root of made) if (root.parent === TC_H_ROOT) add(root);
  return requests;
}

/** True for classes and bands of the qdisc. */
function isInside(handle: number, qdisc: TreeQdisc): boolean {
  return handle !== TC_H_ROOT && handle >>> 16 === qdisc.handle >>> 16;
}

/** Classes whose parent is not among them (but the root) come first. */
function parentsFirst(classes: readonly TreeClass[]): TreeClass[] {
  const children = Map.groupBy(classes, ({ parent }) => parent);
  const handles = new Set(classes.map(({ handle }) => handle));
  const ordered = classes.filter(({ parent }) => !handles.has(parent));
  // The list grows during the loop: each class is followed by its children.
  for (const { handle } of ordered) ordered.push(...(children.get(handle) ?? []));
  return ordered;
}

/**
 * Filters of one qdisc or class, in the order that gives the same list in the kernel: within a priority, it inserts new
 * filters at the front. Tables of u32 are numbered in the order of their creation, the first one together with the priority,
 * and must exist before filters that refer to them.
 */
export function orderFilters(filters: readonly TreeFilter[]): TreeFilter[] {
  const priorities: TreeFilter[][] = [];
  for (const filter of filters) {
    const same = priorities.find(([first]) => samePriority(first!, filter));
    if (same) same.push(filter);
    else priorities.push([filter]);
  }
  const u32 = priorities.filter(([first]) => first!.kind === 'u32').map(splitTables);
  u32.sort((a, b) => a.root - b.root);
  const others = priorities.filter(([first]) => first!.kind !== 'u32').flatMap(newestLast);
  return [...others, ...u32.flatMap(({ first }) => first), ...u32.flatMap(({ rest }) => rest)];
}

function newestLast(priority: readonly TreeFilter[]): TreeFilter[] {
  return priority.filter((filter) => !isHeading(filter)).reverse();
}

interface Tables {
  /** Handle of the table that the kernel creates with the priority. */
  readonly root: number;
  /** The requests for the priority and its tables. */
  readonly first: readonly TreeFilter[];
  readonly rest: readonly TreeFilter[];
}

function splitTables(priority: readonly TreeFilter[]): Tables {
  const elements = priority.filter((filter) => !isHeading(filter));
  const isTable = ({ options }: TreeFilter): boolean =>
    readAttributes(Buffer.from(options ?? '', 'base64')).has(TCA_U32.DIVISOR);
  // New tables are inserted at the front: the last one is the table of the priority.
  const tables = elements.filter(isTable).reverse();
  const [root, ...own] = tables;
  const keys = elements.filter((filter) => !isTable(filter));
  const first = own.length > 0 ? own : keys.slice(0, 1);
  return { root: root?.handle ?? 0, first, rest: keys.slice(own.length > 0 ? 0 : 1) };
}

/** `tc qdisc replace dev IF root handle H KIND …`, `tc qdisc add dev IF parent P handle H KIND …` */
function qdiscRequest(ifindex: number, qdisc: TreeQdisc): Request {
  const options = qdiscRequestOptions(qdisc);
  return {
    type: RTM.NEWQDISC,
    flags: qdisc.parent === TC_H_ROOT ? NLM_F_CREATE | NLM_F_REPLACE : CREATE,
    what: `make ${describeQdisc(qdisc)} again`,
    body: (w) => {
      header(w, ifindex, qdisc.handle, qdisc.parent).attributeString(TCA_KIND, qdisc.kind);
      if (options) w.attributeBytes(TCA_OPTIONS, options);
      if (qdisc.sizeTable !== undefined) w.attributeBytes(TCA_STAB, Buffer.from(qdisc.sizeTable, 'base64'));
    },
  };
}

/** `tc class add dev IF parent P classid H KIND …` */
function classRequest(ifindex: number, one: TreeClass): Request {
  return {
    type: RTM.NEWTCLASS,
    flags: CREATE,
    what: `make ${describeClass(one)} again`,
    body: (w) =>
      header(w, ifindex, one.handle, one.parent)
        .attributeString(TCA_KIND, one.kind)
        .attributeBytes(TCA_OPTIONS, Buffer.from(one.options ?? '', 'base64')),
  };
}

/** `tc filter add dev IF parent P protocol PROTO prio N handle H KIND …` */
function filterRequest(ifindex: number, filter: TreeFilter): Request {
  const protocol = ((filter.protocol & 0xff) << 8) | (filter.protocol >>> 8);
  return {
    type: RTM.NEWTFILTER,
    flags: CREATE,
    what: `make ${describeFilter(filter)} again`,
    body: (w) => {
      header(w, ifindex, filter.handle, filter.parent, handleOf(filter.priority, protocol));
      w.attributeString(TCA_KIND, filter.kind);
      w.attributeBytes(TCA_OPTIONS, canonicalFilter(filter));
    },
  };
}
