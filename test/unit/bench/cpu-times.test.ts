/** Processor time from /proc, and which processes used it. */
import { describe, expect, it } from 'vitest';
import { agentRows, machineRows, profileTables, threadsNote } from '../../../bench/measure/cpu/cpu-rows.ts';
import {
  machineTime,
  parseMachine,
  parseMemory,
  parseSchedstat,
  parseStat,
  processMemory,
  processSeconds,
  smallProcessSeconds,
  threadSeconds,
} from '../../../bench/measure/cpu/cpu-times.ts';
import { type CpuUse, growth, threadsUse, watchCpu } from '../../../bench/measure/cpu/cpu-watch.ts';

const STAT = '4242 (a) b (c) S 1 4242 4242 0 -1 4194560 9 8 7 6 150 75 33 44 20 0 12 0 99 1000 200';

describe('/proc', () => {
  it('gives user and system time, whatever is in the name', () => {
    expect(parseStat(STAT)).toEqual({ name: 'a) b (c', seconds: 2.25 });
  });

  it('gives the time of all processors; waiting for disks is no work, stolen time is left out', () => {
    const text = 'cpu  100 20 300 4000 500 6 70 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 5\n';
    const { busy, ...rest } = parseMachine(text);
    expect(busy).toBeCloseTo(4.96);
    expect(rest).toEqual({ softirq: 0.7, stolen: 0.08 });
  });

  it('gives time on a processor to the nanosecond, without the time waiting for one', () => {
    expect(parseSchedstat('2500000001 999 7\n')).toBe(2.500000001);
  });

  it('gives the memory now, and the maximum', () => {
    const text = 'Name:\tnode\nVmPeak:\t 900 kB\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\n';
    expect(parseMemory(text)).toEqual({ nowBytes: 200 * 1024, mostBytes: 300 * 1024 });
  });

  it('knows this process', () => {
    expect(processSeconds(process.pid)).toBeGreaterThan(0);
    const whole = processSeconds(process.pid)!;
    expect(smallProcessSeconds(process.pid)).toBeGreaterThan(0.2 * whole);
    expect([...threadSeconds(process.pid).values()].length).toBeGreaterThan(0);
    expect(processMemory(process.pid).nowBytes).toBeGreaterThan(1e7);
    expect(machineTime().busy).toBeGreaterThan(0);
  });

  it('has nothing of a process that is gone', () => {
    expect(processSeconds(2 ** 30)).toBeUndefined();
    expect(smallProcessSeconds(2 ** 30)).toBeUndefined();
  });
});

describe('a watch', () => {
  it('leaves out processes that have come or gone meanwhile', () => {
    expect(growth([1, undefined, 5, 7], [3, 9, undefined, 8])).toBe(3);
  });

  it('adds up threads of one name, over all agents, also those that are new', () => {
    const before = [new Map([['main', 10]]), new Map([['main', 1]])];
    const after = [
      new Map([
        ['main', 14],
        ['line', 2],
      ]),
      new Map([['main', 2]]),
    ];
    expect([...threadsUse(before, after, 10)]).toEqual([
      ['main', 0.5],
      ['line', 0.2],
    ]);
  });

  it('has a value for each slice', async () => {
    const use = await watchCpu({ agents: [process.pid], traffic: [process.pid, 2 ** 30], seconds: 0.01 });
    expect(use.agents[0]).toHaveLength(1);
    expect(use.traffic[0]).toBeGreaterThanOrEqual(0);
    expect(use.seconds).toBeGreaterThan(0);
  });
});

const USE: CpuUse = {
  agents: [
    [0.02, 0.04],
    [0.06, 0.02],
  ],
  traffic: [0.3, 0.5],
  bench: [0.01, 0.01],
  softirq: [0.1, 0.3],
  machine: [0.6, 1],
  stolen: [0.1, 0.3],
  threads: new Map([
    ['main', 0.05],
    ['line', 0.02],
    ['idle', 0.0001],
  ]),
  seconds: 10,
};

describe('rows', () => {
  it('judge the busiest agent and all of them, with their range', () => {
    const rows = agentRows('10 nodes', USE, { each: 0.03, all: 0.1 }, 'a note');
    expect(rows.map(({ what, verdict }) => [what, verdict])).toEqual([
      ['10 nodes: the busiest agent', 'outside'],
      ['10 nodes: all agents', 'within'],
    ]);
    expect(rows.map(({ measured }) => measured)).toEqual([0.04, expect.closeTo(0.07)]);
    expect(rows[1]!.spread).toEqual({ low: 0.06, high: 0.08 });
    expect(rows[1]!.note).toBe('a note');
  });

  it('have one agent once, and judge nothing without a goal', () => {
    const rows = agentRows('idle', { ...USE, agents: [[0.01, 0.03]] }, undefined);
    expect(rows).toMatchObject([{ measured: 0.02, verdict: 'told' }]);
  });

  it('show what else the machine did', () => {
    const rows = machineRows('10 nodes', USE, 'ping');
    const values = rows.map(({ what, measured }) => [what.split(': ')[1], measured]);
    expect(values).toEqual([
      ['ping', expect.closeTo(0.4)],
      ['packets, in no process', expect.closeTo(0.2)],
      ['the bench', expect.closeTo(0.01)],
      ['everything else', expect.closeTo((0.6 - 0.08 - 0.3 - 0.01 - 0.1 + 1 - 0.06 - 0.5 - 0.01 - 0.3) / 2)],
      ['the machine', expect.closeTo(0.8)],
    ]);
    expect(rows.at(-1)!.note).toContain('20.0 % more');
  });

  it('name the threads that count', () => {
    expect(threadsNote(USE)).toBe('threads of all: main 5.0 %, line 2.0 %');
  });

  it('have a table of functions where there is a profile', () => {
    expect(profileTables('cpu', [{ what: '10 nodes', spent: [] }])).toEqual([]);
    const [table] = profileTables('cpu', [
      { what: '10 nodes', spent: [{ what: 'f (a.ts:1)', cores: 0.02 }] },
    ]);
    expect(table).toMatchObject({
      id: 'cpu-profile',
      rows: [{ what: '10 nodes: f (a.ts:1)', measured: 0.02 }],
    });
  });
});
