/** The differences between two trees, in words. Pure. */

import { formatHandle, TC_H_ROOT } from '../../kernel/netlink/tc-messages.ts';
import { canonicalFilter, isHeading } from './filter-kinds.ts';
import type { QdiscTree, TreeClass, TreeFilter, TreeQdisc } from './model.ts';
import { canonicalQdisc } from './qdisc-kinds.ts';

export function describeQdisc({ kind, handle, parent }: TreeQdisc): string {
  const place = parent === TC_H_ROOT ? 'at the root' : `at ${formatHandle(parent)}`;
  return `qdisc ${kind} ${formatHandle(handle)} ${place}`;
}

export function describeClass({ kind, handle }: TreeClass): string {
  return `class ${kind} ${formatHandle(handle)}`;
}

export function describeFilter({ kind, handle, parent, priority }: TreeFilter): string {
  const place = parent === 0 ? 'at the root' : `at ${formatHandle(parent)}`;
  return `filter ${kind} ${place} prio ${priority} handle 0x${handle.toString(16)}`;
}

/** One part of a tree: its name, and everything that must be equal. */
interface Item {
  readonly name: string;
  readonly kind: string;
  readonly options: Buffer;
  readonly more: string;
}

const classOptions = ({ options }: TreeClass): Buffer => Buffer.from(options ?? '', 'base64');

/** `exact`: including the queues that the kernel created by itself. */
function itemsOf(tree: QdiscTree, exact: boolean): Map<string, Item> {
  const items = new Map<string, Item>();
  for (const qdisc of tree.qdiscs) {
    if (qdisc.handle === 0 && !exact) continue;
    items.set(`qdisc ${qdisc.handle} ${qdisc.parent}`, {
      name: describeQdisc(qdisc),
      kind: qdisc.kind,
      options: canonicalQdisc(qdisc),
      more: `size table ${qdisc.sizeTable ?? 'none'}`,
    });
  }
  for (const one of tree.classes) {
    const parent = one.parent === TC_H_ROOT ? 'root' : formatHandle(one.parent);
    items.set(`class ${one.handle}`, {
      name: describeClass(one),
      kind: one.kind,
      options: classOptions(one),
      more: `parent ${parent}`,
    });
  }
  for (const filter of tree.filters) {
    items.set(`filter ${filter.parent} ${filter.chain} ${filter.priority} ${filter.handle}`, {
      name: describeFilter(filter),
      kind: filter.kind,
      options: canonicalFilter(filter),
      more: `protocol 0x${filter.protocol.toString(16)}`,
    });
  }
  return items;
}

/**
 * The differences of `found` from `wanted`: one line for each part that is missing, superfluous or different; none when they
 * are equal. The queues that the kernel gives to classes by itself depend on the interface's queue length; where that has
 * changed, they are not compared.
 */
export function differences(wanted: QdiscTree, found: QdiscTree): string[] {
  const exact = wanted.device.txQueueLength === found.device.txQueueLength;
  const want = itemsOf(wanted, exact);
  const have = itemsOf(found, exact);
  const lines: string[] = [];
  for (const [key, item] of want) {
    const other = have.get(key);
    const difference = other ? itemDifference(item, other) : `${item.name} is missing`;
    if (difference !== undefined) lines.push(difference);
  }
  for (const [key, item] of have) if (!want.has(key)) lines.push(`${item.name} is too much`);
  return lines.length > 0 ? lines : orderDifference(wanted, found);
}

function itemDifference(want: Item, have: Item): string | undefined {
  if (want.kind !== have.kind) return `${want.name} is a ${have.kind}`;
  if (want.more !== have.more) return `${want.name} has ${have.more} instead of ${want.more}`;
  if (want.options.equals(have.options)) return undefined;
  const at = want.options.findIndex((byte, index) => byte !== have.options[index]);
  const word = (bytes: Buffer): string => bytes.toString('hex', from, from + 8) || 'nothing';
  const from = Math.max(0, at < 0 ? want.options.length : at) & ~3;
  return `${want.name} has other options from byte ${from} on: ${word(have.options)} instead of ${word(want.options)}`;
}

/** Filters of one priority are tried in order. */
function orderDifference(wanted: QdiscTree, found: QdiscTree): string[] {
  const order = ({ filters }: QdiscTree): string[] =>
    filters.filter((filter) => !isHeading(filter)).map(describeFilter);
  const have = order(found);
  const wrong = order(wanted).find((name, index) => name !== have[index]);
  return wrong === undefined ? [] : [`${wrong} comes at another place`];
}

/**
 * True when `part` is an unfinished `whole`: every part that was created by request is in `whole` in the same way. Classes
 * change when others are created below them, so only their existence is compared.
 */
export function isPartOf(part: QdiscTree, whole: QdiscTree): boolean {
  const all = itemsOf(whole, false);
  return [...itemsOf(part, false)].every(([key, item]) => {
    const other = all.get(key);
    return other !== undefined && (key.startsWith('class') || itemDifference(other, item) === undefined);
  });
}
