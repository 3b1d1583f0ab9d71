import { describe, expect, it } from 'vitest';
import { annotationsOf, junitOf, tapOf } from '../../../controller/expect/report/files.ts';
import { outcomeOf, wilson } from '../../../controller/expect/result.ts';
import type { Evidence } from '../../../topology/judge/evidence.ts';
import { judge } from '../../../topology/judge/judge.ts';
import { loadTopology } from '../../../topology/load.ts';
import type { Expectation } from '../../../topology/model/expectations.ts';

function expectation(line: string): Expectation {
  const text = `services: { a: { run: x }, b: { run: x }, w: { run: x, replicas: 3 } }\nlinks: [{ from: a, to: b, latency: 1ms }]\nexpect:\n  - '${line}'\n`;
  return loadTopology(text, 'lab.yaml').topology.expectations![0]!;
}

/** Ten seconds, with five requests a second of which those from 4 s to 6 s had no answer. */
const PROBES = Array.from({ length: 50 }, (_, index) => {
  const sentMs = index * 200;
  return { sentMs, tookMs: sentMs >= 4000 && sentMs < 6000 ? null : 10 + (index % 5) };
});
const NOTHING: Evidence = {
  ...{ endedMs: 10_000, endpoints: ['a.0', 'b.0', 'w.0', 'w.1', 'w.2'] },
  ...{ probes: () => [], datagrams: () => [], rates: () => [], roundTrips: () => [] },
  ...{ logged: () => [], numbers: () => [] },
  ...{ exit: () => undefined, lives: () => [], neverRan: () => undefined },
  ...{ events: [], doubts: [] },
};
const hit = (tMs: number, place: number) => ({ tMs, place });
const life = (tMs: number, runs: boolean) => ({ tMs, runs });
const SEEN: Evidence = {
  ...NOTHING,
  probes: (from, to) => (from === 'a.0' && to === 'b.0' ? PROBES : []),
  rates: () =>
    Array.from({ length: 10 }, (_, second) => ({ tMs: second * 1000, rateBps: second < 5 ? 0 : 8e6 })),
  exit: () => ({ tMs: 7000, how: 'exited with 0' }),
  logged: (_, text) =>
    text === 'early'
      ? [hit(1000, 5), hit(8000, 90)]
      : text === 'late'
        ? [hit(8000, 50)]
        : text === 'same'
          ? [hit(1000, 9)]
          : [],
  numbers: (_, text) =>
    text === 'took' ? [1.5, -2, 40, 3].map((value, second) => ({ tMs: 1000 * second, value })) : [],
  datagrams: () => PROBES.map(({ sentMs }) => ({ sentMs, tookMs: sentMs < 5000 ? 5 : 7 })),
  roundTrips: () => [
    { tMs: 1000, roundTripMs: 12 },
    { tMs: 2000, roundTripMs: 14 },
  ],
  lives: (endpoint) =>
    endpoint === 'w.0' || endpoint === 'a.0'
      ? [life(20, true)]
      : endpoint === 'w.1'
        ? [life(20, true), life(5000, false)]
        : [life(20, false), life(3000, true)],
  events: [{ dueMs: 4000, text: 'at 4s partition a | b' }],
};

const found = (line: string, evidence = SEEN) => {
  const { outcome, seen, atMs } = judge(expectation(line), evidence);
  return { outcome, seen, atMs };
};
const outcome = (line: string, evidence = SEEN) => found(line, evidence).outcome;

describe('an expectation', () => {
  it('of round trips is judged by its statistic, over its window', () => {
    expect(outcome('rtt a b < 13ms')).toBe('holds');
    expect(outcome('rtt a b max < 13ms')).toBe('fails');
    expect(outcome('rtt a b min = 10ms')).toBe('holds');
    expect(outcome('rtt a b from 4s to 5s < 13ms')).toBe('fails');
    expect(outcome('rtt b a < 13ms')).toBe('inconclusive');
  });
  it('of losses counts requests', () => {
    expect(found('loss a b = 20%')).toMatchObject({ outcome: 'holds', seen: '20% of 50' });
    expect(outcome('loss a b from 0s to 3s = 0%')).toBe('holds');
    expect(outcome('loss a b from 0s to 5s < 1%')).toBe('fails');
  });
  it('of rates and bytes has the seconds in which nothing was sent', () => {
    expect(outcome('rate a b = 4Mbps')).toBe('holds');
    expect(outcome('rate a b from 5s to 9s >= 8Mbps')).toBe('holds');
    expect(outcome('rate a b min > 1Mbps')).toBe('fails');
    expect(found('bytes a b = 5MB')).toMatchObject({ outcome: 'holds', seen: '5.000 MB' });
  });
  it('of reachability is about outages, not about loss', () => {
    expect(found('reach a b')).toEqual({ outcome: 'fails', seen: 'not for 1.8s from 4s on', atMs: 4000 });
    expect(outcome('reach a b from 0s to 3s')).toBe('holds');
    expect(outcome('reach a b by 1s')).toBe('holds');
    expect(outcome('no reach a b from 4s to 5s')).toBe('holds');
    expect(found('no reach a b from 4s to 7s')).toMatchObject({ outcome: 'fails', atMs: 6000 });
    expect(found('reach a b within 2s after 4s')).toMatchObject({ outcome: 'holds', seen: 'after 2s' });
    expect(outcome('reach a b within 1s after "partition"')).toBe('fails');
    expect(outcome('reach a b within 1s after "heal"')).toBe('inconclusive');
  });
  it('of exits knows the code and the time', () => {
    expect(outcome('exit a 0')).toBe('holds');
    expect(found('exit a 1')).toMatchObject({ outcome: 'fails', seen: 'exited with 0 at 7s', atMs: 7000 });
    expect(outcome('exit a 0 by 6s')).toBe('fails');
    expect(outcome('exit a 0', NOTHING)).toBe('fails');
    expect(outcome('exit a 0 by 20s', NOTHING)).toBe('inconclusive');
  });
  it('of logs knows when, and in which order', () => {
    expect(outcome('log a contains "early" by 2s')).toBe('holds');
    expect(outcome('log a contains "late" by 2s')).toBe('fails');
    expect(outcome('log a lacks "late" by 2s')).toBe('holds');
    expect(found('log a lacks "early"')).toMatchObject({ outcome: 'fails', atMs: 1000 });
    expect(outcome('log a contains "early" before log b "late"')).toBe('holds');
    expect(outcome('log a contains "late" before log b "early"')).toBe('fails');
    expect(outcome('log a contains "late" before log b "late"')).toBe('inconclusive');
    expect(outcome('log a contains "never" by 20s')).toBe('inconclusive');
    expect(found('number a "took" = 2.25')).toMatchObject({ outcome: 'holds', seen: '2.25 (of 4 numbers)' });
    expect(outcome('number a "took" max from 0s to 1s > 1.4')).toBe('holds');
    expect(outcome('number a "took" min < -2')).toBe('fails');
    expect(outcome('number a "took" p99 < 100 from 1s to 20s')).toBe('inconclusive');
    expect(found('number a "lasted" < 1')).toMatchObject({
      outcome: 'fails',
      seen: 'it wrote no number behind "lasted"',
    });
  });
  it('of latency is judged by datagrams, of traffic by its own connections', () => {
    expect(outcome('latency a b = 6ms')).toBe('holds');
    expect(outcome('latency a b from 0s to 4s <= 5ms')).toBe('holds');
    expect(outcome('rtt a b of traffic max = 14ms')).toBe('holds');
    expect(outcome('rtt a b of traffic from 5s to 9s < 1s')).toBe('inconclusive');
  });
  it('of every stretch names the first that breaks it', () => {
    expect(found('always loss a b over 2s <= 60% from 0s to 5s')).toMatchObject({ outcome: 'holds' });
    expect(found('always rtt a b over 1s < 13ms from 0s to 3s')).toMatchObject({
      ...{ outcome: 'holds', atMs: null },
      seen: expect.stringMatching(/^at worst 12\.5ms /),
    });
    expect(found('always loss a b over 1s < 1%')).toMatchObject({
      ...{ outcome: 'fails', atMs: 3000 },
      seen: expect.stringMatching(/from 3s to 4s, the first of \d+ of \d+ such times$/),
    });
    // Nothing comes back: no comparison holds.
    expect(outcome('always rtt a b over 1s > 1ms from 3s to 7s')).toBe('fails');
    expect(outcome('always rate a b over 2s < 9Mbps')).toBe('holds');
  });
  it('of some stretch looks for one that holds', () => {
    expect(found('eventually rate a b over 2s >= 8Mbps by 9s')).toMatchObject({
      ...{ outcome: 'holds', seen: '8Mbps in 2 s from 4.2s to 6.2s' },
    });
    expect(found('eventually rate a b over 2s >= 8Mbps by 6s')).toMatchObject({
      ...{ outcome: 'fails', atMs: 6000, seen: expect.stringMatching(/^at best /) },
    });
    expect(found('after "partition" within 4s loss a b over 1s = 0%')).toMatchObject({
      ...{ outcome: 'holds', seen: '0% of 6 from 2s to 3s after it' },
    });
    expect(outcome('after "partition" within 2s loss a b over 1s = 0%')).toBe('fails');
    expect(outcome('after "heal" within 2s loss a b over 1s = 0%')).toBe('inconclusive');
  });
  it('that a path closes is a silence of a second', () => {
    expect(found('after "partition" within 1s no reach a b')).toMatchObject({
      ...{ outcome: 'holds', seen: 'after 0ms' },
    });
    expect(found('eventually no reach a b by 3s')).toMatchObject({ outcome: 'fails', seen: 'at 4s' });
    expect(outcome('after 6s within 2s no reach a b')).toBe('fails');
    expect(outcome('after log a "early" within 4s no reach a b')).toBe('holds');
    expect(outcome('after log a "never" within 4s no reach a b')).toBe('inconclusive');
  });
  it('of processes counts endpoints whose command runs', () => {
    expect(found('processes w >= 2')).toMatchObject({ outcome: 'holds', seen: '2, then 3' });
    expect(found('always processes w = 3 from 4s to 9s')).toEqual({
      ...{ outcome: 'fails', seen: '2 at 5s', atMs: 5000 },
    });
    expect(found('processes w = 2 at 2s')).toMatchObject({ outcome: 'holds', seen: '2' });
    expect(outcome('processes w = 3 at 4s')).toBe('holds');
    expect(outcome('always processes w >= 2 from 1s to 4s')).toBe('holds');
    expect(found('eventually processes w = 3 by 9s')).toMatchObject({ outcome: 'holds', seen: '3 at 3s' });
    expect(outcome('eventually processes w = 3 by 2s')).toBe('fails');
    expect(found('after "partition" within 3s processes w = 2')).toMatchObject({ seen: '2 after 1s' });
    expect(outcome('processes w = 3', NOTHING)).toBe('inconclusive');
  });
  it('says of an application that it was never started', () => {
    const waiting = { ...NOTHING, neverRan: () => 'waits for b' };
    expect(found('exit a 0', waiting).seen).toBe('its command was never started: it waits for b at 10s');
    expect(found('log a contains "x"', waiting).seen).toBe(
      'it was not written (a.0 was never started: it waits for b)',
    );
  });
  it('of two texts of one endpoint is judged by their places', () => {
    expect(outcome('log a contains "early" before log a "same"')).toBe('holds');
    expect(outcome('log a contains "same" before log a "early"')).toBe('fails');
    expect(outcome('log a contains "same" before log b "early"')).toBe('inconclusive');
  });
  it('is not judged before its time', () => {
    expect(found('rtt a b from 5s to 11s < 1s')).toMatchObject({
      outcome: 'inconclusive',
      seen: 'the run ended at 10s',
    });
  });
  it('that fails in a run that was not faithful is not blamed on the application', () => {
    const doubted = { ...SEEN, doubts: ['host0: late'] };
    expect(found('rtt a b max < 13ms', doubted)).toMatchObject({ outcome: 'inconclusive' });
    expect(found('rtt a b max < 13ms', doubted).seen).toContain('host0: late');
    expect(outcome('rtt a b < 13ms', doubted)).toBe('holds');
    expect(outcome('verdict faithful', doubted)).toBe('inconclusive');
    expect(outcome('verdict faithful')).toBe('holds');
  });
});

describe('results', () => {
  const judgements = ['rtt a b < 13ms', 'rtt a b max < 13ms', 'rtt b a < 1ms'].map((line) =>
    judge(expectation(line), SEEN),
  );
  const results = [{ file: 'a <b>.yaml', run: 1, seconds: 1.5, outcome: outcomeOf(judgements), judgements }];

  it('fail if one fails', () => {
    expect(outcomeOf(judgements)).toBe('fails');
    expect(outcomeOf([judgements[0]!, judgements[2]!])).toBe('inconclusive');
    expect(outcomeOf([judgements[0]!])).toBe('holds');
  });
  it('are JUnit XML, whatever names contain', () => {
    const xml = junitOf(results);
    expect(xml).toContain('tests="3" failures="1" errors="1"');
    expect(xml).toContain('name="a &lt;b&gt;.yaml"');
    expect(xml).toContain('<failure message="14ms');
  });
  it('are TAP', () => {
    const lines = tapOf(results).split('\n');
    expect(lines.slice(0, 3)).toEqual(['TAP version 14', '1..3', 'ok 1 - a <b>.yaml: rtt a b < 13ms']);
    expect(lines[3]).toBe('not ok 2 - a <b>.yaml: rtt a b max < 13ms');
  });
  it('are annotations at the line of the file', () => {
    const [first, second] = annotationsOf(results);
    expect(first).toMatch(/^::error file=lab\.yaml,line=4,col=\d+,title=netfold::rtt a b max < 13ms: 14ms/);
    expect(second).toMatch(/^::warning /);
  });
  it('have a confidence interval', () => {
    // Wilson's interval of 8 of 10: 0.490 to 0.943.
    expect(wilson(8, 10).low).toBeCloseTo(0.49, 3);
    expect(wilson(8, 10).high).toBeCloseTo(0.943, 3);
    expect(wilson(10, 10).high).toBe(1);
  });
});
