/**
 * Rules of a link: what it does to a part of its traffic, as lines: `drop 10% only udp:53`, `reset only tcp:22`. As the texts of
 * models.ts, the property is the canonical text: lines with `; ` between them, in the order in which packets meet them.
 *
 *     rule     = action [("only" | "except") selector ("," selector)*]
 *     action   = "drop" [PERCENT | NTH | "every" NTH] | "reset" | "delay" TIME | "limit" RATE
 *     selector = ("tcp" | "udp" | "syn") [":" PORT] | "icmp" | "dscp:" NUMBER | "ip:" PROTOCOL
 */
import {
  type Bps,
  formatBps,
  formatMicros,
  formatRatio,
  type Micros,
  parseBandwidth,
  parseLatency,
  parsePercentage,
  type Ratio,
  UnitError,
} from './units.ts';

export type RuleAction =
  | { readonly kind: 'drop' | 'reset' }
  | { readonly kind: 'chance'; readonly chance: Ratio }
  /** The packet with this number that matches, once; or one of so many. */
  | { readonly kind: 'nth' | 'every'; readonly packet: number }
  | { readonly kind: 'delay'; readonly delay: Micros }
  /** All packets that match together. */
  | { readonly kind: 'limit'; readonly rate: Bps };

/** What a packet must have. Without a field, any does. */
export interface Selector {
  /** Of IP: ICMP of both families is `icmp` instead. */
  readonly protocol?: number;
  readonly icmp?: true;
  /** The first of a TCP connection. */
  readonly syn?: true;
  /** At either end. */
  readonly port?: number;
  readonly dscp?: number;
}

export interface Rule {
  readonly text: string;
  readonly action: RuleAction;
  /** It is about packets that match none of the selectors, not about those that match one. */
  readonly isExcept: boolean;
  readonly selectors: readonly Selector[];
}

/** What the classifier has room for (bpf/layout.h): rules of a path, selectors of a rule. */
export const MAX_RULES = 8;
export const MAX_SELECTORS = 4;
/** Each is a class of the path's, for which there are numbers in topologies of so many endpoints (agent/enforce/interface-state.ts). */
export const MAX_LIMITS = 4;
export const MAX_LIMITED_ENDPOINTS = 4095;
const MAX_PACKET = 1_000_000_000;
const MAX_TEXT = 2000;

export const TCP = 6;
export const UDP = 17;

export const RULE_EXAMPLES = [
  'drop 10% only udp:53',
  'drop 3rd only syn:80',
  'drop every 10th only tcp:443',
  'reset only tcp:22',
  'delay 20ms except icmp',
  'limit 1Mbps only udp, tcp:443',
];
const REMEDY = `write e.g. ${RULE_EXAMPLES.slice(0, 3).join(', or ')}`;
const SELECTOR_REMEDY =
  'write tcp, udp, icmp, tcp:PORT, udp:PORT, syn:PORT, dscp:NUMBER or ip:PROTOCOL, with commas between several';
/** It matches whatever `parseRules` accepts. */
export const RULES_PATTERN = String.raw`^\s*(?:drop|reset|delay|limit)(?![^\s;])`;

/** The canonical text. Throws `UnitError`, whose `at` is the place in the text. */
export function parseRules(text: string): string {
  return rulesIn(text)
    .map((rule) => rule.text)
    .join(SEPARATOR);
}

const SEPARATOR = '; ';
const known = new Map<string, readonly Rule[]>();
/** Texts of one process are those of its topologies. */
const MOST_KNOWN = 10_000;

/** What a text of `parseRules` says, or several of them joined. */
export function rulesOf(text: string): readonly Rule[] {
  let rules = known.get(text);
  if (rules) return rules;
  rules = text.split(SEPARATOR).map((line) => rulesIn(line)[0]!);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, rules);
  return rules;
}

/** Those of several links, in their order; `undefined`: there are none. */
export function joinedRules(texts: readonly string[]): string | undefined {
  return texts.length === 0 ? undefined : texts.join(SEPARATOR);
}

/** Its lines. */
export const ruleLines = (text: string): readonly string[] => text.split(SEPARATOR);

/** Only those that delay; `undefined`: none does. */
export function delayingRules(text: string): string | undefined {
  return joinedRules(ruleLines(text).filter((line) => line.startsWith('delay ')));
}

export interface Limit {
  /** Of its rule in the text. */
  readonly index: number;
  readonly rate: Bps;
}

/** Of rules that limit, the slowest first: of those that match a packet, that is the one that counts. As many as have room. */
export function limitsOf(text: string): readonly Limit[] {
  const limits = rulesOf(text)
    .slice(0, MAX_RULES)
    .flatMap(({ action }, index): Limit[] => (action.kind === 'limit' ? [{ index, rate: action.rate }] : []));
  return limits.slice(0, MAX_LIMITS).sort((a, b) => a.rate - b.rate);
}

/**
 * Whether it has to see the frames of TCP one by one, and not a run of them as one packet: it counts or draws, and takes more of
 * TCP than the first packet of a connection.
 */
export function countsFrames({ action, isExcept, selectors }: Rule): boolean {
  if (action.kind !== 'chance' && action.kind !== 'nth' && action.kind !== 'every') return false;
  const takesTcp = ({ protocol, icmp, syn }: Selector): boolean =>
    !icmp && !syn && (protocol === undefined || protocol === TCP);
  return isExcept
    ? !selectors.some((one) => one.protocol === TCP && one.port === undefined && !one.syn)
    : selectors.some(takesTcp);
}

/** What is seen of a packet. */
export interface Traits {
  /** Of IP; 0 where it is not known. */
  protocol: number;
  isIcmp: boolean;
  isSyn: boolean;
  /** 0 where there are none: in fragments that follow the first, for instance. */
  sourcePort: number;
  destinationPort: number;
  dscp: number;
}

/** As the classifier does (bpf/rules.h). */
export function isAbout({ isExcept, selectors }: Rule, traits: Traits): boolean {
  for (const selector of selectors) if (hasTraits(selector, traits)) return !isExcept;
  return isExcept;
}

function hasTraits({ protocol, icmp, syn, port, dscp }: Selector, of: Traits): boolean {
  if (protocol !== undefined && protocol !== of.protocol) return false;
  if ((icmp && !of.isIcmp) || (syn && !of.isSyn)) return false;
  if (dscp !== undefined && dscp !== of.dscp) return false;
  return port === undefined || port === of.sourcePort || port === of.destinationPort;
}

interface Word {
  readonly text: string;
  readonly at: number;
}

/** All rules of a text; blank ends of lines are skipped. */
function rulesIn(text: string): Rule[] {
  if (text.length > MAX_TEXT)
    throw new UnitError('UNIT_SYNTAX', `a text of ${text.length} characters is too long for rules`, REMEDY);
  const rules: Rule[] = [];
  let start = 0;
  for (const line of text.split(';')) {
    if (line.trim() !== '') rules.push(new Line(line, start).rule());
    start += line.length + 1;
  }
  if (rules.length === 0) throw new UnitError('UNIT_SYNTAX', 'there is no rule', REMEDY, 0);
  if (rules.length <= MAX_RULES) return rules;
  throw new UnitError(
    'UNIT_RANGE',
    `${rules.length} rules are more than the ${MAX_RULES} that a path has room for`,
    'join selectors with commas, or leave rules out',
  );
}

/** One rule, word by word. */
class Line {
  readonly #line: string;
  readonly #words: readonly Word[];
  /** Of the line in the text. */
  readonly #start: number;
  #next = 0;

  constructor(line: string, start: number) {
    this.#line = line.trim();
    this.#start = start;
    this.#words = [...line.matchAll(/[^\s,]+|,/g)].map((match) => ({ text: match[0], at: match.index }));
  }

  rule(): Rule {
    const [action, first] = this.#action();
    const word = this.#take();
    if (word && word.text !== 'only' && word.text !== 'except')
      throw this.#wrong(word, `${quoted(word)} is neither only nor except`, REMEDY);
    const isExcept = word?.text !== 'only';
    const selectors = word ? this.#selectors(word, action, isExcept) : [];
    const about = word ? ` ${word.text} ${selectors.map(({ text }) => text).join(', ')}` : '';
    return {
      text: `${first}${about}`,
      action,
      isExcept,
      selectors: selectors.map(({ selector }) => selector),
    };
  }

  #action(): [RuleAction, string] {
    const word = this.#take()!;
    if (word.text === 'reset') return [{ kind: 'reset' }, 'reset'];
    if (word.text === 'delay') return this.#delay(word);
    if (word.text === 'limit') return this.#limit(word);
    if (word.text === 'drop') return this.#drop();
    throw this.#wrong(
      word,
      `${quoted(word)} is no action of a rule`,
      `write drop, reset, delay or limit: ${REMEDY}`,
    );
  }

  #limit(before: Word): [RuleAction, string] {
    const word = this.#take();
    if (!word || word.text === 'only' || word.text === 'except')
      throw this.#wrong(word ?? before, 'limit has no rate', 'write e.g. limit 1Mbps only udp');
    const rate = this.#within(word, () => parseBandwidth(word.text));
    return [{ kind: 'limit', rate }, `limit ${formatBps(rate)}`];
  }

  #delay(before: Word): [RuleAction, string] {
    const word = this.#take();
    if (!word) throw this.#wrong(before, 'delay has no time', 'write e.g. delay 20ms only tcp');
    const delay = this.#within(word, () => parseLatency(word.text));
    if (delay <= 0) throw this.#wrong(word, 'a delay of nothing has no effect', 'write e.g. delay 20ms');
    return [{ kind: 'delay', delay }, `delay ${formatMicros(delay)}`];
  }

  #drop(): [RuleAction, string] {
    const word = this.#peek();
    if (!word || word.text === 'only' || word.text === 'except') return [{ kind: 'drop' }, 'drop'];
    this.#next++;
    if (word.text === 'every') {
      const packet = this.#ordinal(this.#take() ?? word, 2);
      return [{ kind: 'every', packet }, `drop every ${ordinal(packet)}`];
    }
    if (/^\d+[a-z]*$/.test(word.text)) {
      const packet = this.#ordinal(word, 1);
      return [{ kind: 'nth', packet }, `drop ${ordinal(packet)}`];
    }
    const chance = this.#within(word, () => parsePercentage(word.text));
    if (chance <= 0) throw this.#wrong(word, 'a rule that drops nothing', 'write e.g. drop 10%');
    if (chance === 1) return [{ kind: 'drop' }, 'drop'];
    return [{ kind: 'chance', chance }, `drop ${formatRatio(chance)}`];
  }

  /** `3rd`. */
  #ordinal(word: Word, least: number): number {
    const digits = /^(\d+)(?:st|nd|rd|th)$/.exec(word.text)?.[1];
    if (digits === undefined)
      throw this.#wrong(
        word,
        `${quoted(word)} is no part of all packets, and no number of one`,
        'write e.g. drop 10%, drop 3rd, or drop every 10th',
      );
    const packet = Number(digits);
    if (packet >= least && packet <= MAX_PACKET) return packet;
    throw this.#wrong(
      word,
      `${quoted(word)} is not from ${least} to ${MAX_PACKET}`,
      'write e.g. 3rd, or every 10th',
    );
  }

  #selectors(before: Word, action: RuleAction, isExcept: boolean): { text: string; selector: Selector }[] {
    const found: { text: string; selector: Selector }[] = [];
    for (let last = before; ; ) {
      const word = this.#take();
      if (!word || word.text === ',')
        throw this.#wrong(word ?? last, `${last.text} is followed by no selector`, SELECTOR_REMEDY);
      const selector = this.#selector(word);
      if (action.kind === 'reset' && !isExcept && !mayBeTcp(selector))
        throw this.#wrong(word, `only TCP can be reset, not ${word.text}`, 'write e.g. reset only tcp:22');
      if (found.length === MAX_SELECTORS)
        throw this.#wrong(
          word,
          `a rule has at most ${MAX_SELECTORS} selectors`,
          'write a rule for the others',
        );
      found.push({ text: word.text, selector });
      const comma = this.#take();
      if (!comma) return found;
      if (comma.text !== ',')
        throw this.#wrong(comma, `no comma is before ${quoted(comma)}`, SELECTOR_REMEDY);
      last = comma;
    }
  }

  #selector(word: Word): Selector {
    const [, name, separator, value = ''] = /^([a-z]+)(?:(:)(.*))?$/.exec(word.text) ?? [];
    const number = (least: number, most: number): number => {
      const digits = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
      if (digits >= least && digits <= most) return digits;
      throw this.#wrong(word, `${quoted(word)} has no number from ${least} to ${most}`, SELECTOR_REMEDY);
    };
    const port = (): { port?: number } => (separator === undefined ? {} : { port: number(1, 65_535) });
    if (name === 'tcp') return { protocol: TCP, ...port() };
    if (name === 'udp') return { protocol: UDP, ...port() };
    if (name === 'syn') return { protocol: TCP, syn: true, ...port() };
    if (name === 'dscp') return { dscp: number(0, 63) };
    if (name === 'ip') return { protocol: number(0, 255) };
    if (name === 'icmp' && separator === undefined) return { icmp: true };
    throw this.#wrong(word, `${quoted(word)} selects no packets`, SELECTOR_REMEDY);
  }

  #peek(): Word | undefined {
    return this.#words[this.#next];
  }

  #take(): Word | undefined {
    return this.#words[this.#next++];
  }

  #within<T>(word: Word, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      throw this.#wrong(word, error.message, error.remedy ?? '', error.code);
    }
  }

  #wrong(word: Word, message: string, remedy: string, code: UnitError['code'] = 'UNIT_SYNTAX'): UnitError {
    const line = this.#words.length > 1 ? ` in "${shortened(this.#line)}"` : '';
    return new UnitError(code, `${message}${line}`, remedy, this.#start + word.at);
  }
}

const mayBeTcp = ({ protocol, icmp }: Selector): boolean => !icmp && (protocol ?? TCP) === TCP;
const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
const quoted = ({ text }: Word): string => `"${shortened(text)}"`;

const SUFFIXES = ['th', 'st', 'nd', 'rd'];

function ordinal(number: number): string {
  const isTeen = Math.floor(number / 10) % 10 === 1;
  return `${number}${(isTeen ? undefined : SUFFIXES[number % 10]) ?? 'th'}`;
}
