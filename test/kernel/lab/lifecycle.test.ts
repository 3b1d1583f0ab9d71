/** The command line on a real machine: what it starts, what it leaves, also when everything is killed. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { agentsOf, processesIn } from '../../../controller/machine/processes.ts';
import { agentSocket, controllerSocket, dataFolder, experimentFolder } from '../../../controller/names.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { killIfThere } from '../../support/kernel/kill.ts';
import { experimentName, type Finished, run, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import { NOTHING, namespacesOf, processesOf, tracesOf } from '../../support/lab/traces.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
const TOPOLOGY = `
services:
  web: { replicas: 2, run: "echo started as $NETFOLD_NODE; exec sleep 1000" }
  client: { run: "sh -c 'trap \\"\\" TERM; sleep 1000 & wait; sleep 1000'" }
links:
  - { from: web, to: client, latency: 3ms, up: 10Mbps, down: 5Mbps }
`;

let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  // Readable without root, too.
  chmodSync(folder, 0o755);
  file = join(folder, 'lab.yaml');
  writeFileSync(file, TOPOLOGY);
});

afterAll(() => rmSync(folder, { recursive: true }));

const netfold = (...args: string[]): Promise<Finished> => run(NETFOLD, args);

async function upDetached(): Promise<string> {
  const name = experimentName();
  const up = await netfold('up', file, '--hosts', '2', '--name', name, '--detach');
  expect(up).toMatchObject({ code: 0 });
  return name;
}

/**
 * The machine's own interfaces, qdiscs, rules and cgroups, which a lab must not change at all. `running`: an experiment that
 * has control groups of its own now, which are left out.
 */
async function machine(running?: string): Promise<string[]> {
  const others =
    running === undefined ? '' : ` -not -path '*/netfold+${running}' -not -path '*/netfold+${running}/*'`;
  const commands = [
    'ip -o link',
    'ip route show table all',
    'tc qdisc show',
    'nft list tables',
    `find /sys/fs/cgroup -type d${others}`,
  ];
  const outputs = await Promise.all(commands.map((command) => run('sh', ['-c', command])));
  return outputs.map(({ out }) => out);
}

describe('a detached experiment', () => {
  it('runs commands, resolves names, keeps outputs, and is gone after down', async () => {
    const before = await machine();
    const name = await upDetached();
    expect(namespacesOf(name)).toHaveLength(3 + 2 + 1);
    expect(await machine(name)).toEqual(before);

    const code = await netfold('exec', 'client', '--name', name, '--', 'sh', '-c', 'exit 7');
    expect(code.code).toBe(7);
    for (const target of ['web.0', 'web.1', 'web', 'client', 'client.0']) {
      const ping = await netfold('exec', 'client', '--name', name, '--', 'ping', '-c', '1', target);
      expect(ping, target).toMatchObject({ code: 0 });
    }
    const environment = await netfold(
      'exec',
      'web.1',
      '--name',
      name,
      '--',
      'sh',
      '-c',
      'echo $NETFOLD_SERVICE $NETFOLD_REPLICA',
    );
    expect(environment.out).toBe('web 1\n');
    await until(
      async () => (await netfold('logs', 'web.1', '--name', name)).out === 'started as web.1\n',
      'the output is kept',
    );

    const both = 'web.0 | started as web.0\nweb.1 | started as web.1\n';
    await until(
      async () => (await netfold('logs', 'web', '--tail', '1', '--name', name)).out === both,
      'the outputs of both replicas are there',
    );
    const following = netfold('logs', '-f', 'web.1', '--name', name);

    const listed = JSON.parse((await netfold('ls', '--json')).out) as { name: string; endpoints: number }[];
    expect(listed.find((one) => one.name === name)).toMatchObject({
      endpoints: 3,
      hosts: 2,
      topologyFile: file,
    });
    const status = JSON.parse((await netfold('status', name, '--json')).out) as {
      agents: { state: string; known: number }[];
    };
    expect(status.agents).toMatchObject([
      { host: 'host0', state: 'running', known: 3, expected: 3, degraded: [] },
      { host: 'host1', state: 'running', known: 3, expected: 3, degraded: [] },
    ]);

    expectSuccess(await netfold('down', name));
    await until(() => processesOf(name).length === 0, 'the controller ends too');
    expect(tracesOf(name)).toEqual(NOTHING);
    expect(await machine()).toEqual(before);
    expect(await netfold('down', name)).toMatchObject({ code: 1 });

    expect(await following).toMatchObject({ code: 0, out: 'started as web.1\n' });
    const kept = await netfold('logs', 'web.1', '--name', name);
    expect(kept).toMatchObject({ code: 0, out: 'started as web.1\n' });
    expect(kept.err).toContain(`${name} is not running: these are the logs of the run that ended at 20`);
    const second = await netfold('logs', 'web.1', '--name', name, '--ended', '2');
    expect(second).toMatchObject({ code: 1, out: '' });
    expect(second.err).toContain(`the logs of 1 run of ${name} that ended are kept, not of 2`);
  });

  it('leaves nothing after kill -9 of every process and a cleanup, also without its state file', async () => {
    const before = await machine();
    const name = await upDetached();
    for (const pid of [
      ...new Set([
        ...processesOf(name),
        ...processesIn(namespacesOf(name).filter((one) => one.includes('+'))),
      ]),
    ]) {
      process.kill(pid, 'SIGKILL');
    }
    rmSync(experimentFolder(name), { recursive: true });
    expect(namespacesOf(name)).toHaveLength(3 + 2 + 1);

    expectSuccess(await netfold('cleanup'));
    expect(tracesOf(name)).toEqual(NOTHING);
    expect(await machine()).toEqual(before);
    expect((await netfold('cleanup')).out).toBe('nothing of netfold is on this machine\n');
  });

  it('leaves nothing where others have mounted on its folder, whose files stay', async () => {
    const before = await machine();
    const name = await upDetached();
    const own = mkdtempSync(join(tmpdir(), 'netfold-test-'));
    onTestFinished(() => rmSync(own, { recursive: true }));
    writeFileSync(join(own, 'mine'), 'x');
    const folder = experimentFolder(name);
    const below = join(dataFolder(name, 'client.0'), 'a disk');
    mkdirSync(below);
    expectSuccess(await run('mount', ['--bind', own, below]));
    // As a bench that is killed leaves it.
    expectSuccess(await run('mount', ['-t', 'tmpfs', 'none', folder]));
    expectSuccess(await netfold('cleanup'));
    expect(readFileSync(join(own, 'mine'), 'utf8')).toBe('x');
    await until(() => processesOf(name).length === 0, 'its processes have ended');
    expect(tracesOf(name)).toEqual(NOTHING);
    expect(await machine()).toEqual(before);
  });

  it('is resumed where it would be by now, although its agents were killed as well', {
    timeout: 120_000,
  }, async () => {
    const name = await upDetached();
    const statuses = async (): Promise<AgentStatus[]> =>
      (JSON.parse((await netfold('status', name, '--json')).out || '{}') as { agents?: AgentStatus[] })
        .agents ?? [];
    let before = 0;
    await until(async () => {
      before = (await statuses())[0]?.nowMs ?? 0;
      return before > 0;
    }, 'it has begun');
    const killed = agentsOf(name);
    expect(killed).toHaveLength(2);
    const [stopped, ...others] = killed;
    process.kill(stopped!, 'SIGSTOP');
    for (const pid of new Set([...processesOf(name), ...others])) if (pid !== stopped) killIfThere(pid);
    // Nothing is started beside an agent that can't answer, and nothing is changed.
    const refused = await netfold('resume', name, '--detach');
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.err).toMatch(
      new RegExp(`agent of host[01], process ${stopped}, is stopped[^]*kill -CONT ${stopped}`),
    );
    expect(agentsOf(name)).toEqual([stopped]);
    process.kill(stopped!, 'SIGKILL');
    // Whoever has an agent's words is none.
    const socket = agentSocket(name, 'host0');
    const words = ['agent', '--controller', `unix:${controllerSocket(name)}`, '--socket', socket];
    const decoy = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', '--', ...words]);
    try {
      expectSuccess(await netfold('resume', name, '--detach'));
      const areBack = async () => (await statuses()).filter(({ state }) => state === 'running').length === 2;
      await until(areBack, 'all run', 20_000);
      expect(agentsOf(name)).toHaveLength(2);
      expect([...killed, decoy.pid]).not.toContain(agentsOf(name)[0]);
      expect((await statuses())[0]!.nowMs).toBeGreaterThan(before);
      expect((await netfold('exec', 'client', '--name', name, '--', 'true')).code).toBe(0);
      // One ends it; the other may find nothing any more, and says so.
      const downs = await Promise.all([netfold('down', name), netfold('down', name)]);
      expect(downs.map(({ code }) => code)).toContain(0);
      for (const { code, err } of downs) if (code !== 0) expect(err).toContain(`no experiment "${name}"`);
      await until(() => processesOf(name).every((pid) => pid === decoy.pid), 'the controller ends too');
      expect(tracesOf(name)).toEqual({ ...NOTHING, processes: [decoy.pid] });
      expect(decoy.exitCode ?? decoy.signalCode).toBeNull();
    } finally {
      decoy.kill('SIGKILL');
    }
  });

  it('is refused under a name that is in use, and the first one goes on', async () => {
    const name = await upDetached();
    const again = await netfold('up', file, '--name', name, '--detach');
    expect(again).toMatchObject({ code: 1 });
    expect(again.err).toContain(`an experiment named "${name}" exists already`);
    for (const command of ['down', 'resume']) {
      const words = ['--reuid', '65534', '--regid', '65534', '--clear-groups', NETFOLD, command, name];
      const denied = await run('setpriv', words);
      expect(denied).toMatchObject({ code: 3, err: expect.stringMatching(/may not use .*\n.*sudo/) });
    }
    expect((await netfold('exec', 'client', '--name', name, '--', 'true')).code).toBe(0);
    await netfold('down', name);
  });

  it('that is ended while it starts says so, and leaves nothing', async () => {
    const name = experimentName();
    const up = netfold('up', file, '--name', name);
    await until(() => namespacesOf(name).length > 0, 'it is being made', 20_000);
    expectSuccess(await netfold('down', name));
    expect(await up).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${name} was ended while it started`),
    });
    expect(tracesOf(name)).toEqual(NOTHING);
  });
});

describe('an experiment in the foreground', () => {
  it('ends after its duration and leaves nothing', async () => {
    const name = experimentName();
    const up = await netfold('up', file, '--name', name, '--duration', '1s');
    expect(up).toMatchObject({ code: 0 });
    expect(up.out).toContain(`${name} is up: 3 endpoints on 1 host`);
    expect(tracesOf(name)).toEqual(NOTHING);
    expect((await netfold('logs', 'web.0', '--name', name)).out).toBe('started as web.0\n');
  });

  it('goes on when an agent is killed: it is started again, and the user is told', async () => {
    const name = experimentName();
    const up = netfold('up', file, '--name', name, '--hosts', '2');
    const agents = (): number[] => processesIn(namespacesOf(name).filter((one) => one.includes('+host1')));
    const running = async (): Promise<boolean> => {
      const { out } = await netfold('status', name, '--json');
      const { agents: all } = JSON.parse(out || '{ "agents": [] }') as { agents: { state: string }[] };
      return all.filter(({ state }) => state === 'running').length === 2;
    };
    await until(running, 'it is up', 20_000);
    const [killed] = agents();
    process.kill(killed!, 'SIGKILL');
    await until(() => agents().some((pid) => pid !== killed), 'another one is there', 20_000);
    await until(running, 'it runs', 20_000);
    await netfold('down', name);
    const ended = await up;
    expect(ended.err).toContain('the agent of host1 was ended by SIGKILL; it is started again');
    expect(ended.code).toBe(0);
    expect(tracesOf(name)).toEqual(NOTHING);
  });
});

describe('bad input', () => {
  const bad: [string, string, RegExp][] = [
    [
      'an unknown key',
      'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latncy: 1ms }]',
      /:2:.*latncy.*latency/s,
    ],
    ['a link to nowhere', 'services: { a: {} }\nlinks: [{ from: a, to: nowhere }]', /:2:.*nowhere/s],
    ['an empty file', '', /empty/],
  ];

  it.each(bad)('with %s starts nothing', async (_, text, message) => {
    const name = experimentName();
    const broken = join(folder, 'broken.yaml');
    writeFileSync(broken, text);
    const up = await netfold('up', broken, '--name', name);
    expect(up.code).toBe(1);
    expect(up.err).toMatch(message);
    expect(tracesOf(name)).toEqual(NOTHING);
  });
});

describe('a machine that can not', () => {
  it('without root, reports it and changes nothing', async () => {
    const name = experimentName();
    const args = [
      '--reuid',
      '65534',
      '--regid',
      '65534',
      '--clear-groups',
      NETFOLD,
      'up',
      file,
      '--name',
      name,
    ];
    const up = await run('setpriv', args);
    expect(up.code).toBe(3);
    expect(up.err).toMatch(/✗ root .*\n.*→ .*sudo/);
    expect(tracesOf(name)).toEqual(NOTHING);
  });

  it('without capabilities, as in a container, reports it and changes nothing', async () => {
    const name = experimentName();
    const up = await run('setpriv', ['--bounding-set', '-sys_admin', NETFOLD, 'up', file, '--name', name]);
    expect(up.code).toBe(3);
    expect(up.err).toMatch(/✗ network namespaces .*EPERM/);
    expect(tracesOf(name)).toEqual(NOTHING);
  });

  it('without libbpf, names what to install and changes nothing', async () => {
    const name = experimentName();
    const library = (
      await run('sh', ['-c', 'ldconfig -p | sed -n "s/.*libbpf.so.1 .*=> //p" | xargs realpath'])
    ).out.trim();
    const hidden = `mount --bind /dev/null ${library} && exec ${NETFOLD} up ${file} --name ${name}`;
    const up = await run('unshare', ['--mount', 'sh', '-c', hidden]);
    expect(up.code).toBe(3);
    expect(up.err).toMatch(/✗ libbpf .*libbpf.so.1 can't be loaded\n.*→ .*libbpf1/);
    expect(tracesOf(name)).toEqual(NOTHING);
  });
});

describe('an experiment that ends by itself', () => {
  const gone = async (name: string): Promise<boolean> =>
    !existsSync(experimentFolder(name)) && namespacesOf(name).length === 0 && processesOf(name).length === 0;

  it('after its duration, also when the command that started it has ended long ago', async () => {
    const name = experimentName();
    expect(await netfold('up', file, '--name', name, '--detach', '--duration', '2s')).toMatchObject({
      code: 0,
    });
    await until(() => gone(name), 'nothing is left', 20_000);
    expect(tracesOf(name)).toEqual(NOTHING);
  });

  it('with the quit of its timeline', async () => {
    const name = experimentName();
    const quits = join(folder, 'quit.yaml');
    writeFileSync(quits, `${TOPOLOGY}events: [at 2s quit]\n`);
    expectSuccess(await netfold('up', quits, '--name', name, '--detach'));
    await until(() => gone(name), 'nothing is left', 20_000);
    expect(tracesOf(name)).toEqual(NOTHING);
    expect((await netfold('logs', 'web.1', '--name', name)).out).toBe('started as web.1\n');
  });

  it.each([
    ['while it starts', async (name: string) => until(() => namespacesOf(name).length > 0, 'it starts')],
    [
      'when it is up',
      async (name: string) =>
        until(async () => (await netfold('status', name)).out.includes('running'), 'it runs', 30_000),
    ],
  ])('when its terminal is closed %s', async (_, reached) => {
    const name = experimentName();
    // A terminal of its own; without it, the kernel sends SIGHUP, and writing fails with EIO.
    const terminal = spawn('script', ['-qfc', `${NETFOLD} up ${file} --name ${name}`, '/dev/null'], {
      stdio: 'ignore',
    });
    await reached(name);
    terminal.kill('SIGKILL');
    await until(() => gone(name), 'nothing is left', 30_000);
    expect(tracesOf(name)).toEqual(NOTHING);
  });
});
