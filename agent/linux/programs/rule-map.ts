/** The map of rules of the classifier (bpf/rules.h): a row for each class that has some. */
import {
  limitsOf,
  MAX_LIMITS,
  MAX_RULES,
  MAX_SELECTORS,
  type Rule,
  type RuleAction,
  ruleLines,
  rulesOf,
  type Selector,
} from '../../../proto/rules.ts';
import { groupMinor, MOST_LIMITED_MINOR } from '../../enforce/interface-state.ts';
import type { RuleCounts } from '../../enforce/ports.ts';
import type { BatchMap } from '../../kernel/bpf/libbpf.ts';
import { RULE, RULE_ACTIONS, RULES, SELECTOR, TRAITS } from '../objects/bpf-layout.ts';

/** Shared by all interfaces of an agent. */
export class RuleMap {
  readonly #map: BatchMap;
  readonly #free: number[] = [];
  #used = 0;

  /** It has room for a row of each class. */
  constructor(map: BatchMap) {
    this.#map = map;
  }

  take(): number {
    return this.#free.pop() ?? this.#used++;
  }

  give(row: number): void {
    this.#free.push(row);
  }

  read(row: number): Uint8Array | undefined {
    return this.#map.lookup(keyOf(row));
  }

  write(row: number, value: Uint8Array): void {
    this.#map.update(keyOf(row), value, 1);
  }

  remove(row: number): void {
    this.#map.remove(keyOf(row), 1);
  }
}

interface Row {
  readonly row: number;
  text: string | undefined;
}

/** The part of one interface: by the minor numbers of its classes. */
export class InterfaceRules {
  readonly #map: RuleMap;
  readonly #rows = new Map<number, Row>();
  /** What rules have done that are not in force any more. */
  readonly #past = new Map<string, RuleCounts>();

  constructor(map: RuleMap) {
    this.#map = map;
  }

  /**
   * Returns whether there are rules now where there were none, or the other way round. Rules that stay keep their counts, so that
   * another one beside them does not let the third packet come again.
   */
  set(minor: number, text: string | undefined): boolean {
    const known = this.#rows.get(minor);
    if (known?.text === text) return false;
    const own: Row = known ?? { row: this.#map.take(), text: undefined };
    this.#rows.set(minor, own);
    const before = this.#countsOf(own);
    const had = own.text !== undefined;
    own.text = text;
    if (text === undefined) this.#map.remove(own.row);
    else this.#map.write(own.row, rulesBytes(minor, text, before));
    for (const [line, counts] of before) for (const one of counts) addCounts(this.#past, line, one);
    return had !== (text !== undefined);
  }

  /** For targets: its row + 1, 0 without rules. */
  targetOf(minor: number): number {
    const own = this.#rows.get(minor);
    return own?.text === undefined ? 0 : own.row + 1;
  }

  /** As the kernel has them; `undefined`: none, or others than were set. */
  textOf(minor: number): string | undefined {
    const own = this.#rows.get(minor);
    if (own?.text === undefined) return undefined;
    const found = this.#map.read(own.row);
    if (!found) return undefined;
    const wanted = rulesBytes(minor, own.text, countsIn(found, own.text));
    return Buffer.from(found).equals(wanted) ? own.text : undefined;
  }

  remove(minor: number): void {
    const own = this.#rows.get(minor);
    if (!own) return;
    this.set(minor, undefined);
    this.#map.give(own.row);
    this.#rows.delete(minor);
  }

  clear(): void {
    for (const minor of [...this.#rows.keys()]) this.remove(minor);
  }

  /** How many classes have more rules than there is room for. */
  get crowded(): number {
    let crowded = 0;
    for (const [minor, { text }] of this.#rows) if (text !== undefined && isCrowded(minor, text)) crowded++;
    return crowded;
  }

  /** Since the interface is shaped, by the text of the rule. */
  counts(): ReadonlyMap<string, RuleCounts> {
    const sums = new Map(this.#past);
    for (const own of this.#rows.values())
      for (const [line, counts] of this.#countsOf(own)) for (const one of counts) addCounts(sums, line, one);
    return sums;
  }

  #countsOf({ row, text }: Row): Map<string, RuleCounts[]> {
    const found = text === undefined ? undefined : this.#map.read(row);
    return found && text !== undefined ? countsIn(found, text) : new Map();
  }
}

/** Of each line, as often as it stands there. */
function countsIn(value: Uint8Array, text: string): Map<string, RuleCounts[]> {
  const view = new DataView(value.buffer, value.byteOffset);
  const found = new Map<string, RuleCounts[]>();
  for (const [index, line] of ruleLines(text).slice(0, MAX_RULES).entries()) {
    const at = RULES.rule + index * RULE.size;
    const counts = {
      matched: Number(view.getBigUint64(at + RULE.matched, true)),
      applied: Number(view.getBigUint64(at + RULE.applied, true)),
    };
    found.set(line, [...(found.get(line) ?? []), counts]);
  }
  return found;
}

/** Adds to the counts of one rule. */
export function addCounts(
  sums: Map<string, RuleCounts>,
  line: string,
  { matched, applied }: RuleCounts,
): void {
  const { matched: before = 0, applied: done = 0 } = sums.get(line) ?? {};
  sums.set(line, { matched: before + matched, applied: done + applied });
}

/** Whether a class with this minor number has no room for all of these rules. */
function isCrowded(minor: number, text: string): boolean {
  const rules = rulesOf(text);
  const limits = rules.filter(({ action }) => action.kind === 'limit').length;
  return rules.length > MAX_RULES || limits > (minor > MOST_LIMITED_MINOR ? 0 : MAX_LIMITS);
}

/** As the program reads them, of the class with this minor number. Takes the counts out of `counts` with which they go on. Of more than have room, the first. */
function rulesBytes(minor: number, text: string, counts: Map<string, RuleCounts[]>): Uint8Array {
  const bytes = new Uint8Array(RULES.size);
  const view = new DataView(bytes.buffer);
  const rules = rulesOf(text).slice(0, MAX_RULES);
  view.setUint32(RULES.count, rules.length, true);
  const limited = minor > MOST_LIMITED_MINOR ? [] : limitsOf(text);
  for (const [index, rule] of rules.entries()) {
    const at = RULES.rule + index * RULE.size;
    const place = 1 + limited.findIndex((one) => one.index === index);
    writeRule(view, at, rule, counts.get(rule.text)?.shift());
    if (place > 0) view.setBigUint64(at + RULE.number, BigInt(groupMinor(minor, place)), true);
  }
  return bytes;
}

/** Without the class of one that limits. */
function writeRule(view: DataView, at: number, rule: Rule, counts: RuleCounts | undefined): void {
  const { action, isExcept, selectors } = rule;
  view.setUint32(at + RULE.action, RULE_ACTIONS[action.kind], true);
  view.setUint32(at + RULE.except, Number(isExcept), true);
  view.setBigUint64(at + RULE.number, numberOf(action), true);
  for (let index = 0; index < MAX_SELECTORS; index++)
    writeSelector(view, at + RULE.selector + index * SELECTOR.size, selectors[index]);
  view.setBigUint64(at + RULE.matched, BigInt(counts?.matched ?? 0), true);
  view.setBigUint64(at + RULE.applied, BigInt(counts?.applied ?? 0), true);
}

function numberOf(action: RuleAction): bigint {
  if (action.kind === 'chance') return BigInt(Math.round(action.chance * 2 ** 32));
  return action.kind === 'nth' || action.kind === 'every' ? BigInt(action.packet) : 0n;
}

function writeSelector(view: DataView, at: number, selector: Selector | undefined): void {
  if (!selector) {
    view.setUint8(at + SELECTOR.traits, TRAITS.none);
    return;
  }
  const { protocol, dscp, icmp, syn, port = 0 } = selector;
  if (protocol !== undefined) {
    view.setUint8(at + SELECTOR.protocol, protocol);
    view.setUint8(at + SELECTOR.protocol_mask, 0xff);
  }
  if (dscp !== undefined) {
    view.setUint8(at + SELECTOR.dscp, dscp);
    view.setUint8(at + SELECTOR.dscp_mask, 0xff);
  }
  view.setUint8(at + SELECTOR.traits, (icmp ? TRAITS.icmp : 0) | (syn ? TRAITS.syn : 0));
  // In network order, as in the packet.
  view.setUint16(at + SELECTOR.port, port, false);
}

const keyOf = (row: number): Uint8Array => new Uint8Array(Uint32Array.of(row).buffer);
