import { describe, expect, it } from 'vitest';
import { Happened } from '../../../controller/record/happened.ts';
import { fileEventsOf } from '../../../controller/record/open.ts';
import type { Command } from '../../../proto/command.ts';
import type { RunLogEntry, RunLogFacts } from '../../../proto/run-log.ts';
import { loadTopology } from '../../../topology/load.ts';

let position = 0;
const entry = (facts: RunLogFacts, atMs: number | null = 0): RunLogEntry => ({
  ...facts,
  position: position++,
  atMicros: atMs === null ? null : atMs * 1000,
});
const command = (text: string, atMs: number, number = 1): Command => ({
  ...{ origin: 'host0', incarnation: 1, number, text },
  issuedAt: 0,
  at: atMs * 1000,
});
const given = (one: Command) => entry({ kind: 'command', command: one, by: 'user alice' });
const outcome = (one: Command, state: 'done' | 'failed' | 'undone' | 'pending', atMs = 0) =>
  entry({ kind: 'outcome', command: one, state }, atMs);
const epoch = (dueMs: number, settledMs: number) =>
  entry({
    ...{ kind: 'epoch', epoch: 1 },
    ...{ dueMicros: dueMs * 1000, appliedMicros: settledMs * 1000, settledMicros: settledMs * 1000 },
  });

describe('what happened', () => {
  it('is the events of the file, a second after they were due, with when the last host had them in force', () => {
    const happened = new Happened([{ dueMs: 500, untilMs: null, text: 'at 500ms heal' }]);
    happened.take('host0', [epoch(500, 503)]);
    happened.take('host1', [epoch(500, 507)]);
    expect(happened.batch(1499).events).toEqual([]);
    const { events, epochs } = happened.batch(1500);
    expect(events).toEqual([
      { tMs: 507, dueMs: 500, untilMs: null, origin: 'file', text: 'at 500ms heal', outcome: null },
    ]);
    expect(epochs).toEqual([]);
    expect(happened.batch(9999).events).toEqual([]);
  });
  it('goes on after the events and commands that an earlier process has written', () => {
    const events = [100, 200, 300].map((dueMs) => ({ dueMs, untilMs: null, text: `at ${dueMs}` }));
    const one = command('heal', 400);
    const written = [
      ...events.slice(0, 2).map(({ dueMs, text }) => ({ dueMs, text, origin: 'file' })),
      { dueMs: 400, text: 'heal', origin: 'user alice' },
    ];
    const happened = new Happened(events, written);
    happened.take('host0', [given(one), outcome(one, 'done', 401)]);
    expect(happened.batch(5000).events.map(({ text }) => text)).toEqual(['at 300']);
  });
  it('is each command once, whichever host tells first, with who gave it', () => {
    const happened = new Happened([]);
    const one = command('set a--b latency=5ms', 2000);
    happened.take('host1', [given(one), outcome(one, 'pending')]);
    happened.take('host0', [given(one), epoch(2000, 2004), outcome(one, 'done', 2004)]);
    happened.take('host1', [outcome(one, 'done', 2006), outcome(one, 'undone', 9000)]);
    expect(happened.batch(3000).events).toEqual([
      { tMs: 2004, dueMs: 2000, untilMs: null, origin: 'user alice', text: one.text, outcome: 'done' },
    ]);
    expect(happened.last(9000).events).toEqual([]);
  });
  it('tells of commands that changed nothing, and at the end of those that were not due', () => {
    const happened = new Happened([]);
    const [failed, late] = [command('crash a', 100, 1), command('heal', 60_000, 2)];
    happened.take('host0', [given(failed), outcome(failed, 'failed', 101), given(late)]);
    const events = [...happened.batch(1000).events, ...happened.last(2000).events];
    expect(events).toMatchObject([
      { tMs: null, outcome: 'failed' },
      { tMs: null, outcome: 'pending', dueMs: 60_000 },
    ]);
  });
  it('is what the verdict was, until the last cause of any host has gone', () => {
    const happened = new Happened([]);
    const cause = (code: string, weight: 'degraded' | 'invalid', present: boolean) =>
      entry({ kind: 'cause', code, weight, present, host: 'host1', path: null, message: code });
    happened.take('host0', [cause('CPU_SATURATED', 'degraded', true)]);
    happened.take('host1', [cause('RTT_SHORT', 'invalid', true), cause('RTT_SHORT', 'invalid', false)]);
    happened.take('host0', [cause('CPU_SATURATED', 'degraded', false)]);
    expect(happened.batch(0).verdicts.map(({ state, code }) => [state, code])).toEqual([
      ['degraded', 'CPU_SATURATED'],
      ['invalid', 'RTT_SHORT'],
      ['degraded', 'RTT_SHORT'],
      ['faithful', 'CPU_SATURATED'],
    ]);
  });
});

it('events of a file with variables are told as they came out, whatever its lines', () => {
  const text = `
vars: { away: 30ms }


services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 1ms }
events:
  - from 1s to 2s set a--b latency=${'${away}'}
  - at 3s heal
`;
  const { topology, expanded } = loadTopology(text, 'lab.yaml');
  const source = { file: 'lab.yaml', text: expanded!() };
  expect(source.text).not.toBe(text);
  expect(fileEventsOf({ source, topology })).toEqual([
    { dueMs: 1000, untilMs: 2000, text: 'from 1s to 2s set a--b latency=30ms' },
    { dueMs: 3000, untilMs: null, text: 'at 3s heal' },
  ]);
});
