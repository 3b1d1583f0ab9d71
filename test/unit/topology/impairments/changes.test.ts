/** `set` of every impairment: on, changed, off, by events of the file; what is written is read again. */
import { describe, expect, it } from 'vitest';
import { traceOf } from '../../../../proto/trace.ts';
import { micros } from '../../../../proto/units.ts';
import { eventLine } from '../../../../topology/events/write.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { loadTopology, TopologyError } from '../../../../topology/load.ts';
import type { GraphLink, Topology } from '../../../../topology/model/model.ts';
import { timelineRows } from '../../../../topology/report/timeline.ts';
import { graphAt } from '../../../../topology/timeline/graph-at.ts';

const NIGHT = 'loop 0 1000: 0 10000000 20000 0.01, 500 30000000 40000 0.03';
const SLOW = 'loop 0 1000: 0 1000000';
const FILES: Readonly<Record<string, string>> = { 'night.csv': 'time_ms,rate_mbps\n0,10\n500,30\n' };

function load(
  link: string,
  events: readonly string[],
  traces = `{ night: "${NIGHT}", slow: "${SLOW}" }`,
): Topology {
  const text = `services: { a: {}, b: {} }
traces: ${traces}
links:
  - { from: a, to: b, ${link} }
events: ${JSON.stringify(events)}
`;
  const read = (path: string) =>
    Object.hasOwn(FILES, path) ? { text: FILES[path]! } : { problem: 'there is no such file' };
  return loadTopology(text, 'x.yaml', undefined, undefined, { read }).topology;
}

function linkAt(topology: Topology, seconds: number, name = 'a.0->b.0'): GraphLink {
  return graphAt(topology, micros(seconds * 1e6)).links.find((one) => one.name === name)!;
}

function mistakes(...events: string[]): string[] {
  try {
    load('latency: 5ms', events);
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return error.diagnostics.map(({ line, message, remedy }) => `${line}: ${message}; ${remedy}`);
  }
  return [];
}

describe('set changes a link, and takes it back', () => {
  it.each([
    ['loss_model="bursts 1% of 5 packets"', { lossModel: 'bursts 1% of 5 packets' }, 'loss_model=none'],
    ['loss_model="every 9 packets"', { lossModel: 'every 9 packets' }, 'loss_model=none'],
    ['duplicate=1%', { duplicate: 0.01 }, 'duplicate=none'],
    ['duplicate=+1%', { duplicate: 0.01 }, 'duplicate=-1%'],
    ['corrupt=0.5%', { corrupt: 0.005 }, 'corrupt=0%'],
    [
      'reorder=2% reorder_distance="3 packets"',
      { reorder: 0.02, reorderDistance: 3 },
      'reorder=none reorder_distance=none',
    ],
    ['slots=2ms..4ms', { slots: '2ms..4ms' }, 'slots=none'],
    ['mtu=1400', { mtu: 1400 }, 'mtu=none'],
    ['rules=reset', { rules: 'reset' }, 'rules=none'],
    [
      'rules="drop 3rd only syn:80; delay 20ms except icmp,udp"',
      { rules: 'drop 3rd only syn:80; delay 20ms except icmp, udp' },
      'rules=none',
    ],
    ['overhead=atm', { overhead: 'atm' }, 'overhead=none'],
    ['overhead="38 bytes"', { overhead: '38 bytes' }, 'overhead=none'],
    ['jitter_correlation=25%', { jitterCorrelation: 0.25 }, 'jitter_correlation=none'],
    ['distribution=pareto', { distribution: 'pareto' }, 'distribution=normal'],
    ['quantiles="1 2 3 4 5 6 7 9"', { quantiles: '1 2 3 4 5 6 7 9' }, 'quantiles=none'],
  ])('%s', (on, expected, off) => {
    const events = [`at 1s set a--b ${on}`, `at 2s set a->b ${off}`];
    const topology = load('latency: 5ms, jitter: 1ms', events);
    const before = linkAt(topology, 0);
    expect(linkAt(topology, 1)).toEqual({ ...before, ...expected });
    // What is off has left no trace: two links are the same if all their fields are.
    expect(linkAt(topology, 2)).toStrictEqual(before);
    expect(linkAt(topology, 2, 'b.0->a.0')).toMatchObject(expected);
    const again = loadTopology(nativeText(topology), 'y.yaml').topology;
    expect(again.events.map(eventLine)).toEqual(topology.events.map(eventLine));
    expect(linkAt(again, 1)).toEqual(linkAt(topology, 1));
  });

  it('a window undoes it', () => {
    const topology = load('latency: 5ms, slots: 5ms', [
      'from 1s to 2s set a--b slots=9ms loss_model="every 2 packets"',
    ]);
    expect(linkAt(topology, 1)).toMatchObject({ slots: '9ms', lossModel: 'every 2 packets' });
    expect(linkAt(topology, 2)).toStrictEqual(linkAt(topology, 0));
  });

  it('a distribution takes the place of samples', () => {
    const topology = load('jitter: 1ms, quantiles: "1 2 3 4 5 6 7 9"', [
      'at 1s set a--b distribution=normal',
    ]);
    expect(linkAt(topology, 0).quantiles).toBe('1 2 3 4 5 6 7 9');
    expect(linkAt(topology, 1)).not.toHaveProperty('quantiles');
  });

  it('as the timeline prints it', () => {
    const line = 'at 1s set a->b loss_model="bursts 1% of 5 packets" duplicate=2% slots=none bandwidth=50%';
    const [row] = timelineRows(load('bandwidth: 1Mbps', [line]));
    expect(row!.detail).toBe(line.slice('at 1s set a->b '.length));
  });
});

describe('set of a trace', () => {
  const events = ['at 1s set a->b trace=night', 'at 2s set a->b trace=slow', 'at 3s set a->b trace=none'];

  it('gives a link its means and its buffer, another one those of the other, and none leaves them', () => {
    const topology = load('latency: 5ms, bandwidth: 50Mbps', events);
    const buffer = (bps: number): number => Math.round((bps / 8) * 0.25);
    const [first, second, third] = [1, 2, 3].map((seconds) => linkAt(topology, seconds));
    expect(first).toMatchObject({ trace: NIGHT, bandwidth: 20e6, latency: 30_000, queueBytes: buffer(20e6) });
    expect(first!.loss).toBeCloseTo(0.02, 12);
    // Of what the second says nothing, the link keeps what it has.
    expect(second).toMatchObject({ trace: SLOW, bandwidth: 1e6, latency: 30_000, queueBytes: 64 * 1514 });
    expect(third).toMatchObject({ bandwidth: 1e6, latency: 30_000 });
    expect(third).not.toHaveProperty('trace');
    expect(third).not.toHaveProperty('queueBytes');
    expect(linkAt(topology, 3, 'b.0->a.0')).toStrictEqual(linkAt(topology, 0, 'b.0->a.0'));
  });

  it('leaves the queue that the file gives', () => {
    const topology = load('bandwidth: 50Mbps, queue: 64KB', events);
    expect([1, 2, 3].map((seconds) => linkAt(topology, seconds).queueBytes)).toEqual([
      64_000, 64_000, 64_000,
    ]);
  });

  it('in one line, what stands behind it counts on top', () => {
    const topology = load('latency: 5ms', ['at 1s set a->b trace=night bandwidth=50% latency=+1ms']);
    expect(linkAt(topology, 1)).toMatchObject({ bandwidth: 10e6, latency: 31_000 });
  });

  it('has its text of the file, where links may have it by name, too', () => {
    const traces = '{ night: night.csv, once: { file: night.csv, loop: false, phase: 200ms } }';
    const topology = load('up: { trace: once }', ['at 1s set b->a trace=night'], traces);
    expect(topology.links[0]!.up.trace).toBe('once 200 1000: 0 10000000, 500 30000000');
    expect(linkAt(topology, 1, 'b.0->a.0').trace).toBe('loop 0 1000: 0 10000000, 500 30000000');
    expect(traceOf(topology.traces!.once!).loops).toBe(false);
    const again = loadTopology(nativeText(topology), 'y.yaml').topology;
    expect(again.traces).toEqual(topology.traces);
  });
});

describe('a wrong set', () => {
  it.each([
    [
      'at 1s set a--b loss_model=bursts 1% of 5 packets',
      /"bursts" .*write loss_model="bursts 1% of 5 packets", or loss_model=none/,
    ],
    ['at 1s set a--b loss_model="markov p13=60% p31=10% p14=60%"', /more than 100%.*p13 \+ p14/],
    ['at 1s set a--b slots=0ms', /leaves no time between slots/],
    [
      'at 1s set a--b distribution=gaussian',
      /"gaussian" is none of normal, uniform, pareto; write distribution=pareto/,
    ],
    ['at 1s set a--b duplicate=some', /write none, or e\.g\. 1%/],
    ['at 1s set a--b trace=nihgt', /there is no trace "nihgt"; the file has night, slow/],
    ['at 1s set a--b trace=x.csv', /"x\.csv" is no name of a trace; write trace=night, or trace=none/],
    [
      'at 1s set a--b overhead=token-ring',
      /no overhead of a frame; write overhead=ethernet, or overhead=none/,
    ],
    ['at 1s set a--b mtu=576', /"576" is not 1280 to 9216 bytes; write a number of bytes from 1280 on/],
    ['at 1s set a--b rules="drop only icmp; drop 3 only tcp"', /"3" is no part of all packets.*drop 3rd/],
    ['at 1s set a--b rules=""', /there is no rule/],
    ['at 1s set a--b lossmodel=none', /no property "lossmodel".*loss_model/],
  ])('%s', (line, message) => {
    expect(mistakes(line)).toEqual([expect.stringMatching(message)]);
  });

  it('two at one instant contradict each other', () => {
    expect(mistakes('at 1s set a--b slots=5ms', 'at 1s set a--b slots=6ms')).toEqual([
      expect.stringMatching(/gets another slots than from/),
    ]);
  });

  it('a trace that has no file is refused in its place', () => {
    const wrong = (traces: string): string[] => {
      try {
        load('latency: 1ms', [], traces);
      } catch (error) {
        return (error as TopologyError).diagnostics.map(({ field, message }) => `${field}: ${message}`);
      }
      return [];
    };
    expect(wrong('{ night: day.csv }')).toEqual([expect.stringMatching(/^traces\.night: .*day\.csv/)]);
    expect(wrong('night.csv')).toEqual(['traces: this is no mapping']);
  });
});
