/**
 * Where the kernel's description of a filter is incomplete, or differs from what a request must contain (net/sched/cls_*.c).
 * Only the kinds listed here can be restored; others were not examined.
 */

import { editAttributes } from '../../kernel/netlink/attribute-edit.ts';
import { readAttributes } from '../../kernel/netlink/netlink-message.ts';
import type { TreeFilter } from './model.ts';

interface FilterKind {
  /** Attributes that are statistics, or follow from others. */
  readonly derived: readonly number[];
  /** Attributes of flags that also report the state of hardware offload. */
  readonly flags: readonly number[];
  /** Attributes that can't be restored, each with its meaning. */
  readonly lost: Readonly<Record<number, string>>;
  /** The attribute whose last 32 bits count packets (struct tc_u32_mark). */
  readonly mark?: number;
  /** The order of several filters of one priority can't be seen. */
  readonly single?: true;
}

const ACTION = 'it has actions';
const EMATCH = 'it has extended matches (ematch)';
const BPF_PROGRAM = 'the kernel tells only the number of its BPF program, which ends with the filter';

export const TCA_U32 = { HASH: 2, DIVISOR: 4 } as const;

const KINDS: Readonly<Record<string, FilterKind>> = {
  u32: { derived: [9, 12], flags: [11], lost: { 6: ACTION, 7: ACTION }, mark: 10 },
  fw: { derived: [], flags: [], lost: { 2: ACTION, 4: ACTION } },
  basic: { derived: [5, 6], flags: [], lost: { 2: EMATCH, 3: ACTION, 4: ACTION } },
  matchall: { derived: [4, 5], flags: [3], lost: { 2: ACTION } },
  flower: { derived: [86], flags: [22], lost: { 3: ACTION }, single: true },
  bpf: { derived: [], flags: [9], lost: { 1: ACTION, 2: ACTION, 11: BPF_PROGRAM } },
};

/** TCA_CLS_FLAGS_SKIP_HW, _SKIP_SW and _VERBOSE were requested; the other flags report results. */
const CHOSEN_FLAGS = 0b10011;
const MARK_COUNTER = 8;

/** The description without statistics. It is also what a request for the same filter must contain. */
export function canonicalFilter({ kind, options }: Pick<TreeFilter, 'kind' | 'options'>): Buffer {
  const bytes = Buffer.from(options ?? '', 'base64');
  const known = KINDS[kind];
  if (!known) return bytes;
  return editAttributes(bytes, (type, value) => {
    if (known.derived.includes(type)) return undefined;
    if (known.flags.includes(type)) {
      const chosen = value.readUInt32LE(0) & CHOSEN_FLAGS;
      value.writeUInt32LE(chosen, 0);
      return chosen === 0 ? undefined : value;
    }
    if (type === known.mark) value.fill(0, MARK_COUNTER);
    return value;
  });
}

/** A heading, which the kernel lists before the filters of each priority. */
export function isHeading({ handle, options }: TreeFilter): boolean {
  return handle === 0 && options === undefined;
}

export function samePriority(a: TreeFilter, b: TreeFilter): boolean {
  return a.parent === b.parent && a.chain === b.chain && a.priority === b.priority;
}

/** Why this filter can't be restored from its description; `undefined` where it can. `all`: the filters of the tree. */
export function whatFilterLoses(filter: TreeFilter, all: readonly TreeFilter[]): string | undefined {
  const known = KINDS[filter.kind];
  if (!known) return `netfold can't make filters of the kind ${filter.kind} again`;
  if (filter.parent === 0) return "it is attached to the kernel's own qdisc";
  if (filter.chain !== 0) return `it is in chain ${filter.chain}`;
  const others = all.filter((one) => one !== filter && samePriority(one, filter) && !isHeading(one));
  if (isHeading(filter)) return others.length === 0 ? 'its priority has no filters of its own' : undefined;
  if (known.single && others.length > 0) return 'the kernel does not tell the order within its priority';
  for (const [type, value] of readAttributes(Buffer.from(filter.options ?? '', 'base64'))) {
    const lost = known.lost[type];
    if (lost !== undefined && value.length > 0) return lost;
  }
  return undefined;
}
