import { describe, expect, it } from 'vitest';
import { micros } from '../../../proto/units.ts';
import type { GraphLink } from '../../../topology/model/model.ts';
import { type TimelineRow, timelineRows } from '../../../topology/report/timeline.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { diagnostics, load, rows, rowText, XML, YAML } from './thunderstorm-support.ts';

describe('events of a script', () => {
  it.each([
    ['at 10s client crash', ['10 crash client.5']],
    ['at 10s client crash 2', ['10 crash client.5', '10 crash client.4']],
    ['at 10s client.1 crash', ['10 crash client.1']],
    ['at 10s client leave 40%', ['10 leave client.5', '10 leave client.4']],
    ['at 10s client leave 10%', []],
    ['at 2m12.5s client disconnect', ['132.5 disconnect client.5']],
    [
      'from 1s to 4s server disconnect 2',
      ['1 disconnect server.2', '1 disconnect server.1', '4 reconnect server.2', '4 reconnect server.1'],
    ],
    ['at 1d2h s2 leave', ['93600 leave s2']],
    ['at 5s s1--s2 leave', ['5 leave s1->s2', '5 leave s2->s1']],
    ['at 9s quit', ['9 quit ']],
    ['at 9s partition client;server.0 server.1', ['9 partition client | server.0 server.1']],
    ['from 9s to 12s partition client;server', ['9 partition client | server', '12 heal client | server']],
    [
      'from 0s to 1s s1--s2 flap 0.5s',
      ['0 leave s1->s2', '0 leave s2->s1', '0.5 join s1->s2', '0.5 join s2->s1'],
    ],
    [
      'from 0s to 0.5s tags = trunk flap freq 0.5s',
      ['0 leave s1->s2', '0 leave s2->s1', '0.5 join s1->s2', '0.5 join s2->s1'],
    ],
  ])('%j happen', (line, expected) => {
    expect(rows(line)).toEqual(expected);
  });

  it('join what was absent before, one instance unless a number says more', () => {
    expect(rows('at 0s client join', 'at 3s client join 2', 'at 4s client join 100%')).toEqual([
      '0 join client.0',
      '3 join client.1',
      '3 join client.2',
      '4 join client.3',
      '4 join client.4',
      '4 join client.5',
    ]);
  });

  it('reconnect a part of those that are disconnected', () => {
    expect(rows('at 1s client disconnect 4', 'at 2s client reconnect 50%')).toEqual([
      '1 disconnect client.5',
      '1 disconnect client.4',
      '1 disconnect client.3',
      '1 disconnect client.2',
      '2 reconnect client.2',
      '2 reconnect client.3',
    ]);
  });

  it('take a share of those that are present then', () => {
    expect(rows('at 1s client crash 3', 'at 2s client crash 34%')).toHaveLength(4);
    // 0.29 × 100 is less than 29 in binary.
    const { topology } = load(['at 1s client crash 29%'], YAML.replace('replicas: 6', 'replicas: 100'));
    expect(timelineRows(topology)).toHaveLength(29);
  });

  it('count for each service of a tag, and take its bridges and links as a whole', () => {
    expect(rows('at 1s tags=edge crash 1')).toEqual(['1 crash client.5', '1 crash server.2']);
    expect(rows('at 1s tags=core trunk leave')).toEqual([
      '1 leave server.2',
      '1 leave s2',
      '1 leave s1->s2',
      '1 leave s2->s1',
    ]);
  });

  it('are about everything without a selector', () => {
    expect(rows('at 1s crash', 'at 2s join')).toHaveLength(18);
    expect(rows('at 1s crash 1')).toEqual(['1 crash client.5', '1 crash server.2']);
    const { topology } = load(['at 1s set latency=200% bandwidth=50%']);
    expect(linkAt(topology, 'client.0->s1')).toMatchObject({ latency: 10_000, bandwidth: 5e6 });
    expect(linkAt(topology, 's2->s1')).toMatchObject({ latency: 20_000, bandwidth: 15e6 });
  });

  it('may be due before those above them, and have comments', () => {
    expect(rows('# a storm', 'at 4s client crash # the second', '', '  at 3s s1 leave')).toEqual([
      '3 leave s1',
      '4 crash client.5',
    ]);
    expect(() => load(['at 1s client crash\r', 'at 2s client crash\r'])).not.toThrow();
  });

  it('come after those of the file at the same instant', () => {
    const text = `${YAML}events: [at 5s crash client 2, at 9s leave s1--s2]\n`;
    const { topology } = load(['at 5s client join', 'at 7s client join'], text);
    expect(timelineRows(topology).map(rowText)).toEqual([
      '5 crash client.5',
      '5 crash client.4',
      '5 join client.4',
      '7 join client.5',
      '9 leave s1->s2',
      '9 leave s2->s1',
    ]);
  });

  it('name their own file in the timeline', () => {
    const text = `${YAML}events: [at 5s crash client]\n`;
    const { topology } = load(['', 'at 6s server crash'], text);
    expect(timelineRows(topology).map(({ file, line }) => [file, line])).toEqual([
      ...Array.from({ length: 6 }, () => ['net.yaml', 9]),
      ['storm.tdl', 2],
    ]);
  });
});

function linkAt(topology: Parameters<typeof graphAt>[0], name: string, at = 1e6): GraphLink {
  return graphAt(topology, micros(at)).links.find((link) => link.name === name)!;
}

describe('set', () => {
  const both = (changes: string): unknown[] => {
    const { topology } = load([`at 1s s1--s2 set ${changes}`]);
    return ['s1->s2', 's2->s1'].map((name) => {
      const { latency, jitter, loss, bandwidth } = linkAt(topology, name);
      return [latency, jitter, loss, bandwidth];
    });
  };

  it.each([
    ['latency=20.5', [20_500, 2000, 0, 60e6], [20_500, 2000, 0, 30e6]],
    ['latency = 7', [7000, 2000, 0, 60e6], [7000, 2000, 0, 30e6]],
    ['latency=150%', [15_000, 2000, 0, 60e6], [15_000, 2000, 0, 30e6]],
    ['jitter=0.5', [10_000, 500, 0, 60e6], [10_000, 500, 0, 30e6]],
    ['jitter=50%', [10_000, 1000, 0, 60e6], [10_000, 1000, 0, 30e6]],
    ['drop=0.02', [10_000, 2000, 0.02, 60e6], [10_000, 2000, 0.02, 30e6]],
    ['up=5Mbps', [10_000, 2000, 0, 5e6], [10_000, 2000, 0, 30e6]],
    ['down=5Mbps', [10_000, 2000, 0, 60e6], [10_000, 2000, 0, 5e6]],
    ['down=50%', [10_000, 2000, 0, 60e6], [10_000, 2000, 0, 15e6]],
    ['up=7Mbps symmetric', [10_000, 2000, 0, 7e6], [10_000, 2000, 0, 7e6]],
    ['bandwidth=50%', [10_000, 2000, 0, 30e6], [10_000, 2000, 0, 15e6]],
    ['up=1Gbps latency=1.0 down=10%', [1000, 2000, 0, 1e9], [1000, 2000, 0, 3e6]],
  ])('%s', (changes, up, down) => {
    expect(both(changes)).toEqual([up, down]);
  });

  it('takes up as from the first name to the second', () => {
    const { topology } = load(['at 1s s2--s1 set up=5Mbps']);
    expect(linkAt(topology, 's2->s1').bandwidth).toBe(5e6);
    expect(linkAt(topology, 's1->s2').bandwidth).toBe(60e6);
  });
});

describe('a window of a service', () => {
  const parsed = (...lines: string[]): TimelineRow[] => timelineRows(load(lines).topology);

  it('spreads its changes over itself, alike each time', () => {
    const found = parsed('from 10s to 20s client leave 4');
    expect(found.map(({ verb }) => verb)).toEqual(['leave', 'leave', 'leave', 'leave']);
    expect(found.every(({ atMs }) => atMs >= 10_000 && atMs < 20_000)).toBe(true);
    expect(new Set(found.map(({ atMs }) => atMs)).size).toBe(4);
    expect(found.every(({ atMs }) => Number.isInteger(atMs))).toBe(true);
    expect(parsed('from 10s to 20s client leave 4')).toEqual(found);
  });

  it('draws other moments for another event', () => {
    const moments = (line: string): number[] =>
      parsed('at 1s server crash', line)
        .slice(1)
        .map(({ atMs }) => atMs);
    const first = parsed('from 10s to 20s client leave 4').map(({ atMs }) => atMs);
    expect(moments('from 10s to 20s client leave 4')).not.toEqual(first);
  });

  it('takes a share of those present at its start', () => {
    expect(parsed('at 1s client crash 2', 'from 10s to 20s client leave 75%')).toHaveLength(2 + 3);
    expect(parsed('from 10s to 20s client leave')).toHaveLength(1);
    expect(parsed('from 10s to 20s leave')).toHaveLength(9);
  });

  it('joins those that are absent until then', () => {
    const found = parsed('from 10s to 20s client join 3');
    expect(found.map(rowText).map((one) => one.replace(/^\S+ /, ''))).toEqual([
      'join client.0',
      'join client.1',
      'join client.2',
    ]);
  });

  it('churns without replacement, with it, and with a part of it', () => {
    const verbs = (line: string): string[] => parsed(line).map(({ verb }) => verb);
    const count = (line: string): number[] =>
      ['crash', 'join'].map((verb) => verbs(line).filter((one) => one === verb).length);
    expect(count('from 10s to 60s client churn 4')).toEqual([4, 0]);
    expect(count('from 10s to 60s client churn 4 replace 100%')).toEqual([4, 4]);
    expect(count('from 10s to 60s client churn 4 replace 50%')).toEqual([4, 2]);
    expect(count('from 10s to 60s client churn 50% replace 34%')).toEqual([3, 1]);
    expect(count('from 10s to 60s churn 3')).toEqual([6, 0]);
    expect(count('from 10s to 60s tags=core churn 2')).toEqual([2, 0]);
  });

  it('replaces at the moment of the crash', () => {
    const found = parsed('from 10s to 60s client churn 5 replace 100%');
    const crashes = found.filter(({ verb }) => verb === 'crash').map(({ atMs }) => atMs);
    expect(found.filter(({ verb }) => verb === 'join').map(({ atMs }) => atMs)).toEqual(crashes);
  });

  it('lasts from the start to the quit where churn has none', () => {
    const found = timelineRows(load(['client churn 6', 'at 30s quit']).topology);
    expect(found).toHaveLength(7);
    expect(found.at(-1)!.verb).toBe('quit');
    expect(found[0]!.atMs).toBeLessThan(30_000);
    const text = `${YAML}events: [at 3s quit]\n`;
    expect(timelineRows(load(['churn 1'], text).topology)).toHaveLength(3);
    expect(diagnostics(['churn 1'])[0]).toMatchObject({ code: 'EVENT_TIME', file: 'storm.tdl', line: 1 });
  });
});

describe('a script beside a file of Kollaps', () => {
  const xml = (...lines: string[]) => load(lines, XML, 'net.xml');

  it('says how many replicas there are', () => {
    const replicas = (...lines: string[]): number =>
      xml(...lines).topology.services.find(({ name }) => name === 'client')!.replicas;
    expect(replicas('at 9s client crash')).toBe(1);
    expect(replicas('at 0s client join 4')).toBe(4);
    expect(replicas('at 0s client join 4', 'at 1s client leave 3', 'at 2s client join 2')).toBe(4);
    expect(replicas('at 2s client join 50%', 'at 0s client join 4')).toBe(6);
    expect(replicas('at 0s client join 4', 'at 1s crash', 'at 2s client join 3')).toBe(4);
    expect(
      replicas('at 0s client join 4', 'from 1s to 3s client churn 4 replace 50%', 'at 4s client join 4'),
    ).toBe(6);
    expect(replicas('at 0s client join 2', 'from 1s to 3s client leave 1', 'at 2s client join 1')).toBe(3);
  });

  it('leaves supervisors out, and says so', () => {
    const { topology, warnings } = xml(
      'at 0s dashboard join',
      'at 1s dashboard--s1 leave',
      'at 2s client crash',
    );
    expect(topology.events).toHaveLength(2);
    expect(warnings.filter(({ file }) => file === 'storm.tdl').map(({ code, line }) => [code, line])).toEqual(
      [
        ['SUPERVISOR_LEFT_OUT', 1],
        ['SUPERVISOR_LEFT_OUT', 2],
      ],
    );
  });

  it('does not decide which replicas join where each join starts new ones', () => {
    const [problem] = diagnostics(['at 5s server crash'], XML, 'net.xml');
    expect(problem).toMatchObject({ code: 'EVENT_TARGET', file: 'storm.tdl', line: 1 });
    expect(problem!.message).toMatch(/reuse="false"/);
    expect(() => xml('at 5s server disconnect')).not.toThrow();
  });
});
