import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tcpBuffers } from '../../../controller/cli/options/files.ts';
import { netfold, netfoldWithoutRoot } from '../../support/lab/cli.ts';

/** Round trips over 50 Mb/s are 50, 40 and 40 ms; the third client has 10 Mb/s. Up and down differ. */
const TOPOLOGY = `name: fixture
services:
  c1: {}
  c2: {}
  c3: {}
  server: { replicas: 3 }
  island: {}
bridges: [s1, s2]
links:
  - { from: c1, to: s1, latency: 10ms, up: 100Mbps, down: 30Mbps }
  - { from: c2, to: s1, latency: 5ms, bandwidth: 100Mbps }
  - { from: c3, to: s1, latency: 5ms, up: 10Mbps, down: 90Mbps }
  - { from: s1, to: s2, latency: 10ms, jitter: 3ms, loss: 0.5%, bandwidth: 50Mbps }
  - { from: server, to: s2, latency: 5ms, jitter: 4ms, bandwidth: 100Mbps }
events:
  - at 30s set c1--s1 latency=60ms
`;
const BAD = `name: bad
services:
  client: {}
  server: {}
links:
  - { from: client, to: server, latency: 10 }
`;
/** No experiment on any machine has this name. */
const UNUSED = 'unit-test-that-never-runs';

// Each test waits for a process or two; a busy machine takes its time to start them.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let good: string;
let bad: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-cli-'));
  // Also for users other than root.
  good = join(folder, 'good.yaml');
  bad = join(folder, 'bad.yaml');
  writeFileSync(good, TOPOLOGY);
  writeFileSync(bad, BAD);
});

afterAll(() => rmSync(folder, { recursive: true }));

test('a file that never ends is read as far as it may go, and refused', async () => {
  const { code, stdout } = await netfold('check', '/dev/zero');
  expect(stdout).toMatch(/characters, more than/);
  expect(code).toBe(1);
});

describe.concurrent('asking for help', () => {
  test('--help lists every command, and is no mistake', async () => {
    const { code, stdout, stderr } = await netfold('--help');
    expect([code, stderr]).toEqual([0, '']);
    for (const command of [
      'check',
      'paths',
      'share',
      'doctor',
      'up',
      'ls',
      'status',
      'down',
      'cleanup',
      'exec',
      'agent',
    ])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stdout).toContain('Exit codes: 0 done');
  });

  test('a reader that goes away early is no failure', async () => {
    const script = `"$0" --help | true; echo "\${PIPESTATUS[0]}"`;
    const program = join(import.meta.dirname, '../../../bin/netfold');
    const [stdout, stderr] = await new Promise<[string, string]>((resolve) => {
      execFile('bash', ['-c', script, program], (_, out, err) => resolve([out, err]));
    });
    expect([stdout, stderr]).toEqual(['0\n', '']);
  });
});

describe.concurrent('wrong usage exits with 2', () => {
  test.each([
    { args: ['chekc', 'x.yaml'], message: "unknown command 'chekc'" },
    { args: ['share', 'x.yaml'], message: '--flows' },
    { args: ['up', 'x.yaml', '--hosts', 'two'], message: 'two' },
    { args: ['up', 'examples/ring.yaml', '--take-over'], message: '--take-over needs --at' },
    { args: ['exec', 'a', 'echo $HOME'], message: "write netfold exec a -- sh -c 'echo $HOME'" },
    { args: ['exec', 'a', 'ls', '-l'], message: 'netfold exec NODE -- COMMAND OPTIONS' },
    { args: ['run', 'a', 'ls', '-l', '/'], message: "netfold run a 'ls -l /'" },
    { args: ['set', 'a--b', 'latency=1ms', '--for', '0s'], message: 'write a time above 0s, e.g. 10s' },
  ])('$args', async ({ args, message }) => {
    const { code, stdout, stderr } = await netfold(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });
});

describe.concurrent('check', () => {
  test('says that a file is right, with exit code 0', async () => {
    const { code, stdout } = await netfold('check', good);
    expect(code).toBe(0);
    expect(stdout).toContain(good);
  });

  test('names file, line, field and remedy of what is wrong, and exits with 1', async () => {
    const { code, stdout, stderr } = await netfold('check', bad);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(`${bad}:6:`);
    expect(stdout + stderr).toContain('links[0].latency: "10" has no unit');
    expect(stdout + stderr).toContain('e.g. 10ms');
  });

  test('--json gives the same as data', async () => {
    const { code, stdout } = await netfold('check', bad, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      diagnostics: [{ severity: 'error', file: bad, line: 6, field: 'links[0].latency' }],
    });
  });
});

test('the buffers of TCP are the last numbers of their settings', () => {
  const settings: Record<string, string> = {
    tcp_wmem: '4096\t16384\t4194304\n',
    tcp_rmem: '4096\t131072\t6291456\n',
  };
  expect(tcpBuffers((name) => settings[name]!)).toEqual({ sendBytes: 4_194_304, receiveBytes: 6_291_456 });
  expect(tcpBuffers(() => 'none')).toBeUndefined();
  expect(
    tcpBuffers(() => {
      throw new Error('ENOENT');
    }),
  ).toBeUndefined();
});

describe.concurrent('paths', () => {
  test('of many endpoints go through a pipe whole', async () => {
    const many = join(folder, 'many.yaml');
    writeFileSync(
      many,
      'services: { c: { replicas: 300 } }\nbridges: [s]\nlinks:\n  - { from: c, to: s, latency: 1ms }\n',
    );
    const script = `"$0" paths "$1" --json | node -e 'let t = ""; process.stdin.on("data", (d) => { t += d }).on("end", () => console.log(JSON.parse(t).length))'`;
    const program = join(import.meta.dirname, '../../../bin/netfold');
    const stdout = await new Promise<string>((resolve) => {
      execFile('bash', ['-c', script, program, many], (_, out) => resolve(out));
    });
    expect(stdout).toBe(`${300 * 299}\n`);
  });

  test('says that it shows the file without its events', async () => {
    const ring = join(import.meta.dirname, '../../../examples/ring.yaml');
    const plain = await netfold('paths', ring, '--from', 'a', '--to', 'b');
    expect(plain.stderr).toContain('the file without its 2 events; --at 0s has those of the start');
    const start = await netfold('paths', ring, '--from', 'a', '--to', 'b', '--at', '0s');
    expect([start.code, start.stderr]).toEqual([0, '']);
  });

  interface Row {
    readonly from: string;
    readonly to: string;
  }
  const rows = async (...args: string[]): Promise<Row[]> => {
    const { code, stdout, stderr } = await netfold('paths', good, '--json', ...args);
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };

  test('--json gives every path there and back, each with its own properties', async () => {
    const all = await rows();
    expect(all).toHaveLength(7 * 6);
    const find = (from: string, to: string): Row | undefined =>
      all.find((row) => row.from === from && row.to === to);
    expect(find('c1.0', 'server.2')).toEqual({
      from: 'c1.0',
      to: 'server.2',
      latencyMs: 25,
      jitterMs: 5,
      loss: 0.005,
      bandwidthBps: 50e6,
      smallPacketMs: expect.closeTo(25.0192, 6),
      fullPacketMs: expect.closeTo(25.48448, 6),
      hops: 3,
      links: ['c1.0->s1', 's1->s2', 's2->server.2'],
    });
    expect(find('server.2', 'c1.0')).toMatchObject({
      latencyMs: 25,
      bandwidthBps: 30e6,
      links: ['server.2->s2', 's2->s1', 's1->c1.0'],
    });
    expect(find('island.0', 'c1.0')).toEqual({ from: 'island.0', to: 'c1.0', reachable: false });
  });

  test('--from, --to and --at choose', async () => {
    expect(await rows('--from', 'c1', '--to', 'server.1', '--at', '30s')).toMatchObject([
      { from: 'c1.0', to: 'server.1', latencyMs: 75 },
    ]);
  });

  test('an unknown name is wrong input, with what there is', async () => {
    const { code, stderr } = await netfold('paths', good, '--from', 'sever');
    expect(code).toBe(1);
    expect(stderr).toContain('"sever"');
    expect(stderr).toContain('server');
  });
});

test.concurrent('share gives the example of the design: 17.78, 22.22 and 10 Mb/s', async () => {
  const { code, stdout } = await netfold(
    'share',
    good,
    '--flows',
    'c1>server.0,c2>server.1,c3>server.2',
    '--json',
  );
  expect(code).toBe(0);
  const shares = JSON.parse(stdout) as { rateBps: number }[];
  expect(shares.map(({ rateBps }) => (rateBps / 1e6).toFixed(2))).toEqual(['17.78', '22.22', '10.00']);
  expect(shares).toMatchObject([
    { from: 'c1.0', to: 'server.0', limitedBy: 's1->s2' },
    { from: 'c2.0', to: 'server.1', limitedBy: 's1->s2' },
    { from: 'c3.0', to: 'server.2', limitedBy: 'c3.0->s1' },
  ]);
});

describe.concurrent('an output that is full', () => {
  const toFull = (...args: string[]): Promise<{ code: number; stderr: string }> =>
    new Promise((resolve) => {
      const command = 'exec "$0" "$@" > /dev/full';
      const words = ['-c', command, join(import.meta.dirname, '../../../bin/netfold'), ...args];
      execFile('sh', words, (error, _, stderr) => resolve({ code: Number(error?.code ?? 0), stderr }));
    });

  test.each([
    ['--help', ''],
    ['paths', 'good'],
  ])('%s says so, once, and exits with 3', async (command, file) => {
    const { code, stderr } = await toFull(command, ...(file ? [good] : []));
    expect(code).toBe(3);
    expect(stderr.match(/what it prints can't be written: .*no space left/g)).toHaveLength(1);
    expect(stderr).not.toMatch(/bug in netfold| at .*\.ts:/);
  });

  test('a command that fails otherwise keeps its exit code', async () => {
    expect(await toFull('check', bad)).toMatchObject({ code: 1 });
  });
});

describe.concurrent('a file that is not there', () => {
  test.each([['check'], ['up']])('%s exits with 1 and names it', async (...args) => {
    const { code, stdout, stderr } = await netfold(...args, join(folder, 'none.yaml'));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${join(folder, 'none.yaml')} can't be read: there is no such file`);
  });

  test('a folder is none either', async () => {
    const { code, stderr } = await netfold('check', folder);
    expect(code).toBe(1);
    expect(stderr).toContain('it is a folder');
  });
});

describe.concurrent('up', () => {
  const traces = (): string[] =>
    [join('/run/netfold', UNUSED), ...namespaces()].filter((path) => existsSync(path));
  const namespaces = (): string[] =>
    existsSync('/run/netns')
      ? readdirSync('/run/netns')
          .filter((name) => name.startsWith(`netfold.${UNUSED}`))
          .map((name) => join('/run/netns', name))
      : [];

  test('without root exits with 3, says what to do, and touches nothing', async () => {
    const topology = join(import.meta.dirname, '../../../examples/quickstart.yaml');
    const { code, stdout, stderr } = await netfoldWithoutRoot('up', topology, '--name', UNUSED);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain('root');
    expect(stderr).toContain('sudo netfold');
    expect(traces()).toEqual([]);
  });

  test('of a file with errors exits with 1 before anything else, and touches nothing', async () => {
    const { code, stderr } = await netfold('up', bad, '--name', UNUSED);
    expect(code).toBe(1);
    expect(stderr).toContain(`${bad}:6:`);
    expect(traces()).toEqual([]);
  });

  test('refuses a name that can be no experiment', async () => {
    const { code, stderr } = await netfold('up', good, '--name', '../x');
    expect(code).toBe(process.getuid?.() === 0 ? 2 : 3);
    expect(stderr).toContain(code === 2 ? '"../x"' : 'root');
  });
});

test.concurrent.each([
  ['exec', 'client', '--name', UNUSED, '--', 'true'],
  ['down', UNUSED],
])('%s without an experiment exits with 1 and says how to start one', async (...args) => {
  const { code, stdout, stderr } = await netfold(...args);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`there is no experiment "${UNUSED}"`);
});
