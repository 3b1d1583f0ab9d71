import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { cells } from '../../../bench/report/cells.ts';
import { reported } from '../../../bench/report/judge.ts';
import type { Report, Row, Unit } from '../../../bench/report/model.ts';
import { renderSvg } from '../../../bench/report/plot.ts';
import { saveResults } from '../../../bench/report/save.ts';
import { markdown, summary, terminalText } from '../../../bench/report/text.ts';

const RATE: Row = {
  what: '10Mbps',
  unit: 'bit/s',
  target: 9.564e6,
  measured: 9.468e6,
  error: -0.01003,
  bound: { kind: 'relative', value: 0.01 },
  spread: { low: 9.4e6, high: 9.6e6 },
  samples: 1234,
  verdict: 'outside',
  tries: 2,
  note: '',
};
const DELAY: Row = {
  ...RATE,
  what: '5ms, 64 bytes',
  unit: 'ms',
  target: 10.04,
  measured: 10.1,
  error: 0.06,
  bound: { kind: 'absolute', value: 0.15 },
  spread: null,
  samples: 300,
  verdict: 'within',
  tries: 1,
  note: 'unshaped 0.040 ms | all',
};
const BEYOND: Row = {
  ...RATE,
  measured: null,
  error: null,
  spread: null,
  samples: 0,
  verdict: 'beyond',
  tries: 1,
};

const REPORT: Report = {
  bench: 'accuracy',
  date: '2031-02-03T04:05:06.000Z',
  quick: true,
  seconds: 71.6,
  machine: {
    cpu: 'Acme 9000',
    cores: 3,
    memoryGiB: 5,
    virtual: 'KVM',
    distribution: 'Debian GNU/Linux 12',
    kernel: '6.1.0-test',
    versions: { netfold: '0.1.0', iperf3: '3.12' },
  },
  tables: [
    {
      id: 'x',
      title: 'rates',
      backend: 'delay-line',
      source: 'a source',
      method: 'How.',
      sampled: 'seconds',
      rows: [RATE, DELAY, BEYOND],
    },
  ],
};

it('counts the rows that are within among those that were measured', () => {
  expect(summary(REPORT)).toBe('1 of 2 rows within their bounds (1 more need a faster machine)');
  expect(summary({ tables: [{ ...REPORT.tables[0]!, rows: [DELAY] }] })).toBe(
    '1 of 1 rows within their bounds',
  );
});

it('is Markdown', () => {
  expect(markdown(REPORT)).toBe(`# accuracy: 1 of 2 rows within their bounds (1 more need a faster machine)

Measured 2031-02-03T04:05:06.000Z in 72 s (quick: a look, not a result) by \`npm run bench -- accuracy\`.

Acme 9000, 3 cores, 5 GiB, virtual (KVM), Debian GNU/Linux 12, Linux 6.1.0-test. netfold 0.1.0, iperf3 3.12.

✓ within its bound, ✗ outside, – needs a faster machine. Tries: a row that is outside is measured once more.

## delay line: rates

After a source. How.
Samples: seconds.

|  | target | measured | error | bound | spread | samples | tries |  |
| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | --- |
| 10Mbps | 9.564Mbps | 9.468Mbps | −1.00 % | ± 1.00 % | 9.4Mbps … 9.6Mbps | 1,234 | 2 | ✗ |
| 5ms, 64 bytes | 10.040 ms | 10.100 ms | +0.060 ms | ± 0.150 ms |  | 300 | 1 | ✓ unshaped 0.040 ms \\| all |
| 10Mbps | 9.564Mbps | – | – | ± 1.00 % |  | 0 | 1 | – |
`);
});

it('is text for a terminal, with whatever draws tables', () => {
  const text = terminalText({ ...REPORT, quick: false }, (heading, rows, numeric) =>
    [heading.join(';'), ...rows.map((row) => row.join(';')), numeric.join()].join('\n'),
  );
  expect(text).toBe(`Acme 9000, 3 cores, 5 GiB, virtual (KVM), Debian GNU/Linux 12, Linux 6.1.0-test

delay line: rates
  How.
  samples: seconds

;target;measured;error;bound;spread;samples;tries;
10Mbps;9.564Mbps;9.468Mbps;−1.00 %;± 1.00 %;9.4Mbps … 9.6Mbps;1,234;2;✗
5ms, 64 bytes;10.040 ms;10.100 ms;+0.060 ms;± 0.150 ms;;300;1;✓ unshaped 0.040 ms | all
10Mbps;9.564Mbps;–;–;± 1.00 %;;0;1;–
1,2,3,4,6,7`);
});

describe('saving', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bench-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps one result for each kernel, as JSON and as Markdown', () => {
    const files = saveResults(REPORT, join(folder, 'results'));
    const base = join(folder, 'results', 'accuracy-linux-6.1.0-test');
    expect(files).toEqual([`${base}.json`, `${base}.md`]);
    expect(JSON.parse(readFileSync(files[0]!, 'utf8'))).toEqual(REPORT);
    expect(readFileSync(files[1]!, 'utf8')).toBe(markdown(REPORT));
  });

  it('draws figures beside them, which the Markdown shows and the JSON leaves out', () => {
    const plot = { title: 'Rates', xTitle: 'time, s', yTitle: 'rate, Mb/s', series: [], marks: [] };
    const results = join(folder, 'results');
    const files = saveResults({ ...REPORT, figures: [{ id: 'rates', plot }] }, results);
    expect(files[2]).toBe(join(results, 'accuracy-rates-linux-6.1.0-test.svg'));
    expect(readFileSync(files[2]!, 'utf8')).toBe(renderSvg(plot));
    expect(readFileSync(files[1]!, 'utf8')).toContain(
      '\n\n![Rates](accuracy-rates-linux-6.1.0-test.svg)\n\n## delay line: rates\n',
    );
    expect(JSON.parse(readFileSync(files[0]!, 'utf8'))).toEqual(REPORT);
  });
});

describe('a row of which nothing is asked', () => {
  it('has neither target, error nor bound, and is not counted', () => {
    const row = reported('200 nodes', 'B/s', { measured: 5234.4, spread: null, samples: 4, note: 'less' });
    expect(cells(row)).toEqual(['200 nodes', '', '5.234 kB/s', '', '', '', '4', '1', 'less']);
    expect(summary({ tables: [{ ...REPORT.tables[0]!, rows: [row] }] })).toBe(
      '0 of 0 rows within their bounds',
    );
  });
  it('has its unit', () => {
    const text = (unit: Unit, measured: number) =>
      cells(reported('', unit, { measured, spread: null, samples: 1 }))[2];
    expect(text('B/s', 3_861_234)).toBe('3.861 MB/s');
    expect(text('B/s', 999)).toBe('999.0 B/s');
    expect(text('B/s', 0)).toBe('0 B/s');
    expect(text('1/s', 7.04)).toBe('7.04/s');
    expect(text('count', 1200)).toBe('1,200');
  });
});

describe('a row with one bad direction', () => {
  it('says which; what has only to be small has neither target nor error', () => {
    const small = { ...DELAY, target: 0, error: 10.1, bound: { ...DELAY.bound!, bad: 'above' } } as const;
    expect(cells(small).slice(1, 5)).toEqual(['', '10.100 ms', '', '≤ 0.150 ms']);
    const great = { ...RATE, bound: { ...RATE.bound!, bad: 'below' } } as const;
    expect(cells(great).slice(1, 5)).toEqual(['9.564Mbps', '9.468Mbps', '−1.00 %', '≥ −1.00 %']);
  });

  it.each([
    ['cores', 0.0384, '3.84 %'],
    ['ms²', 0.0301, '0.0301 ms²'],
    ['s', 29.5, '29.50 s'],
    ['ratio', 1.0226549, '102.27%'],
    ['ratio', 0.00812, '0.812%'],
  ] as const)('in %s: %d is %s', (unit, measured, text) => {
    expect(cells(reported('', unit, { measured, spread: null, samples: 1 }))[2]).toBe(text);
  });
});
