/** What is seen of a run while it goes on. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Datagrams } from '../../../controller/expect/datagrams.ts';
import { LogWatch } from '../../../controller/expect/log-watch.ts';
import { NumberWatch } from '../../../controller/expect/number-watch.ts';
import { StatusWatch } from '../../../controller/expect/status-watch.ts';
import type { AgentStatus } from '../../../proto/status.ts';

describe('a log', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'netfold-log-'));
    file = join(folder, 'a.0.log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is looked through for texts, with their times and places', () => {
    const watch = new LogWatch(file, ['ready', 'a much longer text']);
    watch.look(100);
    writeFileSync(file, 'not yet rea');
    watch.look(200);
    appendFileSync(file, 'dy, and so on');
    watch.look(300);
    watch.look(400);
    expect(watch.hits('ready')).toEqual([{ tMs: 300, place: 8 }]);
    appendFileSync(file, ' ready');
    watch.look(500);
    expect(watch.hits('ready').map(({ tMs }) => tMs)).toEqual([300, 500]);
    expect(watch.hits('a much longer text')).toEqual([]);
  });
  it('finds texts of any language, and goes on where it was emptied', () => {
    const watch = new LogWatch(file, ['grün', 'ende']);
    writeFileSync(file, 'die Ampel ist grün\n');
    watch.look(1);
    writeFileSync(file, 'ende\n');
    watch.look(2);
    const [[green], [end]] = [watch.hits('grün'), watch.hits('ende')];
    expect(green).toMatchObject({ tMs: 1 });
    expect(end!.place).toBeGreaterThan(green!.place);
  });
});

describe('numbers in a log', () => {
  it('are those behind a text, of whole lines, with their times', () => {
    const folder = mkdtempSync(join(tmpdir(), 'netfold-numbers-'));
    const file = join(folder, 'a.0.log');
    const watch = new NumberWatch(file, ['took', 'größe=']);
    watch.look(50);
    writeFileSync(file, 'took 12.5 ms, then took: 3\nit took long\ngröße=-1e3\ntook 4');
    watch.look(100);
    expect(watch.numbers('took').map(({ value }) => value)).toEqual([12.5, 3]);
    expect(watch.numbers('größe=')).toEqual([{ tMs: 100, value: -1000 }]);
    appendFileSync(file, '2\nalmost took .5');
    watch.look(200);
    expect(watch.numbers('took').at(-1)).toEqual({ tMs: 200, value: 42 });
    watch.end(300);
    expect(watch.numbers('took').at(-1)).toEqual({ tMs: 300, value: 0.5 });
    expect(watch.numbers('other')).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe('what agents tell', () => {
  const status = (words: Record<string, string>, more: Partial<AgentStatus> = {}): AgentStatus =>
    ({ host: 'host0', endpoints: ['a.0', 'b.0'], processes: words, ...more }) as AgentStatus;

  it('is which commands run, and how they ended', () => {
    const watch = new StatusWatch();
    watch.take(100, [status({ 'a.0': 'is about to start', 'b.0': 'waits for a' })], ['host0']);
    watch.take(600, [status({ 'a.0': 'pid 7, not ready yet', 'b.0': 'waits for a' })], ['host0']);
    expect(watch.neverRan('a.0')).toBeUndefined();
    expect(watch.neverRan('b.0')).toBe('waits for a');
    watch.take(1100, [status({ 'a.0': 'exited with 0, ready', 'b.0': 'failed: spawn ENOENT' })], ['host0']);
    expect(watch.exit('a.0')).toEqual({ tMs: 1100, how: 'exited with 0' });
    expect(watch.exit('b.0')).toEqual({ tMs: 1100, how: 'failed: spawn ENOENT' });
    expect(watch.lives('a.0')).toEqual([
      { tMs: 100, runs: false },
      { tMs: 600, runs: true },
      { tMs: 1100, runs: false },
    ]);
    watch.take(1600, [status({ 'a.0': 'pid 9' })], ['host0']);
    expect(watch.exit('a.0')).toBeUndefined();
    expect(watch.doubts).toEqual([]);
  });
  it('is why the run is not faithful, and so is an agent that does not answer', () => {
    const watch = new StatusWatch();
    const cause = { code: 'LATE', host: 'host0', path: null, message: 'packets left late' };
    const verdict = { causes: [cause] } as unknown as NonNullable<AgentStatus['verdict']>;
    watch.take(1000, [status({}, { verdict })], ['host0']);
    watch.take(2000, [status({}, { verdict })], ['host0']);
    expect(watch.doubts).toEqual(['host0: packets left late']);
    watch.take(4000, [], ['host0']);
    expect(watch.doubts).toHaveLength(1);
    watch.take(8000, [], ['host0']);
    expect(watch.doubts).toHaveLength(2);
  });
});

describe('datagrams', () => {
  it('say how long they took', { timeout: 40_000 }, async () => {
    const here = {
      name: 'a.0',
      namespace: '',
      address: '127.0.0.1',
      inside: (words: readonly string[]) => [...words],
    };
    const datagrams = new Datagrams(here, here, 20, Date.now());
    try {
      const arrived = () => datagrams.probes.filter(({ tookMs }) => tookMs !== null).length;
      await vi.waitUntil(() => arrived() > 5, { timeout: 30_000, interval: 50 });
    } finally {
      datagrams.stop();
    }
    expect(datagrams.problem).toBeUndefined();
    const sent = datagrams.probes.map(({ sentMs }) => sentMs);
    expect(sent).toEqual(sent.toSorted((a, b) => a - b));
    for (const { tookMs } of datagrams.probes) if (tookMs !== null) expect(tookMs).toBeGreaterThanOrEqual(0);
  });
});
