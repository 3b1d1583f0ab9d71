/** The kernel's output and input for filters; attributes are those of linux/pkt_cls.h. */
import { describe, expect, test } from 'vitest';
import { attributeBytes, u32Bytes } from '../../../agent/kernel/netlink/attribute-edit.ts';
import { readAttributes } from '../../../agent/kernel/netlink/netlink-message.ts';
import { canonicalFilter, whatFilterLoses } from '../../../agent/linux/trees/filter-kinds.ts';
import type { TreeFilter } from '../../../agent/linux/trees/model.ts';

const number = (type: number, value: number): Buffer => attributeBytes(type, u32Bytes(value));

function filter(kind: string, attributes: readonly Buffer[], more: Partial<TreeFilter> = {}): TreeFilter {
  const options = Buffer.concat(attributes).toString('base64');
  return { kind, handle: 7, parent: 0x10000, priority: 3, protocol: 0x800, chain: 0, options, ...more };
}

const canonical = (one: TreeFilter): [number, string][] =>
  [...readAttributes(canonicalFilter(one))].map(([type, value]) => [type, value.toString('hex')]);
const loses = (one: TreeFilter, ...others: TreeFilter[]): string | undefined =>
  whatFilterLoses(one, [one, ...others]);

describe('statistics are no part of a filter', () => {
  test.each([
    ['u32', 9],
    ['basic', 5],
    ['matchall', 4],
    ['flower', 86],
  ])('%s, attribute %i', (kind, derived) => {
    expect(canonical(filter(kind, [number(1, 5), number(derived, 99)]))).toEqual([[1, '05000000']]);
  });

  test('the count of a mark, but not the mark', () => {
    const mark = Buffer.concat([u32Bytes(6), u32Bytes(0xff), u32Bytes(1234)]);
    expect(canonical(filter('u32', [attributeBytes(10, mark)]))).toEqual([[10, '06000000ff00000000000000']]);
  });

  test.each([
    ['u32', 11],
    ['matchall', 3],
    ['flower', 22],
    ['bpf', 9],
  ])('what became of the flags of %s', (kind, flags) => {
    // 1: software only. 8: it is not in hardware.
    expect(canonical(filter(kind, [number(flags, 9)]))).toEqual([[flags, '01000000']]);
    expect(canonical(filter(kind, [number(flags, 8)]))).toEqual([]);
  });

  test('kinds that nobody has looked at are passed on', () => {
    expect(canonical(filter('route', [number(9, 1)]))).toEqual([[9, '01000000']]);
  });
});

describe('what can not be made again', () => {
  test.each([
    ['u32', 7, /actions/],
    ['u32', 6, /actions/],
    ['fw', 4, /actions/],
    ['basic', 3, /actions/],
    ['basic', 2, /ematch/],
    ['matchall', 2, /actions/],
    ['flower', 3, /actions/],
    ['bpf', 1, /actions/],
    ['bpf', 11, /BPF program/],
  ])('%s with attribute %i', (kind, type, reason) => {
    expect(loses(filter(kind, [number(type, 1)]))).toMatch(reason);
    expect(loses(filter(kind, [attributeBytes(type, Buffer.alloc(0))]))).toBeUndefined();
  });

  test('kinds, chains and places', () => {
    expect(loses(filter('u32', [number(1, 5)]))).toBeUndefined();
    expect(loses(filter('route', []))).toMatch(/route/);
    expect(loses(filter('u32', [], { chain: 4 }))).toMatch(/chain 4/);
    expect(loses(filter('u32', [], { parent: 0 }))).toMatch(/kernel's own/);
  });

  test('an order that the kernel does not report: flower of one priority', () => {
    const first = filter('flower', [number(1, 5)]);
    expect(loses(first, filter('flower', [], { handle: 8 }))).toMatch(/order/);
    expect(loses(first, filter('flower', [], { handle: 8, priority: 4 }))).toBeUndefined();
    expect(loses(first, filter('flower', [], { handle: 8, parent: 0x20000 }))).toBeUndefined();
  });

  test('a priority without filters', () => {
    const { options: _, ...heading } = filter('fw', [], { handle: 0 });
    expect(loses(heading)).toMatch(/no filters/);
    expect(loses(heading, filter('fw', []))).toBeUndefined();
  });
});
