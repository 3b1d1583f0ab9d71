/**
 * Conversions between units stand in proto/units.ts: found are products, quotients and remainders with a number that units
 * differ by. By the number rather than by the name of what it is applied to, which may be a call or a sum. What is computed
 * from numbers alone converts nothing.
 */
import type { Files } from './import-rules.ts';

export interface Conversion {
  readonly file: string;
  readonly line: number;
  /** The number, as it is written. */
  readonly factor: string;
  /** The line. */
  readonly text: string;
}

const SHIPPED = /^(proto|topology|agent|controller)\//;
const HOME = 'proto/units.ts';
/** Bits of a byte; thousands, millions and billions; the same of minutes and hours, and of bits to bytes. */
const FACTORS = new Set([8, 1e3, 1e6, 1e9, 8e3, 8e6, 60e3, 60e6, 3600e3, 3600e6, 1e-3, 1e-6, 1e-9]);

const NUMBER = String.raw`(?<![\w.$])(?:\d[\d_]*\.?\d*(?:e[+-]?\d+)?)n?(?![\w.])`;
const BEFORE = new RegExp(String.raw`(?:\*\*|[*/%])=?\s*(?=(${NUMBER}))`, 'g');
const AFTER = new RegExp(String.raw`(${NUMBER})\s*[*/%](?![*=])\s*`, 'g');
const STARTS_WITH_NUMBER = new RegExp(`^${NUMBER}`);
const ENDS_WITH_NUMBER = new RegExp(`${NUMBER}$`);

export function findConversions(files: Files): Conversion[] {
  return [...files].flatMap(([file, text]) =>
    SHIPPED.test(file) && file !== HOME ? conversionsOf(file, text) : [],
  );
}

function conversionsOf(file: string, text: string): Conversion[] {
  const code = codeOf(text);
  // By where the number stands.
  const found = new Map<number, string>();
  for (const { 0: operator, 1: factor, index } of code.matchAll(BEFORE)) {
    if (operator.startsWith('**') || isConstant(code.slice(0, index).trimEnd())) continue;
    if (isFactor(factor!)) found.set(index + operator.length, factor!);
  }
  for (const { 0: all, 1: factor, index } of code.matchAll(AFTER)) {
    const isNumber = STARTS_WITH_NUMBER.test(code.slice(index + all.length));
    if (!isNumber && isFactor(factor!)) found.set(index, factor!);
  }
  const lines = text.split('\n');
  return [...found].map(([index, factor]) => {
    const line = code.slice(0, index).split('\n').length;
    return { file, line, factor, text: lines[line - 1]!.trim() };
  });
}

const isFactor = (text: string): boolean => FACTORS.has(Number(text.replace(/[_n]/g, '')));

/** Whether what stands before an operator is a number, or several that are multiplied. */
function isConstant(before: string): boolean {
  const number = ENDS_WITH_NUMBER.exec(before)?.[0];
  if (number === undefined) return false;
  const rest = before.slice(0, -number.length).trimEnd();
  return /[*/%]$/.test(rest) ? isConstant(rest.replace(/[*/%]+$/, '').trimEnd()) : true;
}

/**
 * Without comments, and without the content of strings, templates and regular expressions; lines keep their places.
 */
export function codeOf(text: string): string {
  let code = '';
  // What is open, innermost last: a template, or the code inside of one.
  const open: ('`' | '{')[] = [];
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at, at + 2);
    if (open.at(-1) === '`') {
      if (text[at] === '`' || rest === '${') {
        if (text[at] === '`') open.pop();
        else open.push('{');
        code += text[at] === '`' ? '`' : '{';
        at += text[at] === '`' ? 1 : 2;
      } else {
        code += text[at] === '\n' ? '\n' : '';
        at += text[at] === '\\' ? 2 : 1;
      }
      continue;
    }
    const skipped = skip(text, at, code);
    if (skipped > at) {
      code += text.slice(at, skipped).replace(/[^\n]/g, '') || '""';
      at = skipped;
      continue;
    }
    const char = text[at++]!;
    code += char;
    if (char === '`') open.push('`');
    else if (char === '{' && open.length > 0) open.push('{');
    else if (char === '}' && open.length > 0) open.pop();
  }
  return code;
}

const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//y;
const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/y;
const REGULAR_EXPRESSION = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;

/** Where the comment, string or regular expression at `at` ends; `at` where there is none. `code`: what comes before. */
function skip(text: string, at: number, code: string): number {
  // After a value, a slash divides.
  const mayBegin = !/[\w$)\]}"`]\s*$/.test(code.slice(-20)) || /\b(return|case)\s*$/.test(code.slice(-20));
  for (const pattern of mayBegin ? [COMMENT, STRING, REGULAR_EXPRESSION] : [COMMENT, STRING]) {
    pattern.lastIndex = at;
    if (pattern.test(text)) return pattern.lastIndex;
  }
  return at;
}
