import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  changesSince,
  type Description,
  readDescription,
  writeDescription,
} from '../../../controller/record/description.ts';
import { findRecord } from '../../../controller/record/folders.ts';
import { joinAtEnd } from '../../../controller/record/parts/at-end.ts';
import { joinParts, readPart } from '../../../controller/record/parts/join.ts';
import { joinedEvents, joinedVerdicts, linesInOrder } from '../../../controller/record/parts/told.ts';
import { readRecord, rows, withDatabase } from '../../../controller/record/read.ts';
import { complete } from '../../../controller/record/recorder.ts';
import { thisWriter } from '../../../controller/record/writer.ts';
import { agent, flow, makeRecord, path, type Recorded } from '../../support/records.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-parts-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const RUN = { experiment: 'wan', start: 'x7' };
const described = (
  host: string,
  endpoint: string,
  more: Partial<Description> = {},
): Partial<Description> => ({
  ...{
    hosts: [host],
    endpoints: 1,
    placement: { [endpoint]: host },
    run: RUN,
    seeds: { [host]: 1 },
    ...more,
  },
});

/** What the host of `endpoint` writes: its own flow, path and cost. */
const part = (host: string, endpoint: string, other: string, more: Recorded = {}): Promise<string> =>
  makeRecord(join(root, `${host}@1`), {
    seconds: 10,
    moment: (second) => ({
      tMs: 1000 * second + 3,
      flows: [flow(endpoint, other, 1e6)],
      paths: [path(endpoint, other, 20)],
      agents: [agent(host, second)],
    }),
    ...more,
    description: described(host, endpoint, more.description),
  });

const EVENT = {
  tMs: 2001,
  dueMs: 2000,
  untilMs: null,
  origin: 'user',
  text: 'set s--b latency=9ms',
  outcome: 'done',
};

const samplesOf = (folder: string): unknown[] =>
  withDatabase(folder, (database) =>
    rows(
      database,
      'SELECT source, count(*) AS n, max(t_ms) AS last FROM flow_sample GROUP BY source ORDER BY source',
    ),
  );

describe('parts of a run', () => {
  it('become one record, with all that each host saw', async () => {
    const a = await part('host-a', 'a.0', 'b.0', {
      events: [EVENT],
      epochs: [{ host: 'host-a', epoch: 1, dueMs: 2000, appliedMs: 2001, settledMs: 2001 }],
      description: { clocks: { 'host-a': { reference: 'host-a', offsetMs: 0, errorMs: 0 } } },
    });
    const b = await part('host-b', 'b.0', 'a.0', {
      events: [{ ...EVENT, tMs: 2004, outcome: 'pending' }],
      epochs: [{ host: 'host-b', epoch: 1, dueMs: 2000, appliedMs: 2004, settledMs: 2004 }],
      description: { clocks: { 'host-b': { reference: 'host-a', offsetMs: 1.5, errorMs: 0.2 } } },
    });
    mkdirSync(join(a, 'logs'));
    mkdirSync(join(b, 'logs'));
    writeFileSync(join(a, 'logs', 'a.0.log'), 'of a');
    writeFileSync(join(b, 'logs', 'a.0.log'), 'other');
    appendFileSync(join(a, 'events.ndjson'), '{"host":"host-a","kind":"state","atMicros":20}\n');
    appendFileSync(join(b, 'events.ndjson'), '{"host":"host-b","kind":"state","atMicros":10}\n{"cut');
    const folder = await joinParts([readPart(a), readPart(b)], join(root, 'all'));

    const { description, events, agents, state } = readRecord(folder);
    expect(state).toBe('complete');
    expect(description).toMatchObject({
      ...{ hosts: ['host-a', 'host-b'], endpoints: 2, placement: { 'a.0': 'host-a', 'b.0': 'host-b' } },
      clocks: { 'host-a': { offsetMs: 0 }, 'host-b': { offsetMs: 1.5 } },
    });
    expect(description.parts?.map(({ hosts }) => hosts)).toEqual([['host-a'], ['host-b']]);
    expect(samplesOf(folder)).toEqual([
      { source: 'a.0', n: 10, last: 9003 },
      { source: 'b.0', n: 10, last: 9003 },
    ]);
    expect(events).toEqual([{ ...EVENT, tMs: 2004 }]);
    expect(agents.map(({ host }) => host)).toEqual(['host-a', 'host-b']);
    expect(
      readFileSync(join(folder, 'events.ndjson'), 'utf8')
        .split('\n')
        .map((line) => line.slice(9, 15)),
    ).toEqual(['host-b', 'host-a', '']);
    expect(readFileSync(join(folder, 'logs', 'a.0.log'), 'utf8')).toBe('of a');
    expect(readFileSync(join(folder, 'logs', 'a.0~2.log'), 'utf8')).toBe('other');
    expect(await changesSince(folder, description)).toEqual([]);
    // The parts were given files after their end here, which is told.
    expect(description.problems).toContain('of host-a (host-a@1): logs/a.0.log was added');
  });

  it('keep what each host has told of its clock', async () => {
    const clocked = (host: string, endpoint: string) =>
      makeRecord(join(root, `${host}@c`), {
        seconds: 3,
        moment: () => ({
          agents: [],
          clocks: [{ host, reference: 'host-a', offsetMs: 1.5, errorMs: 0.5 }],
        }),
        description: described(host, endpoint),
      });
    const parts = [readPart(await clocked('host-b', 'b.0')), readPart(await clocked('host-c', 'c.0'))];
    const folder = await joinParts(parts, join(root, 'all'));
    const rows = withDatabase(folder, (database) =>
      database
        .prepare('SELECT host, count(*) AS n, avg(offset_ms) AS ms FROM clock_sample GROUP BY host')
        .all(),
    );
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { host: 'host-b', n: 3, ms: 1.5 },
      { host: 'host-c', n: 3, ms: 1.5 },
    ]);
  });

  it('that overlap count once: a copy adds nothing, and what goes further wins', async () => {
    const whole = await part('host-a', 'a.0', 'b.0');
    const short = await makeRecord(join(root, 'host-a@0'), {
      seconds: 6,
      moment: (second) => ({
        ...{ tMs: 1000 * second + 400, flows: [flow('a.0', 'b.0', 5e6)], agents: [agent('host-a', second)] },
      }),
      description: described('host-a', 'a.0'),
    });
    const copied = await joinParts([readPart(whole), readPart(whole)], join(root, 'copied'));
    expect(samplesOf(copied)).toEqual([{ source: 'a.0', n: 10, last: 9003 }]);
    const folder = await joinParts([readPart(short), readPart(whole)], join(root, 'all'));
    expect(samplesOf(folder)).toEqual([{ source: 'a.0', n: 10, last: 9003 }]);
    expect(readRecord(folder).flows[0]!.meanRateBps).toBe(1e6);
  });

  it('of an agent that was killed and came again are joined end to end', async () => {
    const before = await makeRecord(join(root, 'host-a@0'), {
      seconds: 4,
      moment: (second) => ({ flows: [flow('a.0', 'b.0', 1e6)], agents: [agent('host-a', second)] }),
      description: described('host-a', 'a.0'),
    });
    writeDescription(before, { ...readDescription(before), state: 'recording', files: {} });
    const after = await makeRecord(join(root, 'host-a@1'), {
      seconds: 4,
      moment: (second) => ({
        ...{ tMs: 1000 * (second + 6), flows: [flow('a.0', 'b.0', 1e6)], agents: [agent('host-a', second)] },
      }),
      description: described('host-a', 'a.0'),
    });
    const folder = await joinParts([readPart(before), readPart(after)], join(root, 'all'));
    expect(samplesOf(folder)).toEqual([{ source: 'a.0', n: 8, last: 9000 }]);
    expect(readDescription(folder).problems).toEqual([
      'of host-a (host-a@0): what came after 3 s, since it was cut off',
    ]);
  });

  it('of another start, another topology, or of no known start are refused, and nothing is left', async () => {
    const first = readPart(await part('host-a', 'a.0', 'b.0'));
    for (const [name, description] of [
      ['start', { run: { ...RUN, start: 'y8' } }],
      ['name', { run: { ...RUN, experiment: 'lan' } }],
      ['nothing', { run: undefined }],
      ['topology', { topology: { file: 'x', hash: 'y', texts: ['topology.yaml'] } }],
    ] as [string, Partial<Description>][]) {
      const other = readPart(await part(`host-${name}`, 'b.0', 'a.0', { description }));
      await expect(joinParts([first, other], join(root, 'all'))).rejects.toThrow(
        expect.objectContaining({ code: 'RECORD_OTHER_RUN' }),
      );
    }
    await expect(joinParts([first], first.folder)).rejects.toThrow(
      expect.objectContaining({ code: 'RECORD_EXISTS' }),
    );
  });
});

describe('parts on one machine', () => {
  const told: string[] = [];
  const tell = (line: string): void => void told.push(line);
  beforeEach(() => {
    vi.stubEnv('NETFOLD_RECORDS', root);
    told.length = 0;
  });
  afterEach(() => vi.unstubAllEnvs());

  const partOf = (host: string, endpoint: string, elsewhere: string[], more: Partial<Description> = {}) =>
    part(host, endpoint, 'x.0', { description: { elsewhere, ...more } });

  it('are joined by whoever ends last, once; a name means the joined record then', async () => {
    const a = await partOf('host-a', 'a.0', ['host-b']);
    const b = await partOf('host-b', 'b.0', ['host-a']);
    writeDescription(b, { ...readDescription(b), state: 'recording', writer: thisWriter() });
    expect(await joinAtEnd(a, tell)).toBeUndefined();
    await complete(b, readDescription(b));
    const joined = await Promise.all([joinAtEnd(b, tell), joinAtEnd(a, tell)]);
    const folders = joined.filter((one) => one !== undefined);
    expect(folders).toHaveLength(1);
    const description = readDescription(folders[0]!);
    expect(description).toMatchObject({ state: 'complete', hosts: ['host-a', 'host-b'], problems: [] });
    expect(description.elsewhere).toBeUndefined();
    expect(await joinAtEnd(a, tell)).toBeUndefined();
    expect(told).toHaveLength(1);
    expect(findRecord('host-a')).toBe(folders[0]);
  });

  it('name hosts that are away, which can be gathered later', async () => {
    const a = await partOf('host-a', 'a.0', ['host-b', 'host-c']);
    expect(readDescription(a).problems[1]).toMatch(/^the part of host-c/);
    expect(await joinAtEnd(a, tell)).toBeUndefined();
    const b = await partOf('host-b', 'b.0', ['host-a']);
    const two = await joinAtEnd(b, tell);
    const { problems, elsewhere } = readDescription(two!);
    expect(elsewhere).toEqual(['host-c']);
    expect(problems).toEqual([
      'the part of host-c, which it keeps on its machine; netfold records gather joins it',
    ]);

    const c = await partOf('host-c', 'c.0', ['host-a', 'host-b']);
    const all = await joinParts([readPart(two!), readPart(c)]);
    expect(all).toBe(`${two}-2`);
    const whole = readDescription(all);
    expect(whole).toMatchObject({ hosts: ['host-a', 'host-b', 'host-c'], problems: [] });
    expect(whole.parts?.map(({ hosts }) => hosts[0]).sort()).toEqual(['host-a', 'host-b', 'host-c']);
    expect(samplesOf(all).map((one) => (one as { n: number }).n)).toEqual([10, 10, 10]);
    expect(findRecord('host-a')).toBe(all);
    // All of it is there already.
    expect(await joinAtEnd(c, tell)).toBeUndefined();
  });

  it('of a machine alone, of other runs, or that are gone are left as they are', async () => {
    const a = await part('host-a', 'a.0', 'b.0');
    expect(await joinAtEnd(a, tell)).toBeUndefined();
    const other = { run: { ...RUN, start: 'y8' } };
    const b = await partOf('host-b', 'b.0', ['host-a'], other);
    expect(await joinAtEnd(b, tell)).toBeUndefined();
    expect(await joinAtEnd(join(root, 'gone'), tell)).toBeUndefined();
    expect(told).toEqual([]);
  });
});

describe('what several parts tell', () => {
  it('of an event is when the last host had it', () => {
    const row = (tMs: number | null, outcome: string | null) => [tMs, 5, null, 'file', 'x', outcome];
    expect(joinedEvents([[row(null, 'pending')], [row(7, 'done')], [row(6, null)]])).toEqual([
      row(7, 'done'),
    ]);
  });
  it('of the verdict is the worst of all, once', () => {
    const bad = [2, 'degraded', 'C', 'h', 'm'];
    const over = [4, 'faithful', 'C', 'h', 'over: m'];
    const worse = [3, 'invalid', 'D', 'i', 'n'];
    expect(
      joinedVerdicts([
        [bad, over],
        [bad, worse],
      ]),
    ).toEqual([bad, worse, [4, 'invalid', 'C', 'h', 'over: m']]);
  });
  it('line by line is in order, without what was cut off', () => {
    const lines = ['{"atMicros":5}', '{"kind":"file","dueMs":0.001}', '{"atMicros":null}'];
    expect(linesInOrder([`${lines[0]}\n${lines[1]}\n{"at`, `${lines[2]}\n${lines[0]}\n`])).toEqual([
      lines[2],
      lines[1],
      lines[0],
    ]);
  });
});
