/** Small changes of a valid input, by a seeded generator: most stay nearly valid, and get deep into a decoder. */
import type { SeededRandom } from '../../topology/model/random.ts';

/** Beyond, a mutation cuts instead of adding. */
const MAX_LENGTH = 64 * 1024;
/** How often a repeated part is repeated, at the most. */
const MAX_REPEATS = 4096;
const EDITS = 3;

const PIECES = [
  ...['', '0', '-1', '1e9', '007', '.5', '1.', '99999999999', 'NaN', '65536', '4294967296'],
  ...['{', '}', '[', ']', ': ', ':', '"', "'", '\n', '\t', '\r\n', '- ', '  ', '|', '>', '*a', '&a ', '!a '],
  ...['<', '/>', '&amp;', '&x;', '&#0;', '<!--', '-->', ']]>', '<!DOCTYPE x>', '%', '=', ';', '#', ','],
  ...['--', '->', '.0', '__proto__', 'constructor', 'null', 'true', '\u0000', '\u2028', '\uD800', '😀', 'ü'],
];
const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];

/** The same random gives the same change. `others`: inputs of the same kind, of which parts are taken. */
export function mutate<T extends string | Buffer>(
  input: T,
  random: SeededRandom,
  others: readonly T[],
  pieces: readonly string[] = [],
): T {
  let current: string | Buffer = input;
  for (let edits = 1 + random.below(EDITS); edits > 0; edits--) {
    current =
      typeof current === 'string'
        ? editText(current, random, others as readonly string[], pieces)
        : editBytes(current, random, others as readonly Buffer[]);
  }
  return current as T;
}

function pick<T>(items: readonly T[], random: SeededRandom): T {
  return items[random.below(items.length)]!;
}

/** A part of a text or of bytes: mostly short. */
function part(length: number, random: SeededRandom): [start: number, end: number] {
  const start = random.below(length + 1);
  const most = random.below(4) === 0 ? length : 12;
  return [start, Math.min(length, start + random.below(most + 1))];
}

function editText(
  text: string,
  random: SeededRandom,
  others: readonly string[],
  pieces: readonly string[],
): string {
  const [start, end] = part(text.length, random);
  const around = (inner: string): string => text.slice(0, start) + inner + text.slice(end);
  switch (text.length > MAX_LENGTH ? 0 : random.below(9)) {
    case 0:
      return text.slice(0, start) + text.slice(Math.max(end, start + Math.max(0, text.length - MAX_LENGTH)));
    case 1:
    case 2:
      return around(pick(PIECES, random));
    case 3:
      return around(pick(pieces.length > 0 ? pieces : PIECES, random));
    case 4:
      return around(String.fromCodePoint(random.below(4) === 0 ? random.below(0xd800) : random.below(128)));
    case 5:
      return around(text.slice(start, end).repeat(repeats(end - start, random)));
    case 6: {
      const other = pick(others, random);
      return around(other.slice(...part(other.length, random)));
    }
    case 7:
      return editLines(text, random);
    default:
      return editNumber(text, random);
  }
}

function repeats(length: number, random: SeededRandom): number {
  const most = random.below(8) === 0 ? MAX_REPEATS : 4;
  return Math.min(1 + random.below(most), Math.ceil(MAX_LENGTH / Math.max(1, length)));
}

/** Doubles a line, removes one, or moves one. */
function editLines(text: string, random: SeededRandom): string {
  const lines = text.split('\n');
  const from = random.below(lines.length);
  const kind = random.below(3);
  const [line] = kind === 0 ? [lines[from]!] : lines.splice(from, 1);
  if (kind !== 1) lines.splice(random.below(lines.length + 1), 0, line!);
  return lines.join('\n');
}

/** Another number in the place of one: the text stays well-formed. */
function editNumber(text: string, random: SeededRandom): string {
  const numbers = [...text.matchAll(/\d{1,40}/g)];
  if (numbers.length === 0) return text;
  const { 0: digits, index } = pick(numbers, random);
  const values = [
    String(Number(digits) + 1),
    String(random.below(1000)),
    String(random.below(2 ** 31)),
    '0',
    digits.repeat(repeats(digits.length, random)),
    `0.${digits}`,
  ];
  return text.slice(0, index) + pick(values, random) + text.slice(index + digits.length);
}

function editBytes(bytes: Buffer, random: SeededRandom, others: readonly Buffer[]): Buffer {
  const [start, end] = part(bytes.length, random);
  const around = (inner: Uint8Array): Buffer =>
    Buffer.concat([bytes.subarray(0, start), inner, bytes.subarray(end)]);
  const changed = (change: (copy: Buffer, at: number) => void): Buffer => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) change(copy, random.below(copy.length));
    return copy;
  };
  switch (bytes.length > MAX_LENGTH ? 0 : random.below(8)) {
    case 0:
      return Buffer.from(around(new Uint8Array()).subarray(0, MAX_LENGTH));
    case 1:
    case 2:
      return changed((copy, at) => {
        copy[at] = copy[at]! ^ (1 << random.below(8));
      });
    case 3:
      return changed((copy, at) => {
        copy[at] = pick(INTERESTING, random);
      });
    case 4:
      return changed((copy, at) => {
        copy[at] = (copy[at]! + (random.below(2) === 0 ? 1 : 255)) & 0xff;
      });
    case 5: {
      const inner = bytes.subarray(start, end);
      return around(Buffer.concat(Array(repeats(inner.length, random)).fill(inner)));
    }
    case 6: {
      const other = pick(others, random);
      return around(other.subarray(...part(other.length, random)));
    }
    default:
      return around(Buffer.from(Array.from({ length: random.below(9) }, () => random.below(256))));
  }
}
