/** Traces: files of Mahimahi and CSV → a link's text, its means, and what an agent plays. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEAST_RATE, TracePlayer } from '../../../../agent/timeline/trace-player.ts';
import { foldImpairments, type Impairment } from '../../../../proto/impairment.ts';
import { meanOfTrace, parseTrace, traceOf, traceText } from '../../../../proto/trace.ts';
import { fromMillis, UnitError } from '../../../../proto/units.ts';
import { expandGraph } from '../../../../topology/fold/graph.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { type LoadedTopology, loadTopology, TopologyError } from '../../../../topology/load.ts';
import { TraceCursor } from '../../../../topology/timeline/trace-cursor.ts';

function load(link: string, files: Readonly<Record<string, string>>): LoadedTopology {
  const text = `services: { a: {}, b: {} }\nlinks:\n  - { from: a, to: b, ${link} }\n`;
  const read = (path: string) =>
    Object.hasOwn(files, path) ? { text: files[path]! } : { problem: 'there is no such file' };
  return loadTopology(text, 'x.yaml', undefined, undefined, { read });
}

function up(link: string, file: string): Impairment {
  return load(link, { 'x.csv': file }).topology.links[0]!.up;
}

function mistakes(link: string, file: string): string[] {
  try {
    load(link, { 'x.csv': file });
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return error.diagnostics.map(
      ({ code, file: where, line, field, message }) => `${where}:${line} ${code} ${field}: ${message}`,
    );
  }
  return [];
}

const CSV = 'time_s,rate_mbps,latency,loss_percent\n0,10,20ms,0\n2,5,40ms,1\n4,0,60ms,2.5\n';

describe('a trace', () => {
  it('of CSV has its rows as steps, and the last is as long as the one before', () => {
    const { trace } = up('trace: x.csv', CSV);
    expect(trace).toBe('loop 0 6000: 0 10000000 20000 0, 2000 5000000 40000 0.01, 4000 0 60000 0.025');
  });

  it('begins where its phase says, or ends', () => {
    expect(up('trace: { file: x.csv, loop: false, phase: 2500ms }', CSV).trace).toMatch(/^once 2500 6000: /);
    expect(up('trace: { file: x.csv, phase: 7s }', CSV).trace).toMatch(/^loop 1000 6000: /);
    const seeded = up('trace: { file: x.csv, phase: seed }', CSV).trace!;
    expect(seeded).toBe(up('trace: { file: x.csv, phase: seed }', CSV).trace);
    const both = load(
      'up: { trace: { file: x.csv, phase: seed } }, down: { trace: { file: x.csv, phase: seed } }',
      {
        'x.csv': CSV,
      },
    ).topology.links[0]!;
    expect(both.up.trace).not.toBe(both.down!.trace);
  });

  it('of CSV counts from its first row, with units in the cells as well', () => {
    const { trace } = up(
      'trace: x.csv',
      'rate,time\n5Mbps,1700000s\n\n 0bps , 1700001s\n1Gbps,1700001500ms\n',
    );
    expect(trace).toBe('loop 0 2000: 0 5000000, 1000 0, 1500 1000000000');
  });

  it('of Mahimahi lets as many full frames pass as it has lines, and ends with the last', () => {
    const { trace } = up('trace: x.csv', '1\n5\n10\n11\n25\n40\n');
    // 3 of 1,514 bytes in 10 ms, 1, 1, 1.
    expect(trace).toBe('loop 0 40: 0 3633600, 10 1211200');
    const uneven = traceOf(up('trace: x.csv', '0\n0\n3\n').trace!);
    expect([uneven.periodMs, meanOfTrace(uneven, 'rateBps')]).toEqual([3, (3 * 1514 * 8) / 0.003]);
  });

  it('gives the link its means, and a buffer that does not change with it', () => {
    const link = up('bandwidth: 1Gbps, latency: 1ms, trace: x.csv', CSV);
    expect(link).toMatchObject({ bandwidth: 5e6, latency: 40_000, queueBytes: 156_250 });
    expect(link.loss).toBeCloseTo(0.035 / 3, 10);
    expect(up('trace: x.csv, queue: 20 packets', CSV)).toMatchObject({ queuePackets: 20 });
    // What it says nothing of is the link's.
    expect(up('latency: 7ms, loss: 3%, trace: x.csv', 'time_s,rate_mbps\n0,1\n')).toMatchObject({
      ...{ latency: 7000, loss: 0.03, bandwidth: 1e6 },
    });
  });

  it('takes no time of its own for bytes', () => {
    const link = up('trace: x.csv', CSV);
    expect(foldImpairments([0], [link]).transmission ?? 0).toBe(0);
  });

  it('stands in the expanded file and in what is converted', () => {
    const loaded = load('up: { trace: x.csv, loss_model: every 9 packets }', { 'x.csv': CSV });
    expect(loadTopology(loaded.expanded!(), 'y.yaml').topology.links).toMatchObject([
      { up: loaded.topology.links[0]!.up, down: loaded.topology.links[0]!.down },
    ]);
    const alike = load('trace: x.csv', { 'x.csv': CSV }).topology;
    expect(loadTopology(nativeText(alike), 'y.yaml').topology.links[0]).toMatchObject({
      up: alike.links[0]!.up,
    });
  });

  it.each([
    ['', 'x.csv:1 VALUE_INVALID trace: the trace is empty'],
    ['\n\n', 'x.csv:1 VALUE_INVALID trace: the trace is empty'],
    ['5\n4\n', 'x.csv:2 VALUE_INVALID trace: the trace goes back from 5 to 4 ms'],
    ['5\n6\nx\n', 'x.csv:3 VALUE_INVALID trace: "x" is no millisecond'],
    ['5\n-1\n', 'x.csv:2 VALUE_INVALID trace: "-1" is no millisecond'],
    ['0\n0\n', 'x.csv:1 VALUE_INVALID trace: all packets of the trace pass at 0 ms'],
    ['99999999\n', 'x.csv:1 VALUE_INVALID trace: the trace is longer than a day'],
    ['time_s,rate_mbps\n0,1\n1\n', 'x.csv:3 VALUE_INVALID trace: 1 cells stand below 2 columns'],
    [
      'time_s,rate_mbps\n0,1\n0,2\n',
      'x.csv:3 VALUE_INVALID trace: the time is not after that of the row above',
    ],
    ['time_s,rate_mbps\n0,1\n\n1,fast\n', 'x.csv:4 VALUE_INVALID trace: rate: '],
    ['time,rate\n0,1\n', 'x.csv:2 VALUE_INVALID trace: time: "0" has no unit'],
    ['time_s,rate_mbps\n', 'x.csv:1 VALUE_INVALID trace: the trace has no rows'],
    ['time_s,speed\n0,1\n', 'x.csv:1 VALUE_INVALID trace: "speed" is no column'],
    ['time_s,rate_parsecs\n0,1\n', 'x.csv:1 VALUE_INVALID trace: "rate_parsecs" is no column'],
    ['time_s,time_ms\n0,1\n', 'x.csv:1 VALUE_INVALID trace: a column is there twice'],
    ['rate_mbps\n1\n', 'x.csv:1 VALUE_INVALID trace: there is no column time'],
    ['time_s,loss_percent\n0,101\n', 'x.csv:2 VALUE_INVALID trace: loss: '],
    ['time_s,constructor\n0,1\n', 'x.csv:1 VALUE_INVALID trace: "constructor" is no column'],
  ])('is refused with its line: %j', (file, expected) => {
    expect(mistakes('trace: x.csv', file)).toEqual([expect.stringContaining(expected)]);
  });

  it.each([
    ['trace: y.csv', 'x.yaml:3 INCLUDE links[0].trace: "y.csv" can\'t be read'],
    ['trace: 5', 'x.yaml:3 VALUE_INVALID links[0].trace: this names no file'],
    [
      'trace: { file: x.csv, lop: true }',
      'x.yaml:3 KEY_UNKNOWN links[0].trace.lop: there is no key "lop" here',
    ],
    [
      'trace: { file: x.csv, loop: 3 }',
      'x.yaml:3 VALUE_INVALID links[0].trace.loop: "3" is neither true nor false',
    ],
    ['trace: { file: x.csv, phase: 3 }', 'x.yaml:3 VALUE_INVALID links[0].trace.phase: "3" has no unit'],
    ['down: { trace: { loop: true } }', 'x.yaml:3 VALUE_INVALID links[0].down.trace: this names no file'],
  ])('is refused in its place: %s', (link, expected) => {
    expect(mistakes(link, CSV)).toEqual([expect.stringContaining(expected)]);
  });
});

describe('the text of a trace', () => {
  it.each([
    'loop 0 10',
    'loop 0 10: 1 5',
    'loop 0 10: 0 5, 0 6',
    'loop 10 10: 0 5',
    'loop 0 10: 0 5, 10 6',
    'loop 0 10: 0 -',
    'loop 0 10: 0 5, 3 -',
    'loop 0 10: 0 5 6 2',
    'often 0 10: 0 5',
    `loop 0 10: ${'0 5, '.repeat(100_001)}0 5`,
  ])('is refused: %.40s', (text) => {
    expect(() => parseTrace(text)).toThrow(UnitError);
  });

  it('is read as it was written', () => {
    const text = 'once 3 100: 0 - 5000 0.000001, 7 - 0 1';
    expect(traceText(traceOf(text))).toBe(text);
  });
});

describe('played', () => {
  const cursor = (text: string): TraceCursor => new TraceCursor(traceOf(text));

  it('has the mean rate of each while, over steps and rounds', () => {
    const played = cursor('loop 0 100: 0 1000, 40 0, 60 500');
    expect(played.meanRateBps(0, 40)).toBe(1000);
    expect(played.meanRateBps(20, 60)).toBe(500);
    expect(played.meanRateBps(90, 110)).toBe(750);
    expect(played.meanRateBps(0, 300)).toBe(600);
    expect(played.meanRateBps(1_000_040, 1_000_060)).toBe(0);
    expect(cursor('once 0 100: 0 1000, 40 0').meanRateBps(0, 1000)).toBe(40);
    expect(cursor('loop 30 100: 0 1000, 40 0').meanRateBps(0, 20)).toBe(500);
  });

  it('lets all bits of the trace pass, however time is divided', () => {
    const text = 'loop 17 1000: 0 3633600, 10 1211200, 250 0, 300 9999999, 777 5';
    const whole = cursor(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }), (parts) => {
        const divided = cursor(text);
        let [at, bits] = [0, 0];
        for (const part of parts) {
          bits += divided.meanRateBps(at, at + part) * part;
          at += part;
        }
        expect(bits / (whole.meanRateBps(0, at) * at)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('knows when steps begin, over rounds, and that the last one of some does not end', () => {
    const times = (text: string, ...at: number[]) =>
      at.map((ms) => [cursor(text).stepStartMs(ms), cursor(text).nextStepMs(ms)]);
    const looped = 'loop 30 100: 0 1000, 40 0, 60 500';
    expect(times(looped, 0, 9.9, 10, 29, 30, 69, 70, 1_000_010)).toEqual([
      ...[
        [-30, 10],
        [-30, 10],
        [10, 30],
        [10, 30],
        [30, 70],
        [30, 70],
        [70, 110],
      ],
      [1_000_010, 1_000_030],
    ]);
    expect(times('once 0 100: 0 1000, 40 0', 39, 40, 5000)).toEqual([
      ...[
        [0, 40],
        [40, Number.POSITIVE_INFINITY],
        [40, Number.POSITIVE_INFINITY],
      ],
    ]);
  });

  const graphOf = (link: string, file: string) => expandGraph(load(link, { 'x.csv': file }).topology);

  it('gives the link what the trace has, and nothing to do while it stays', () => {
    const player = new TracePlayer(graphOf('up: { trace: x.csv }', CSV));
    const at = (ms: number) => player.at(fromMillis(ms), fromMillis(ms + 50))?.links[0];
    expect(at(0)).toMatchObject({ bandwidth: 10e6, latency: 20_000, loss: 0 });
    expect(at(50)).toBeUndefined();
    // Half of the step is in the slower part.
    expect(at(1975)).toMatchObject({ bandwidth: 7.5e6, latency: 20_000 });
    expect(at(2025)).toMatchObject({ bandwidth: 5e6, latency: 40_000, loss: 0.01 });
    // Nothing passes there: the least that a class can wake up from.
    expect(at(4100)).toMatchObject({ bandwidth: LEAST_RATE, latency: 60_000, loss: 0.025 });
    expect(at(6000)).toMatchObject({ bandwidth: 10e6, latency: 20_000 });
  });

  it('ends a step with the last change that is near, or else with the next one', () => {
    const player = new TracePlayer(
      graphOf('trace: x.csv', 'time_ms,rate_mbps\n0,1\n10,2\n20,3\n300,4\n700,1\n1000,1\n'),
    );
    expect(player.stepFrom(0, 50)).toEqual({ untilMs: 20, areSeveral: true });
    expect(player.stepFrom(20, 50)).toEqual({ untilMs: 300, areSeveral: false });
    expect(player.stepFrom(280, 50)).toEqual({ untilMs: 300, areSeveral: false });
    expect(player.stepFrom(0, 400)).toEqual({ untilMs: 300, areSeveral: true });
  });

  it('plays nothing where there is no trace', () => {
    const player = new TracePlayer(graphOf('latency: 5ms', ''));
    expect(player.stepFrom(0, 50).untilMs).toBe(Number.POSITIVE_INFINITY);
    expect([player.isNeeded, player.at(fromMillis(0), fromMillis(50))]).toEqual([false, undefined]);
  });

  it('follows what events make of the means', () => {
    const graph = graphOf('trace: x.csv', CSV);
    const player = new TracePlayer(graph);
    player.at(fromMillis(0), fromMillis(50));
    const [first, ...rest] = graph.links;
    const changed = {
      ...first!,
      bandwidth: 2 * first!.bandwidth,
      latency: first!.latency + 5000,
    } as typeof first & object;
    player.setGraph({ ...graph, links: [changed, ...rest] });
    const links = player.at(fromMillis(0), fromMillis(50))!.links;
    expect(links[0]).toMatchObject({ bandwidth: 20e6, latency: 25_000 });
    expect(links[1]).toMatchObject({ bandwidth: 10e6, latency: 20_000 });
  });
});
