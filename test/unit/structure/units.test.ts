import { describe, expect, it } from 'vitest';
import { readCheckout } from './checkout.ts';
import { codeOf, findConversions } from './unit-rules.ts';

interface Allowed {
  readonly factors: readonly string[];
  readonly because: string;
}

/** What looks like a conversion and is none, or can't be a call. */
const ALLOWED: Readonly<Record<string, Allowed>> = {
  'agent/kernel/netlink/nfqueue.ts': { factors: ['8'], because: 'numbers of 64-bit words' },
  'agent/linux/delay-line/thread.ts': { factors: ['8'], because: 'the size of numbers in shared memory' },
  'agent/kernel/sys/poller.ts': { factors: ['1e9'], because: 'the two fields of struct timespec' },
  'agent/kernel/netlink/tc-messages.ts': { factors: ['1e9'], because: 'the ticks that psched counts in' },
  'agent/linux/tc/tc-dumps.ts': { factors: ['1e9'], because: 'the ticks that psched counts in' },
  'agent/linux/trees/qdisc-kinds.ts': { factors: ['1000n'], because: 'the ticks that CoDel counts in' },
  'controller/record/report/page-script.js': {
    factors: ['1e6'],
    because: 'a page of its own, without modules',
  },
  'topology/generate/ranges.ts': { factors: ['1000'], because: 'a thousand steps of a range' },
};

const found = (text: string, file = 'agent/a.ts') =>
  findConversions(new Map([[file, text]])).map(({ line, factor }) => `${line}: ${factor}`);

describe('the checkout', () => {
  const conversions = findConversions(readCheckout());

  it('converts units in proto/units.ts only', () => {
    const forbidden = conversions.filter(({ file, factor }) => !ALLOWED[file]?.factors.includes(factor));
    expect(forbidden.map(({ file, line, text }) => `${file}:${line}: ${text}`)).toEqual([]);
  });

  it('has nothing allowed that is not there', () => {
    for (const [file, { factors }] of Object.entries(ALLOWED)) {
      const there = conversions.filter((one) => one.file === file).map(({ factor }) => factor);
      expect([...new Set(there)], file).toEqual(factors);
    }
  });
});

describe('a conversion', () => {
  it.each([
    'latencyMicros / 1000',
    'path.latency/1e3',
    'clock.now() * 1_000',
    '(sent - received) * 1e6',
    '1e6 / roundTrip(a, b)',
    '1000 * seconds',
    'bandwidth / 8',
    'bytes[0]! * 8',
    'bytesPerSecond * 8',
    'nanoseconds % 1e9',
    'BigInt(x) * 1_000_000n',
    'x * 1514 * 8',
    'rate *= 8',
    'ms * 0.001',
    'minutes * 60e6',
    '(a * 1000 * PPM) / 2',
  ])('%s is found', (code) => {
    expect(found(`const y = ${code};\n`)).toHaveLength(1);
  });

  it('is found inside of a template, on its line', () => {
    expect(found(`const a = 1;\n\nconst y = \`8 * x\n\${z / 1000} s * 8\`;\n`)).toEqual(['4: 1000']);
  });

  it('is not looked for in proto/units.ts, tests and benches', () => {
    const text = 'export const toMillis = (time) => time / 1000;\n';
    expect(found(text)).toHaveLength(1);
    for (const file of ['proto/units.ts', 'test/unit/a.test.ts', 'bench/a.ts'])
      expect(found(text, file)).toEqual([]);
  });
});

describe('what is none', () => {
  it.each([
    'const DAY = 24 * 3600e6;',
    'const SIZE = 1024 * 1024 * 8;',
    'const part = 1 / 8;',
    'const y = x ** 8;',
    'const y = x * 18;',
    'const y = x / 8.5;',
    'const y = x * 80;',
    'const y = x + 1000;',
    'const y = "x / 1000";',
    "const y = 'it is x * 8';",
    `const y = \`a / 1000 \${b} * 8\`;`,
    '// x / 1000',
    '/* x * 8\n * 1e6 */',
    'const y = /a/ && /8/;',
    "const y = /['\"`]/.test(x) ? 'a' : `b`;",
    'const y = max(x8, 8);',
  ])('%s', (text) => {
    expect(found(`${text}\n`)).toEqual([]);
  });

  it('leaves lines where they are', () => {
    const text = `a\n/* b\n c */ \`d\n\${e}\nf\`\n// g\nh`;
    expect(codeOf(text).split('\n')).toHaveLength(text.split('\n').length);
  });
});
