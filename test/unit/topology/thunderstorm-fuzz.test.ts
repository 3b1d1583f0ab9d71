import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTopology, TopologyError } from '../../../topology/load.ts';
import { timelineRows } from '../../../topology/report/timeline.ts';
import { XML, YAML } from './thunderstorm-support.ts';

const RUNS = 300;
const SCRIPT = `bootstrapper b:1
service extra image=a:1 replicas=2 share command=['x', '1'] tags=edge
bridges s8 s9
bridge s7 tags=core
link extra--s1 latency=1.5 jitter=0.1 drop=0.01 up=10Mbps down=1Mbps network=n tags=trunk
at 0s client join 2
at 5s tags=edge core leave 50%
at 6s client--s1 set latency=200% up=5Mbps symmetric
from 7s to 9s client--s1 flap 0.5s
from 10s to 20s client churn 50% replace 20%
from 20s to 30s server disconnect 1
at 31s partition client;server
churn 1
at 1d quit`;
const PIECES = [
  '',
  '0',
  '-1',
  '%',
  '=',
  ';',
  '#',
  '[',
  ']',
  "'",
  '--',
  '->',
  '\n',
  '\u0000',
  'tags=',
  'at 1s ',
  'from 1s to 2s ',
  'churn ',
  '99999999999',
  '__proto__',
  '1d',
  '1e9',
  's1',
  'client',
  '💧',
];

const mutated = fc
  .array(
    fc.record({
      at: fc.nat(SCRIPT.length),
      remove: fc.nat(12),
      insert: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 5 })),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((edits) =>
    edits.reduce(
      (current, { at, remove, insert }) => current.slice(0, at) + insert + current.slice(at + remove),
      SCRIPT,
    ),
  );

/** Loads and plays; anything but a timeline or a `TopologyError` with places escapes and fails the test. */
function survives(script: string, [text, file]: readonly [string, string]): void {
  try {
    timelineRows(loadTopology(text, file, { file: 'storm.tdl', text: script }).topology);
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    for (const { line, column, message } of error.diagnostics) {
      expect(Math.min(line, column)).toBeGreaterThanOrEqual(1);
      expect(message).not.toBe('');
    }
  }
}

const BASES = fc.constantFrom<readonly [string, string]>(
  [YAML, 'net.yaml'],
  [XML, 'net.xml'],
  ['service z image=i\nservice y image=i', 'net.tdl'],
);

describe('any script gives a timeline or a TopologyError', { timeout: 60_000 }, () => {
  it('as the one that the mutations start from does', () => {
    expect(() => loadTopology(YAML, 'net.yaml', { file: 'storm.tdl', text: SCRIPT })).not.toThrow();
  });

  it('when it is arbitrary', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), BASES, survives), {
      numRuns: RUNS,
      seed: 6,
    });
  });

  it('when it is a valid one with mistakes', () => {
    fc.assert(fc.property(mutated, BASES, survives), { numRuns: RUNS, seed: 7 });
  });

  it('when it asks for more than can be listed', () => {
    const many = (line: string): string => Array.from({ length: 60_000 }, () => line).join('\n');
    const services = Array.from({ length: 500 }, (_, i) => `<service name="n${i}" image="i" tags="t"/>`).join(
      '',
    );
    const big = `<experiment><services>${services}</services></experiment>`;
    for (const line of ['at 1s crash 1', 'at 1s tags=t leave 1', 'at 1s join', 'from 1s to 2s leave 65535']) {
      expect(() => loadTopology(big, 'big.xml', { file: 'storm.tdl', text: many(line) })).toThrow(
        TopologyError,
      );
    }
  });
});
