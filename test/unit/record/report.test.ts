import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RecordedFinding, writeFindings } from '../../../controller/record/findings.ts';
import { reportData } from '../../../controller/record/report/data.ts';
import { reportPage } from '../../../controller/record/report/page.ts';
import { printPdf } from '../../../controller/record/report/pdf.ts';
import { writeTraffic } from '../../../controller/record/traffic-file.ts';
import { flow, makeRecord, path, type Recorded } from '../../support/records.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-report-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const record = (recorded: Recorded): Promise<string> => makeRecord(join(root, 'lab@1'), recorded);
const dataOf = async (recorded: Recorded) => reportData(await record(recorded));

/** a and c have links of their own to s; a second way to b is shorter once the first is longer. */
const TWO_WAYS = `name: ways
services: { a: {}, b: {}, c: {} }
bridges: [s, t]
links:
  - { from: a, to: s, latency: 1ms, bandwidth: 10Mbps }
  - { from: c, to: s, latency: 1ms, up: 5Mbps, down: 50Mbps }
  - { from: s, to: b, latency: 1ms, bandwidth: 40Mbps }
  - { from: s, to: t, latency: 2ms, bandwidth: 20Mbps }
  - { from: t, to: b, latency: 2ms, bandwidth: 20Mbps }
events:
  - at 20s set s--b latency=9ms bandwidth=8Mbps
`;
const BOTH = () => ({ flows: [flow('a.0', 'b.0', 4e6), flow('c.0', 'b.0', 1e6)] });

const carried = (data: Awaited<ReturnType<typeof dataOf>>): Record<string, number> =>
  Object.fromEntries(
    data.loads!.links.map(({ from, to, meanBps }) => [`${from} ${to}`, Math.round(meanBps)]),
  );

describe('what links carried', () => {
  it('is the sum of the flows on it, by direction', async () => {
    const { loads } = await dataOf({ moment: BOTH });
    expect(loads!.links.map(({ from, to, meanBps, used }) => [from, to, meanBps, used])).toEqual([
      ['a.0', 's', 4e6, 0.4],
      ['s', 'b.0', 4e6, 0.1],
    ]);
  });
  it('follows the paths, as events of the file change them', async () => {
    const data = await dataOf({ text: TWO_WAYS, seconds: 40, moment: BOTH });
    expect(carried(data)).toEqual({
      ...{ 'a.0 s': 4e6, 'c.0 s': 1e6, 's b.0': 2.5e6 },
      ...{ 's t': 2.5e6, 't b.0': 2.5e6 },
    });
    const first = data.loads!.links.find(({ from, to }) => from === 's' && to === 'b.0')!;
    const capacities = data.loads!.capacities(first.link);
    expect([capacities[0], capacities.at(-1)]).toEqual([40e6, 8e6]);
    const series = data.loads!.series(first.link);
    expect([series[5], series[35]]).toEqual([5e6, 0]);
  });
  it('is as much on each of several paths, since a record has their sum', async () => {
    const text = `ecmp: 2
services: { a: {}, b: {} }
bridges: [s, x, y]
links:
  - { from: a, to: s }
  - { from: s, to: x }
  - { from: s, to: y }
  - { from: x, to: b }
  - { from: y, to: b }
`;
    const data = await dataOf({ text, moment: () => ({ flows: [flow('a.0', 'b.0', 4e6)] }) });
    expect(carried(data)).toEqual({
      ...{ 'a.0 s': 4e6, 's x': 2e6, 's y': 2e6 },
      ...{ 'x b.0': 2e6, 'y b.0': 2e6 },
    });
  });
  it('follows what was done by hand, and a reset', async () => {
    const event = { untilMs: null, origin: 'user', outcome: 'done' };
    const events = [
      { ...event, tMs: 5000, dueMs: 5000, text: 'set s--b latency=9ms' },
      { ...event, tMs: 10_000, dueMs: 10_000, text: 'reset' },
      { ...event, tMs: 15_000, dueMs: 15_000, text: 'nonsense' },
    ];
    const text = TWO_WAYS.replace(/events:.*/s, '');
    const data = await dataOf({ text, seconds: 20, moment: BOTH, events });
    expect(carried(data)['s t']).toBe(1.25e6);
    expect(carried(data)['s b.0']).toBe(3.75e6);
  });
  it('is not counted twice where hosts of two machines were asked at other instants', async () => {
    const host = (name: string, second: number) => ({
      host: name,
      cpuSeconds: second,
      memoryBytes: 1,
      tickMs: 1,
    });
    const { loads } = await dataOf({
      seconds: 80,
      moment: (half) => ({
        tMs: 500 * half + 3,
        flows: half % 2 ? [] : [flow('a.0', 'b.0', 4e6)],
        agents: [host(half % 2 ? 'host1' : 'host0', half)],
      }),
    });
    expect(loads!.links[0]!.meanBps).toBe(4e6);
  });
});

describe('distributions', () => {
  it('have the quantiles of the error of each path', async () => {
    const { paths } = await dataOf({
      seconds: 100,
      moment: (n) => ({ paths: [path('a.0', 'b.0', 20 + n / 100)] }),
    });
    const [row] = paths.paths;
    expect(row!.quantiles.map((value) => Number(value.toFixed(2)))).toEqual([0.05, 0.25, 0.5, 0.75, 0.95]);
    expect([row!.samples, row!.targetMs]).toEqual([100, 20]);
    expect(paths.below.at(-1)).toBe(1);
  });
});

describe('a report', () => {
  it('has verdict, topology, flows, paths, events, lag and endpoints', async () => {
    const data = await dataOf({
      moment: () => ({ flows: [flow('a.0', 'b.0', 4e6)], paths: [path('a.0', 'b.0', 21)] }),
      events: [
        { tMs: 2, dueMs: 1, untilMs: null, origin: 'file', text: 'set s--b latency=2ms', outcome: null },
      ],
      epochs: [{ host: 'host0', epoch: 1, dueMs: 1, appliedMs: 2, settledMs: 4 }],
      verdicts: [{ tMs: 3, state: 'degraded', code: 'X', host: 'host0', message: 'too slow' }],
      description: { processes: { 'a.0': 'exited with 0' } },
    });
    const page = reportPage(data, (name) => `there/${name}`, ['edited']);
    const texts = [
      ...['✗ degraded', 'too slow', '<li class="bad">edited', 'a.0 → s: 4Mbps', 'class="box"'],
      ...['set s--b latency=2ms', '3.0 ms', 'exited with 0', 'there/run.sqlite'],
    ];
    expect(texts.filter((text) => !page.includes(text))).toEqual([]);
    expect(/(src|href)="http/.test(page)).toBe(false);
  });
});

describe('clocks', () => {
  it('are drawn over time, of each host that follows another, with what they may be off', async () => {
    const clock = (host: string, offsetMs: number) => ({ host, reference: 'host0', offsetMs, errorMs: 0.25 });
    const data = await dataOf({
      seconds: 4,
      moment: (second) => ({ clocks: [clock('host1', -1 + second), clock('<b>', 0)] }),
    });
    expect(data.clocks[1]).toEqual({
      host: 'host1',
      seconds: [0.003, 1.003, 2.003, 3.003].map((second) => expect.closeTo(second, 2)),
      offset: [-1, 0, 1, 2],
      least: [-1.25, -0.25, 0.75, 1.75],
      most: [-0.75, 0.25, 1.25, 2.25],
    });
    const page = reportPage(data, (name) => name);
    expect(page).toContain('host1: how far the clock that all follow was ahead');
    expect(page.includes('<b>')).toBe(false);
  });
});

describe('files beside the samples', () => {
  const VOICE = {
    ...{ name: 'voice', kind: 'cbr', protocol: 'udp', from: 'a.0', to: 'b.0', sources: 2, sent: 1234 },
    ...{ sentBytes: 1, refused: 0, late: 0, received: 1230, receivedBytes: 1, lost: 4 },
    ...{ meanDelayMs: 20.125, mostDelayMs: 31 },
  };
  const FOUND: RecordedFinding = {
    ...{ what: 'round trip', path: 'a.0 ⇄ b.0', target: 20, measured: 20.25, tolerance: '0.5 ms' },
    ...{ unit: 'ms', ok: true, tries: 1 },
  };

  it('are tables of the page', async () => {
    const folder = await record({});
    const without = reportPage(reportData(folder), (name) => name);
    expect(without).not.toContain('Measured with real traffic');
    writeTraffic(folder, [VOICE]);
    const nothing: RecordedFinding = {
      ...FOUND,
      ...{ what: 'bandwidth', unit: 'bit/s', target: 1e7, measured: Number.NaN, ok: false },
    };
    writeFindings(folder, { faithful: false, findings: [FOUND, nothing] });
    const page = reportPage(reportData(folder), (name) => name);
    const texts = [
      'not faithful',
      '20.250 ms',
      '10Mbps',
      '>none<',
      '✗ outside',
      'voice (cbr, udp)',
      '1,234',
      '20.125 ms',
    ];
    expect(texts.filter((text) => !page.includes(text))).toEqual([]);
  });
  it('that netfold does not write so are refused', async () => {
    const folder = await record({});
    for (const name of ['traffic.json', 'verify.json']) {
      writeFileSync(join(folder, name), '{"findings": 7}');
      expect(() => reportData(folder)).toThrow(expect.objectContaining({ code: 'RECORD_UNREADABLE' }));
      rmSync(join(folder, name));
    }
  });
});

describe('a report on paper', () => {
  const browser = (script: string) => (): string => {
    const file = join(root, 'browser');
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const WRITES =
    'for word in "$@"; do case $word in --print-to-pdf=*) target=${word#*=};; file:*) page=${word#file://};; esac; done';

  it('is what the browser prints of the page', async () => {
    const file = join(root, 'out.pdf');
    await printPdf('<p>page</p>', file, browser(`${WRITES}\ncat "$page" > "$target"`));
    expect(readFileSync(file, 'utf8')).toBe('<p>page</p>');
  });
  it('needs a browser that works; what was there before stays', async () => {
    const file = join(root, 'out.pdf');
    writeFileSync(file, 'old');
    await expect(printPdf('', file, browser('echo sandbox >&2; exit 7'))).rejects.toThrow(
      expect.objectContaining({
        code: 'BROWSER_FAILED',
        message: expect.stringContaining('exit code 7: sandbox'),
      }),
    );
    await expect(printPdf('', file, browser('exit 0'))).rejects.toThrow(
      expect.objectContaining({ code: 'BROWSER_FAILED' }),
    );
    await expect(printPdf('', file, () => undefined)).rejects.toThrow(
      expect.objectContaining({
        ...{ code: 'PROGRAM_MISSING', remedy: expect.stringContaining('apt-get install chromium') },
      }),
    );
    expect(readFileSync(file, 'utf8')).toBe('old');
  });
});
