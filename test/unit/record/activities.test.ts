import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandOfActivity } from '../../../agent/endpoints/environment.ts';
import { activityLines, originLines } from '../../../controller/cli/records/activities.ts';
import { activitiesOf } from '../../../controller/record/activities.ts';
import { activityEntities } from '../../../controller/record/export/activity-entities.ts';
import type { EventRow } from '../../../controller/record/rows.ts';
import { loadTopology } from '../../../topology/load.ts';

const { topology } = loadTopology(
  `services: { a: { run: "serve" }, b: { replicas: 2 } }
links: [{ from: a, to: b }]
sequences:
  main:
    steps: [ 'run b "load"', wait 1s, 'run a "sum" exit 2' ]
`,
  'lab.yaml',
);

const told = (dueMs: number, text: string): EventRow => ({
  ...{ tMs: dueMs, dueMs, untilMs: null, origin: 'agent host0', text, outcome: 'done' },
});

const EVENTS = [
  told(1500, 'ended main 1 b.1 0'),
  told(1400, 'ended main 1 b.0'),
  told(3000, 'ended main 3 a.0 2'),
  // Told again, and of nothing that the file has.
  told(3100, 'ended main 3 a.0 1'),
  told(3200, 'ended other 1 a.0 0'),
  told(3300, 'ended main 2 a.0 0'),
];

describe('which program wrote which file', () => {
  const files = [
    'logs/a.0.log',
    'out/a.0/main.3/sum.txt',
    'out/a.0/main.9/x',
    'out/a.0/main.3',
    'out/a.0/served.csv',
    'out/b.1/main.1/deep/load.csv',
  ];
  const found = activitiesOf(topology, EVENTS, files);

  it('is known by the folders of sequences’ programs', () => {
    expect(found).toEqual([
      ...[
        { name: 'main.1', endpoint: 'b.1', command: 'load', endedMs: 1500, code: 0, files: [files[5]] },
        { name: 'main.1', endpoint: 'b.0', command: 'load', endedMs: 1400, files: [] },
        { name: 'main.3', endpoint: 'a.0', command: 'sum', endedMs: 3000, code: 2, files: [files[1]] },
      ],
      { name: 'run', endpoint: 'a.0', command: 'serve', files: [files[2], files[3], files[4]] },
    ]);
  });

  it('is shown', () => {
    expect(activityLines(found).join('\n')).toMatch(/main\.3 +a\.0 +3s +2 +main\.3\/sum\.txt/);
    expect(activityLines([])).toEqual([]);
    expect(
      originLines({
        origin: {
          ...{ template: { name: 'lab', version: '6be38429210000' }, parameters: { delay: '5ms' } },
          study: { name: 'tcp', file: 'tcp.yaml', point: 3, repetition: 2 },
        },
      }),
    ).toEqual(['  template lab@6be3842921, with delay=5ms, point 3 of the study tcp, run 2']);
    const queue = { number: 4, by: 'ann', submittedAt: '2026-01-01T00:00:00.000Z', cwd: '/home/ann' };
    expect(originLines({ origin: { queue } })).toEqual([
      '  4 of the queue, submitted by ann in /home/ann at 2026-01-01T00:00:00.000Z',
    ]);
  });

  it('is an action of a crate, with its program and its files', () => {
    const began = '2026-01-01T00:00:00.000Z';
    const { actions, programs } = activityEntities(found, { beganAt: began, idOf: (path) => path });
    expect(programs.map(({ name }) => name)).toEqual(['load', 'sum', 'serve']);
    expect(actions[2]).toMatchObject({
      ...{ '@type': 'CreateAction', endTime: '2026-01-01T00:00:03.000Z', error: 'exited with 2' },
      result: [{ '@id': 'out/a.0/main.3/sum.txt' }],
    });
    expect(new Set([...actions, ...programs].map((one) => one['@id'])).size).toBe(7);
  });
});

it('a program of a sequence has a folder of its own, where there is one for outputs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-out-'));
  try {
    const command = commandOfActivity(
      { sequence: 'main', step: 3 },
      'echo "$NETFOLD_ACTIVITY" >"$NETFOLD_OUT/x"; exit 4',
    );
    const run = (env: NodeJS.ProcessEnv): unknown => {
      try {
        return execFileSync('/bin/sh', ['-c', command], {
          env: { PATH: process.env.PATH, ...env },
          stdio: 'pipe',
        });
      } catch (error) {
        return (error as { status: number }).status;
      }
    };
    expect(run({ NETFOLD_OUT: join(folder, 'a b') })).toBe(4);
    expect(readFileSync(join(folder, 'a b/main.3/x'), 'utf8')).toBe('main.3\n');
    expect(readdirSync(folder)).toEqual(['a b']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
