import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology, TopologyError } from '../../../topology/load.ts';
import { XML } from '../../fuzz/texts.ts';

/** As many as fit before a commit; raise it to hunt. */
const RUNS = 300;

const YAML = `name: fuzz
routing: hops
services:
  client: { replicas: 3, run: "iperf3 -c server", tags: [edge], share: true }
  server: { image: "a:1", command: [x, y], forward: true }
bridges: { s1: { tags: [core] }, s2: {} }
links:
  - { from: client, to: s1, latency: 5ms, jitter: 250us, distribution: pareto, loss: 0.1%, bandwidth: 100Mbps, queue: 200 packets }
  - { from: s1, to: s2, latency: 10ms, up: 60Mbps, down: 5Mbps }
  - { from: server, to: s2, oneway: true }
events:
  - at 5s crash client 2
  - at 6s join client.1 tag:edge
  - from 7s to 9s flap s1--s2 every 500ms
  - from 7s to 9s churn client 50% every 1s replace seed 4
  - at 9s set tag:x s1->s2 latency=200% loss=+1% up=5Mbps
  - at 10s partition client | server
  - at 11s run server "echo hi"
  - at 12s quit
`;
const PIECES = [
  '',
  '0',
  '-1',
  '1e9',
  'NaN',
  '{',
  '}',
  '[',
  ']',
  ': ',
  '"',
  "'",
  '\n',
  '\t',
  '- ',
  '*a',
  '&a ',
  '|',
  '<',
  '>',
  '&amp;',
  '&x;',
  '<!--',
  '-->',
  ']]>',
  '%',
  '=',
  '__proto__',
  'constructor',
  '.0',
  '--',
  '->',
  'client',
  '\u0000',
  '\u2028',
  '😀',
  '<!DOCTYPE x>',
];

/** A valid file with a few places overwritten, cut out or doubled. */
const mutated = (text: string) =>
  fc
    .array(
      fc.record({
        at: fc.nat(text.length),
        remove: fc.nat(12),
        insert: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 5 })),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((edits) =>
      edits.reduce(
        (current, { at, remove, insert }) => current.slice(0, at) + insert + current.slice(at + remove),
        text,
      ),
    );

/** Loads, and uses what it gives; anything but a topology or a `TopologyError` escapes and fails the test. */
function survives(text: string, file: string): void {
  const start = performance.now();
  try {
    const { topology } = loadTopology(text, file);
    const graph = expandGraph(topology);
    new Folding(graph).path(0, graph.endpoints.length - 1);
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    expect(error.diagnostics.length).toBeGreaterThan(0);
    for (const { line, column, message } of error.diagnostics) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(message).not.toBe('');
    }
  }
  // Small files take about a millisecond; seconds mean that something grows without bound.
  expect(performance.now() - start).toBeLessThan(5000);
}

describe('any text gives a topology or a TopologyError', { timeout: 60_000 }, () => {
  it('as the file that the mutations start from does', () => {
    expect(() =>
      loadTopology(YAML.replace(/ {2}- at 6s.*\n| {2}- at 9s set.*\n/g, ''), 'a.yaml'),
    ).not.toThrow();
    expect(() => loadTopology(XML, 'a.xml')).not.toThrow();
  });

  it('when it is arbitrary', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.constantFrom('a.yaml', 'a.xml', 'a'),
        survives,
      ),
      { numRuns: RUNS, seed: 1 },
    );
  });

  it('when it is made of pieces of both formats', () => {
    const text = fc.array(
      fc.constantFrom(
        ...PIECES,
        'services:',
        'links:',
        'a: {}',
        '<experiment>',
        '<services>',
        '<service name="a"/>',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(text, fc.constantFrom('a.yaml', 'a.xml', 'a'), (pieces, file) =>
        survives(pieces.join(''), file),
      ),
      { numRuns: RUNS, seed: 2 },
    );
  });

  it('when it is a valid native file with mistakes', () => {
    fc.assert(
      fc.property(mutated(YAML), (text) => survives(text, 'a.yaml')),
      { numRuns: RUNS, seed: 3 },
    );
  });

  it('when it is a valid file of the Kollaps dialect with mistakes', () => {
    fc.assert(
      fc.property(mutated(XML), (text) => survives(text, 'a.xml')),
      { numRuns: RUNS, seed: 4 },
    );
  });

  it('when its event lines have mistakes', () => {
    const lines = YAML.slice(YAML.indexOf('  - at 5s'))
      .split('\n')
      .map((line) => line.slice(4))
      .filter((line) => line !== '');
    const line = fc.constantFrom(...lines).chain(mutated);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (events) => {
        survives(
          JSON.stringify({
            services: { client: { replicas: 3, tags: ['edge'] }, server: {} },
            bridges: ['s1', 's2'],
            links: [{ from: 's1', to: 's2' }],
            events,
          }),
          'a.yaml',
        );
      }),
      { numRuns: RUNS, seed: 5 },
    );
  });
});
