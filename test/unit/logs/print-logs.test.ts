import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LinePrefix } from '../../../controller/logs/line-prefix.ts';
import { type PrintPlan, printLogs } from '../../../controller/logs/print-logs.ts';

let folder: string;
let a: string;
let b: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-logs-'));
  a = join(folder, 'a.log');
  b = join(folder, 'b.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Prints while `steps` happen, one whenever nothing is left to print; the experiment ends with the last. */
async function printed(
  plan: PrintPlan,
  { of = [a], steps = [], readsUntil = Number.POSITIVE_INFINITY }: Watched = {},
): Promise<string> {
  const left = [...steps];
  let out = '';
  const files = of.map((path) => ({ node: path.slice(folder.length + 1, -'.log'.length), path }));
  await printLogs(files, plan, {
    write: async (bytes) => {
      out += Buffer.from(bytes).toString();
      return out.length < readsUntil;
    },
    wait: async () => left.shift()!(),
    hasEnded: () => left.length === 0,
  });
  return out;
}

interface Watched {
  readonly of?: readonly string[];
  readonly steps?: readonly (() => void)[];
  readonly readsUntil?: number;
}

describe('logs that are printed once', () => {
  it('are whole, also beyond the size of one piece', async () => {
    const text = Array.from({ length: 40_000 }, (_, i) => `line ${i}\n`).join('');
    writeFileSync(a, text);
    expect(await printed({ follow: false })).toBe(text);
    expect(await printed({ follow: false, tail: 30_000 })).toBe(text.slice(text.indexOf('line 10000\n')));
  });

  it.each([
    ['one\ntwo\nthree\n', 2, 'two\nthree\n'],
    ['one\ntwo\nthr', 2, 'two\nthr'],
    ['one\n\n\n', 2, '\n\n'],
    ['one\n', 5, 'one\n'],
    ['one\n', 0, ''],
    ['', 3, ''],
  ])('of %j have as the last %i lines %j', async (text, tail, expected) => {
    writeFileSync(a, text);
    expect(await printed({ follow: false, tail })).toBe(expected);
  });

  it('of several endpoints have names before their lines, and every line ends', async () => {
    writeFileSync(a, 'one\ntwo');
    writeFileSync(join(folder, 'long.log'), 'three\n');
    const out = await printed({ follow: false }, { of: [a, join(folder, 'long.log'), b] });
    expect(out).toBe('a    | one\na    | two\nlong | three\n');
  });

  it('end when nobody reads any more', async () => {
    writeFileSync(a, 'x'.repeat(1_000_000));
    expect((await printed({ follow: false }, { readsUntil: 10 })).length).toBeLessThan(100_000);
  });
});

describe('logs that are followed', () => {
  const follow = { follow: true };

  it('come as they grow, and those of a file that comes later too', async () => {
    writeFileSync(a, 'old\nlast\n');
    const steps = [() => appendFileSync(a, 'new\n'), () => writeFileSync(b, 'b is there\nb again\n')];
    const out = await printed({ follow: true, tail: 1 }, { of: [a, b], steps });
    // The tail is of what is there when a file is opened for the first time.
    expect(out).toBe('a | last\na | new\nb | b again\n');
  });

  it('go on in the next file when one is replaced, after the rest of the old one', async () => {
    writeFileSync(a, 'first\n');
    const rotate = (): void => {
      appendFileSync(a, 'rest\n');
      renameSync(a, join(folder, 'a.log.1'));
      writeFileSync(a, 'second\n');
    };
    expect(await printed(follow, { steps: [rotate, () => appendFileSync(a, 'third\n')] })).toBe(
      'first\nrest\nsecond\nthird\n',
    );
  });

  it('start again when the file is cut', async () => {
    writeFileSync(a, 'a long first text\n');
    const cut = (): void => {
      truncateSync(a);
      appendFileSync(a, 'again\n');
    };
    expect(await printed(follow, { steps: [cut] })).toBe('a long first text\nagain\n');
  });

  it('are read to their end when the experiment has removed them', async () => {
    writeFileSync(a, 'first\n');
    const end = (): void => {
      appendFileSync(a, 'last words\n');
      unlinkSync(a);
    };
    expect(await printed(follow, { steps: [end] })).toBe('first\nlast words\n');
  });

  it('end when nobody reads any more', async () => {
    writeFileSync(a, 'first\n');
    const steps = [() => appendFileSync(a, 'second\n'), () => appendFileSync(a, 'third\n')];
    expect(await printed(follow, { steps, readsUntil: 10 })).toBe('first\nsecond\n');
  });
});

describe('names before lines', () => {
  it('stand once before a line that comes in pieces', () => {
    const prefix = new LinePrefix('a | ');
    expect(prefix.push(Buffer.from('on')).toString()).toBe('');
    expect(prefix.push(Buffer.from('e\ntw')).toString()).toBe('a | one\n');
    expect(prefix.end().toString()).toBe('a | tw\n');
    expect(prefix.end().toString()).toBe('');
  });

  it('cut a line that never ends', () => {
    const prefix = new LinePrefix('');
    const piece = Buffer.alloc(600_000, 'x');
    expect(prefix.push(piece)).toHaveLength(0);
    expect(prefix.push(piece)).toHaveLength(1_200_001);
  });
});
