/** Comparing trees, and the order in which they are made. */
import { describe, expect, test } from 'vitest';
import { attributeBytes, u32Bytes } from '../../../agent/kernel/netlink/attribute-edit.ts';
import {
  isKernelDefault,
  needsJournal,
  type QdiscTree,
  type TreeFilter,
  type TreeQdisc,
} from '../../../agent/linux/trees/model.ts';
import { differences, isPartOf } from '../../../agent/linux/trees/tree-compare.ts';
import { knownLosses } from '../../../agent/linux/trees/tree-rehearsal.ts';
import { orderFilters, treeRequests } from '../../../agent/linux/trees/tree-requests.ts';

const ROOT = 0xffffffff;
const device = {
  ifname: 'eth7',
  mtu: 1500,
  txQueueLength: 1000,
  txQueues: 1,
  gsoMaxSegments: 65_535,
  gsoSegmentsByDefault: 65_535,
};
const bytes = (value: number): string => u32Bytes(value).toString('base64');
const qdisc = (kind: string, handle: number, parent: number, value?: number): TreeQdisc => ({
  kind,
  handle,
  parent,
  ...(value !== undefined && { options: bytes(value) }),
});
const htbClass = (handle: number, parent: number, value = 0): QdiscTree['classes'][number] => ({
  kind: 'htb',
  handle,
  parent,
  options: bytes(value),
});
const filter = (kind: string, priority: number, handle: number, options?: Buffer): TreeFilter => ({
  kind,
  handle,
  parent: 0x10000,
  priority,
  protocol: 0x800,
  chain: 0,
  ...(options && { options: options.toString('base64') }),
});

/** Two classes, one in the other, each with a leaf, and a filter; listed as the kernel may list them. */
const tree: QdiscTree = {
  device,
  qdiscs: [
    qdisc('bfifo', 0x20000, 0x10005, 700),
    qdisc('htb', 0x10000, ROOT),
    qdisc('pfifo', 0, 0x10006, 1000),
  ],
  classes: [htbClass(0x10005, 0x10001, 5), htbClass(0x10006, ROOT, 6), htbClass(0x10001, ROOT, 1)],
  filters: [filter('fw', 1, 0), filter('fw', 1, 9, Buffer.alloc(4))],
};

describe('what the kernel made by itself', () => {
  const made = (handle: number): QdiscTree => ({
    device,
    qdiscs: [qdisc('fq_codel', handle, ROOT)],
    classes: [],
    filters: [],
  });
  test('has no handle, whatever its kind', () => {
    expect(isKernelDefault(made(0))).toBe(true);
    expect(isKernelDefault(made(0x80010000))).toBe(false);
    expect(isKernelDefault({ ...made(0), qdiscs: [] })).toBe(true);
    expect(isKernelDefault({ ...made(0), filters: [filter('fw', 1, 9)] })).toBe(false);
  });
  test('needs no journal, but a limit of GSO packets does', () => {
    expect(needsJournal(made(0))).toBe(false);
    expect(needsJournal({ ...made(0), device: { ...device, gsoMaxSegments: 9 } })).toBe(true);
  });
});

describe('differences', () => {
  const changed = (change: Partial<QdiscTree>): string[] => differences(tree, { ...tree, ...change });

  test('none where there are none, in whatever order qdiscs and classes are listed', () => {
    expect(differences(tree, tree)).toEqual([]);
    expect(changed({ qdiscs: tree.qdiscs.toReversed(), classes: tree.classes.toReversed() })).toEqual([]);
  });
  test.each<[string, Partial<QdiscTree>, string[]]>([
    ['missing', { classes: tree.classes.slice(1) }, ['class htb 1:5 is missing']],
    [
      'too much',
      { qdiscs: [...tree.qdiscs, qdisc('tbf', 0x30000, 0x20001)] },
      ['qdisc tbf 3: at 2:1 is too much'],
    ],
    [
      'other options',
      { qdiscs: [qdisc('bfifo', 0x20000, 0x10005, 701), ...tree.qdiscs.slice(1)] },
      ['qdisc bfifo 2: at 1:5 has other options from byte 0 on: bd020000 instead of bc020000'],
    ],
    [
      'fewer options',
      { qdiscs: [qdisc('bfifo', 0x20000, 0x10005), ...tree.qdiscs.slice(1)] },
      ['qdisc bfifo 2: at 1:5 has other options from byte 0 on: nothing instead of bc020000'],
    ],
    [
      'another parent',
      { classes: [htbClass(0x10005, 0x10006, 5), ...tree.classes.slice(1)] },
      ['class htb 1:5 has parent 1:6 instead of parent 1:1'],
    ],
    [
      'another kind',
      { qdiscs: [qdisc('pfifo', 0x20000, 0x10005, 700), ...tree.qdiscs.slice(1)] },
      ['qdisc bfifo 2: at 1:5 is a pfifo'],
    ],
    [
      'another protocol',
      { filters: tree.filters.map((one) => ({ ...one, protocol: 0x86dd })) },
      [
        'filter fw at 1: prio 1 handle 0x0 has protocol 0x86dd instead of protocol 0x800',
        'filter fw at 1: prio 1 handle 0x9 has protocol 0x86dd instead of protocol 0x800',
      ],
    ],
  ])('%s', (_, change, lines) => {
    expect(changed(change)).toEqual(lines);
  });

  test('of order, among filters', () => {
    const two = [filter('bpf', 1, 1, Buffer.alloc(0)), filter('bpf', 1, 2, Buffer.alloc(0))];
    expect(differences({ ...tree, filters: two }, { ...tree, filters: two.toReversed() })).toEqual([
      'filter bpf at 1: prio 1 handle 0x1 comes at another place',
    ]);
  });

  test("of the kernel's own queues, unless the interface's queue length has changed", () => {
    const qdiscs = [...tree.qdiscs.slice(0, 2), qdisc('pfifo', 0, 0x10006, 50)];
    expect(changed({ qdiscs })).toHaveLength(1);
    expect(changed({ qdiscs, device: { ...device, txQueueLength: 50 } })).toEqual([]);
  });

  test('an unfinished tree is a part of the whole, another is not', () => {
    expect(isPartOf({ ...tree, classes: [], filters: [], qdiscs: tree.qdiscs.slice(1, 2) }, tree)).toBe(true);
    expect(isPartOf({ ...tree, classes: [htbClass(0x10005, 0x10001, 99)] }, tree)).toBe(true);
    expect(isPartOf({ ...tree, qdiscs: [qdisc('bfifo', 0x20000, 0x10005, 1)] }, tree)).toBe(false);
    expect(isPartOf({ ...tree, classes: [htbClass(0x10009, ROOT)] }, tree)).toBe(false);
  });
});

describe('the order of making', () => {
  test('root, classes from the root on, leaves, filters; the rest is for the kernel', () => {
    expect(treeRequests(3, tree).map(({ what }) => what)).toEqual([
      'make qdisc htb 1: at the root again',
      'make class htb 1:6 again',
      'make class htb 1:1 again',
      'make class htb 1:5 again',
      'make qdisc bfifo 2: at 1:5 again',
      'make filter fw at 1: prio 1 handle 0x9 again',
    ]);
  });

  const order = (...filters: TreeFilter[]): string[] =>
    orderFilters(filters).map(({ priority, handle }) => `${priority} ${handle.toString(16)}`);
  const payload = Buffer.alloc(0);

  test('within a priority the kernel puts new filters in front', () => {
    expect(order(filter('bpf', 4, 0), filter('bpf', 4, 3, payload), filter('bpf', 4, 1, payload))).toEqual([
      '4 1',
      '4 3',
    ]);
  });

  test('u32: priorities as their tables were numbered, tables before what is in them', () => {
    const table = attributeBytes(4, u32Bytes(1));
    expect(
      order(
        filter('u32', 3, 0),
        filter('u32', 3, 0x00300000, table),
        filter('u32', 3, 0x00200000, table),
        filter('u32', 3, 0x00200801, payload),
        filter('u32', 3, 0x80100000, table),
        filter('u32', 3, 0x80100800, payload),
        filter('u32', 5, 0),
        filter('u32', 5, 0x80000000, table),
        filter('u32', 5, 0x80000800, payload),
        filter('u32', 5, 0x80000801, payload),
      ),
    ).toEqual(['5 80000800', '3 200000', '3 300000', '5 80000801', '3 200801', '3 80100800']);
  });
});

describe('losses that are known without trying', () => {
  test('are named with their places', () => {
    const qdiscs = [qdisc('htb', 0x10000, ROOT), qdisc('gred', 0x20000, 0x10005)];
    const filters = [filter('fw', 1, 9, attributeBytes(4, u32Bytes(1)))];
    expect(knownLosses({ ...tree, qdiscs, filters })).toEqual([
      "qdisc gred 2: at 1:5: netfold can't make qdiscs of the kind gred again",
      'filter fw at 1: prio 1 handle 0x9: it has actions',
    ]);
  });
  test("netfold's own handle, and what hangs on the kernel's own root", () => {
    expect(knownLosses({ ...tree, filters: [], qdiscs: [qdisc('pfifo', 0x4e460000, ROOT)] })).toEqual([
      "qdisc pfifo 4e46: at the root: its handle is netfold's own",
    ]);
    const orphan = [qdisc('mq', 0, ROOT), qdisc('pfifo', 0x20000, 1)];
    expect(knownLosses({ ...tree, filters: [], qdiscs: orphan })).toEqual([
      "qdisc pfifo 2: at 0:1: it is attached to the kernel's own root",
    ]);
  });
});
