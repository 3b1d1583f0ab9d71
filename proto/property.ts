/**
 * What the declaration of a property says: its syntax, fold, changes and encoding (properties.ts has the properties); and
 * functions on records of which a table has the fields. The code of these is generated when the table is known, so that they
 * take the time of code that names each field: reading `record[field]` in a loop over the fields takes four times that. Names
 * of fields are identifiers of this program, never a user's.
 */
import {
  cellTimes,
  delaysInOrder,
  type Fold,
  least,
  overheadOfSlowest,
  overheadTimes,
  rulesInOrder,
} from './folds.ts';
import { OVERHEAD_PATTERN, parseOverhead } from './queue.ts';
import { parseRules, RULE_EXAMPLES, RULES_PATTERN } from './rules.ts';
import {
  bps,
  formatBps,
  formatMicros,
  formatRatio,
  LATENCY_PATTERN,
  MAX_BANDWIDTH,
  MAX_LATENCY,
  MIN_BANDWIDTH,
  parseBandwidth,
  parseLatency,
  parsePercentage,
  ratio,
  UNLIMITED,
  UnitError,
} from './units.ts';

/** The syntax of a property in the topology file. */
export type FileField = {
  readonly key: string;
  readonly description: string;
  /** Used in the remedy for a wrong value. */
  readonly example?: string;
  readonly examples?: readonly string[];
  /** Keys that replace `key` for one direction, with their descriptions. */
  readonly directions?: { readonly up: string; readonly down: string };
} & (
  | {
      readonly kind: 'quantity';
      readonly parse: (text: string) => number;
      /** Matches whatever `parse` accepts. */
      readonly pattern: string;
    }
  /** Its canonical text (models.ts). */
  | { readonly kind: 'text'; readonly parse: (text: string) => string; readonly pattern: string }
  /** The same of one line, or of a list of them. */
  | { readonly kind: 'lines'; readonly parse: (text: string) => string; readonly pattern: string }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** A number without a unit. */
  | { readonly kind: 'integer'; readonly least: number; readonly most: number }
  /** `200 packets`, `64KB`, `50ms` (proto/queue.ts). It sets one of three properties. */
  | { readonly kind: 'queue' }
);

/** How an event may change a property. */
export type ChangeRule = QuantityChange | Replacement;

/** To a value, or from the value before it. */
export interface QuantityChange {
  readonly kind: 'quantity';
  readonly parse: (text: string) => number;
  readonly format: (value: number) => string;
  /** Whether `200%` is relative to the previous value; otherwise it is the new value itself. */
  readonly isRelative: boolean;
  /** The limits of relative changes. */
  readonly least: number;
  readonly most: number;
  /** Whether the new value is rounded to a whole number. */
  readonly isWhole: boolean;
  /** Words that stand for values, and an example of a value that is none of them. */
  readonly words?: Readonly<Record<string, number>>;
  readonly example?: string;
}

/** To another value only: it is a text, or one that has no half. */
export interface Replacement {
  readonly kind: 'replacement';
  readonly parse: (text: string) => string | number;
  /** As `parse` reads it. */
  readonly format: (value: never) => string;
  /** Words that stand for values; `undefined`: the link has none. */
  readonly words: Readonly<Record<string, undefined>>;
  readonly example: string;
  /** Properties that say the same in other ways: a link with the new value has none of them. */
  readonly instead?: readonly string[];
}

/** As plain data that JSON can write. */
export interface Encoding {
  readonly key: string;
  readonly encode: (value: never) => unknown;
  readonly decode: (plain: never) => unknown;
}

export interface Property {
  /** Whether it is left out if it has its default. */
  readonly isOptional: boolean;
  /** The value of a link for which the file has none. */
  readonly default: unknown;
  readonly fold: Fold;
  /**
   * `packets`: affects single packets, in the queues of their classes or on arrival. `rate`: affects the rate that
   * flows share, always at the source.
   */
  readonly concerns: 'packets' | 'rate';
  /** Absent: it follows from others. */
  readonly file?: FileField;
  readonly change?: ChangeRule;
  readonly encoding: Encoding;
}

export interface Field {
  readonly name: string;
  readonly default: unknown;
  /** Whether it is left out if it has its default. */
  readonly isOptional: boolean;
}

/** Makes records; `reads` give the value of each field from the same two arguments, `undefined` for its default. */
export function recordMaker<A, B, R>(
  fields: readonly Field[],
  reads: readonly ((a: A, b: B) => unknown)[],
): (a: A, b: B) => R {
  const values = fields.map((_, at) => `const value${at} = read${at}(a, b) ?? default${at};`);
  const always = fields.map(({ name, isOptional }, at) => (isOptional ? '' : `${name}: value${at},`));
  const rest = fields.map(({ name, isOptional }, at) => {
    return isOptional ? `if (value${at} !== default${at}) made.${name} = value${at};` : '';
  });
  const code = `return (a, b) => { ${values.join('')} const made = {${always.join('')}}; ${rest.join('')} return made; };`;
  const parameters = fields.flatMap((_, at) => [`read${at}`, `default${at}`]);
  return new Function(...parameters, code)(...fields.flatMap((field, at) => [reads[at], field.default]));
}

/** Whether two records have the same fields; absent ones are the same only as each other. */
export function recordEquality<R>(fields: readonly Field[]): (a: R | undefined, b: R | undefined) => boolean {
  const same = fields.map(({ name }) => `a.${name} === b.${name}`).join(' && ');
  const code = `return (a, b) => a === b || (a !== undefined && b !== undefined && ${same});`;
  return new Function(code)();
}

/** How a file says times, and how rates are encoded: null is no limit, since JSON has no number for it. */
export const TIME = {
  kind: 'quantity',
  parse: parseLatency,
  pattern: LATENCY_PATTERN,
  examples: ['10ms', '250us'],
} as const;
export const RATE_ENCODING = {
  encode: (value: number): number | null => (Number.isFinite(value) ? value : null),
  decode: (plain: number | null) => (plain === null ? UNLIMITED : bps(plain)),
} as const;

const NONE = { none: undefined } as const;
const asItIs = (value: string): string => value;

/** How events change times, rates, and parts of all packets. */
export const TIME_CHANGE = {
  kind: 'quantity',
  parse: parseLatency,
  format: formatMicros,
  isRelative: true,
  least: 0,
  most: MAX_LATENCY,
  isWhole: true,
} as const;
export const RATE_CHANGE = {
  kind: 'quantity',
  parse: parseBandwidth,
  format: formatBps,
  isRelative: true,
  least: MIN_BANDWIDTH,
  most: MAX_BANDWIDTH,
  isWhole: true,
  words: { unlimited: UNLIMITED },
  example: '60Mbps',
} as const;
export const PART_CHANGE = {
  kind: 'quantity',
  parse: parsePercentage,
  format: formatRatio,
  isRelative: false,
  least: 0,
  most: 1,
  isWhole: false,
  words: { none: ratio(0) },
  example: '1%',
} as const;

/** Of a text that `parse` makes canonical. */
export const textChange = (parse: (text: string) => string, example: string) =>
  ({ kind: 'replacement', parse, format: asItIs, words: NONE, example }) as const;

/** Of a number or a ratio that may be absent. */
export const valueChange = (
  parse: (text: string) => number,
  format: (value: number) => string,
  example: string,
) => ({ kind: 'replacement', parse, format, words: NONE, example }) as const;

/** To one of these words, instead of the properties that say the same in other ways. */
export const choiceChange = (choices: readonly string[], instead: readonly string[]) =>
  ({
    kind: 'replacement',
    parse: (text: string): string => {
      if (choices.includes(text)) return text;
      throw new UnitError(
        'UNIT_SYNTAX',
        `"${text}" is none of ${choices.join(', ')}`,
        `write one of ${choices.join(' ')}`,
      );
    },
    format: asItIs,
    words: {},
    example: choices.at(-1)!,
    instead,
  }) as const;

/** Names of `traces:`; whether there is one of that name, the timeline says. */
export function parseTraceName(text: string): string {
  if (/^[A-Za-z][\w-]{0,39}$/.test(text)) return text;
  throw new UnitError(
    'UNIT_SYNTAX',
    `"${text.slice(0, 80)}" is no name of a trace`,
    'name it at the top of the file: traces: { night: night.csv }',
  );
}

/** What every link of IPv6 carries (RFC 8200, section 5), and jumbo frames (bpf/mtu.h has room for no larger fragments). */
const MIN_MTU = 1280;
const MAX_MTU = 9216;

function parseMtu(text: string): number {
  const bytes = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  const remedy = `write a number of bytes from ${MIN_MTU} on, e.g. 1400`;
  if (Number.isNaN(bytes)) throw new UnitError('UNIT_SYNTAX', `"${text.slice(0, 80)}" is no MTU`, remedy);
  if (bytes >= MIN_MTU && bytes <= MAX_MTU) return bytes;
  throw new UnitError('UNIT_RANGE', `"${text}" is not ${MIN_MTU} to ${MAX_MTU} bytes`, remedy);
}

const same = <T>(value: T): T => value;

/** Those of `PROPERTIES` that say how frames pass a link. */
export const FRAME_PROPERTIES = {
  /** What a frame takes of the bandwidth besides its bytes. Absent: nothing. */
  overhead: {
    isOptional: true,
    default: 'none',
    fold: overheadOfSlowest,
    concerns: 'packets',
    file: {
      kind: 'text',
      key: 'overhead',
      parse: parseOverhead,
      pattern: OVERHEAD_PATTERN,
      description:
        'What a frame takes of the bandwidth besides its bytes without preamble and FCS: `ethernet` (24 bytes: preamble, FCS, gap), `vlan` (28), `atm` (cells of AAL5), or a number of bytes. Default: none.',
      example: 'ethernet',
      examples: ['ethernet', 'vlan', 'atm', '38 bytes'],
    },
    change: textChange(parseOverhead, 'ethernet'),
    encoding: { key: 'overhead', encode: same<string>, decode: same<string> },
  },
  /** The largest IP packet, in bytes. Absent: as large as the sender's interface lets out. */
  mtu: {
    isOptional: true,
    default: undefined,
    fold: least,
    concerns: 'rate',
    file: {
      kind: 'integer',
      key: 'mtu',
      least: MIN_MTU,
      most: MAX_MTU,
      description:
        "The largest IP packet that passes, in bytes: of larger ones the sender is told (ICMP), or they are cut into fragments. Default: what the sender's interface lets out.",
      example: '1400',
      examples: ['1400'],
    },
    change: valueChange(parseMtu, String, '1400'),
    encoding: { key: 'mtu', encode: same<number>, decode: same<number> },
  },
  /** In addition, in ns: the overhead of a frame at those links, and each cell at those with cells. */
  overheadTime: {
    isOptional: true,
    default: 0,
    fold: overheadTimes,
    concerns: 'packets',
    encoding: { key: 'overheadNs', encode: same<number>, decode: same<number> },
  },
  cellTime: {
    isOptional: true,
    default: 0,
    fold: cellTimes,
    concerns: 'packets',
    encoding: { key: 'cellNs', encode: same<number>, decode: same<number> },
  },
} as const satisfies Readonly<Record<string, Property>>;

/** Those that say what happens to a part of the traffic. */
export const RULE_PROPERTIES = {
  /** The classifier's. Absent: none. */
  rules: {
    isOptional: true,
    default: undefined,
    fold: rulesInOrder,
    concerns: 'rate',
    file: {
      kind: 'lines',
      key: 'rules',
      parse: parseRules,
      pattern: RULES_PATTERN,
      description:
        'What happens to a part of the traffic, one rule a line: drop (all, a part, the n-th, every n-th), reset or delay, `only` or `except` for tcp, udp, icmp, tcp:PORT, udp:PORT, syn:PORT, dscp:N, ip:PROTOCOL. Default: nothing.',
      example: RULE_EXAMPLES[0]!,
      examples: RULE_EXAMPLES,
    },
    change: textChange(parseRules, RULE_EXAMPLES[0]!),
    encoding: { key: 'rules', encode: same<string>, decode: same<string> },
  },
  /** Those of them that delay: a link's are in its rules. */
  ruleDelays: {
    isOptional: true,
    default: undefined,
    fold: delaysInOrder,
    concerns: 'packets',
    encoding: { key: 'ruleDelays', encode: same<string>, decode: same<string> },
  },
} as const satisfies Readonly<Record<string, Property>>;
