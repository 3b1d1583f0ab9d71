/** graph, explain, completion, verdict and top, as a user calls them; what the shell is told; the picture of `top`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CompletionPorts, candidates } from '../../../controller/cli/insight/complete.ts';
import { type Snapshot, screenOf } from '../../../controller/cli/insight/top-screen.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { netfold } from '../../support/lab/cli.ts';

vi.setConfig({ testTimeout: 60_000 });

const TOPOLOGY = `name: fixture
services: { a: {}, b: {}, server: { replicas: 2 } }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, bandwidth: 100Mbps }
  - { from: b, to: s, latency: 5ms, bandwidth: 100Mbps }
  - { from: server, to: s, latency: 5ms, bandwidth: 50Mbps }
`;

let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-insight-'));
  file = join(folder, 'fixture.yaml');
  writeFileSync(file, TOPOLOGY);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent('commands', () => {
  test('graph draws a file to stdout, or into another file', async () => {
    const { code, stdout } = await netfold('graph', file);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^flowchart LR\n/);
    const out = join(folder, 'out.svg');
    expect(await netfold('graph', file, '--format', 'svg', '-o', out)).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(out, 'utf8')).toMatch(/^<svg /);
    const nowhere = join(folder, 'missing/out.svg');
    const refused = await netfold('graph', file, '-o', nowhere);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(nowhere)]);
  });

  test('explain names links, competitors and what would change the share', async () => {
    const { code, stdout } = await netfold('explain', 'a', 'server.0', file, '--flows', 'b>server.0');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^a\.0 > server\.0\nlatency 15ms, 30ms there and back/);
    expect(stdout).toMatch(/beside it.*\n.*\n {2}b\.0 > server\.0 /);
    const { stdout: json } = await netfold('explain', 'a', 'server.0', file, '--json');
    expect(JSON.parse(json)).toMatchObject({ latencyMs: 15, bandwidthBps: 50e6, shareBps: 50e6 });
  });

  test('explain refuses what is not there, and what is not clear', async () => {
    const unknown = await netfold('explain', 'a', 'servers', file);
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringMatching(/no endpoint "servers"[\s\S]*server/),
    ]);
    const several = await netfold('explain', 'a', 'server', file);
    expect([several.code, several.stderr]).toEqual([
      1,
      expect.stringContaining('say which one, e.g. server.0'),
    ]);
  });

  test.each(['verdict', 'top', 'graph'])(
    '%s of an experiment that does not run is refused',
    async (command) => {
      const { code, stderr } = await netfold(command, 'unit-test-that-never-runs');
      expect([code, stderr]).toEqual([1, expect.stringContaining('there is no experiment')]);
    },
  );

  test('up --strict --detach is refused', async () => {
    const { code, stderr } = await netfold('up', file, '--strict', '--detach');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--detach returns before')]);
  });

  test('completion prints a script that its shell can read', async () => {
    const { code, stdout } = await netfold('completion', 'bash');
    expect(code).toBe(0);
    execFileSync('bash', ['-n'], { input: stdout });
    expect((await netfold('completion', 'fish')).stdout).toContain('complete -c netfold');
    expect((await netfold('completion', 'zsh')).stdout).toMatch(/^#compdef netfold/);
    expect(await netfold('completion', 'tcsh')).toMatchObject({ code: 2 });
  });

  test('the shell is told commands and options', async () => {
    expect((await netfold('__complete', 'ver')).stdout).toBe('verdict\nverify\n');
    expect((await netfold('__complete', 'graph', '--f')).stdout).toBe('--format\n');
    expect((await netfold('__complete', 'graph', '--format', '')).stdout).toBe('dot\nmermaid\nsvg\n');
    expect(await netfold('__complete', 'nonsense', '')).toMatchObject({ code: 0, stdout: '' });
  });

  test('the script for bash completes', async () => {
    const { stdout } = await netfold('completion', 'bash');
    const bin = join(import.meta.dirname, '../../../bin');
    const ask = `${stdout}\nCOMP_LINE='netfold verd' COMP_POINT=12; _netfold; echo "\${COMPREPLY[@]}"`;
    const answer = execFileSync('bash', ['-c', ask], {
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    });
    expect(answer.toString()).toBe('verdict\n');
  });
});

describe('what may stand in a place', () => {
  const program = new Command('netfold');
  program.command('status [experiment]').option('--json', 'data').option('--name <x>', 'which');
  program.command('exec <node> <command...>').option('--name <x>', 'which').option('-v, --verbose', 'more');
  program.command('draw <source>').addOption(new Option('--format <x>', 'which').choices(['dot', 'svg']));
  const ports: CompletionPorts = {
    commands: ['draw', 'exec', 'status'],
    load: async (name) => program.commands.find((command) => command.name() === name),
    experiments: () => ['lab', 'wan'],
    endpoints: (experiment) => (experiment === 'wan' ? ['w.0'] : ['a.0', 'a.1', 'w.0']),
  };
  test.each([
    ['', 'draw exec status'],
    ['s', 'status'],
    ['status ', 'lab wan'],
    ['status w', 'wan'],
    ['status --', '--json --name'],
    ['status --json ', 'lab wan'],
    ['status --name ', 'lab wan'],
    ['exec a', 'a.0 a.1'],
    ['exec --name wan ', 'w.0'],
    ['exec -v ', 'a.0 a.1 w.0'],
    ['exec a.0 ', ''],
    ['exec a.0 -- --', ''],
    ['draw --format ', 'dot svg'],
    ['draw --format s', 'svg'],
    ['draw ', 'lab wan'],
    ['other ', ''],
  ])('behind "netfold %s": %s', async (line, expected) => {
    expect((await candidates(line.split(' '), ports)).join(' ')).toBe(expected);
  });
});

describe('the picture of top', () => {
  const flow = (n: number) => ({
    ...{ from: `a-client-with-a-long-name.${n}`, to: 'server.0', rateBps: 1e6 * n, shareBps: 17_777_777 },
    ...{ greedy: true, limitedBy: 'a-bridge-with-a-long-name->another-bridge' },
  });
  const agent = {
    ...{ host: 'host0', state: 'running', endpoints: ['a.0'], nowMs: 12_345.678, cpuSeconds: 3.21 },
    ticks: { count: 9, meanMs: 0.2, latestMs: 0.1 },
    clock: { state: 'running', reference: 'host0', offsetMs: 0, errorMs: 0, peers: [] },
    flows: Array.from({ length: 40 }, (_, n) => flow(n)),
  } as unknown as AgentStatus;
  const verdict = {
    verdict: 'faithful',
    now: 'faithful',
    since: '2026-01-01T00:00:00Z',
    causes: [],
    forgotten: 0,
  } as const;
  const snapshot: Snapshot = {
    ...{ experiment: 'lab', at: new Date(0), verdict, agents: [agent], silent: ['host1'] },
    paths: [],
  };

  test('fits 80 columns and 24 rows, the greatest flows first, and says how many there are more', () => {
    const lines = screenOf(snapshot, { columns: 80, rows: 24 });
    expect(lines.length).toBeLessThanOrEqual(24);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.join('\n')).toMatch(
      /host1: does not answer\n\nflow +rate +may use +TCP rtt limited by\na-client.* 39Mbps +17\.78Mbps/,
    );
    expect(lines.at(-1)).toMatch(/^… and \d+ more$/);
  });

  test('has all flows where there is room', () => {
    expect(screenOf(snapshot, { columns: 120, rows: Number.POSITIVE_INFINITY }).length).toBeGreaterThan(44);
  });
});
