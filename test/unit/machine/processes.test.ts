/** Which processes are taken for agents. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { recordAgent, recordedAgents } from '../../../controller/machine/agent-records.ts';
import { removeIfEmpty } from '../../../controller/machine/folders.ts';
import {
  agentAt,
  agentsOf,
  agentsToEnd,
  endProcesses,
  isAgentAt,
} from '../../../controller/machine/processes.ts';
import { agentSocket, controllerSocket, experimentFolder, RUN_FOLDER } from '../../../controller/names.ts';

const NAME = `test-${process.pid}-words`;
const SOCKET = `/tmp/${NAME}.sock`;
const WORDS = ['agent', '--controller', `unix:${controllerSocket(NAME)}`, '--socket', SOCKET];
const SLEEP = 'setTimeout(() => {}, 60_000)';
const NOBODY = 65_534;

let children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
});

async function start(program: string, words: readonly string[], user?: number): Promise<number> {
  const child = spawn(program, words, {
    stdio: 'ignore',
    cwd: '/',
    ...(user !== undefined && { uid: user }),
  });
  children.push(child);
  await expect.poll(() => existsSync(`/proc/${child.pid}/exe`)).toBe(true);
  return child.pid!;
}

test('an agent is known by its words, to be looked for and ended', async () => {
  const pid = await start(process.execPath, ['-e', SLEEP, '--', ...WORDS]);
  await expect.poll(() => agentsOf(NAME)).toEqual([pid]);
  expect(agentAt(SOCKET)).toBe(pid);
  expect(isAgentAt(pid, SOCKET)).toBe(true);
  await endProcesses(() => agentsOf(NAME));
  expect(agentsOf(NAME)).toEqual([]);
});

test("another program with an agent's words is none", async () => {
  const pid = await start('/bin/sh', ['-c', 'sleep 60; :', ...WORDS]);
  expect(agentsOf(NAME)).toEqual([]);
  expect(agentAt(SOCKET)).toBeUndefined();
  expect(isAgentAt(pid, SOCKET)).toBe(false);
});

test.runIf(process.getuid!() === 0)('nor is that of another user, with whatever program', async () => {
  // Wherever node is, this user need not be able to reach it: bash's `exec -a` gives any name.
  const pid = await start('/bin/sh', ['-c', 'sleep 60; :', ...WORDS], NOBODY);
  expect(agentsOf(NAME)).toEqual([]);
  expect(isAgentAt(pid, SOCKET)).toBe(false);
});

test('where agents are recorded, nothing else is one, whatever its words and user', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-records-'));
  try {
    const socket = join(folder, 'host0.sock');
    const words = ['agent', '--controller', 'unix:/x', '--socket', socket];
    const decoy = await start(process.execPath, ['-e', SLEEP, '--', ...words]);
    await expect.poll(() => agentAt(socket)).toBe(decoy);
    const pid = await start(process.execPath, ['-e', SLEEP]);
    recordAgent(socket, pid);
    expect(agentAt(socket)).toBe(pid);
    expect(isAgentAt(pid, socket)).toBe(true);
    expect(isAgentAt(decoy, socket)).toBe(false);
    expect(recordedAgents(folder)).toEqual([pid]);
    // The number of an agent that has ended is given to another process, or its record is damaged.
    const file = join(folder, 'agents/host0.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; startTime: number };
    for (const change of [
      { startTime: record.startTime - 2 },
      { users: [1, 1, 1, 1] },
      { program: '/bin/sh' },
    ]) {
      writeFileSync(file, JSON.stringify({ ...record, ...change }));
      expect(agentAt(socket)).toBeUndefined();
    }
    writeFileSync(file, '{');
    expect(recordedAgents(folder)).toEqual([]);
    recordAgent(socket, pid);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => isAgentAt(pid, socket)).toBe(false);
    expect(agentAt(socket)).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('while one ends, the others are not looked through again and again', async () => {
  const late =
    'process.on("SIGTERM", () => setTimeout(() => process.exit(), 300)); console.log("ready"); setInterval(() => {}, 1e6)';
  const child = spawn(process.execPath, ['-e', late], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await once(child.stdout, 'data');
  let looks = 0;
  const find = (): number[] => {
    looks++;
    return existsSync(`/proc/${child.pid}/exe`) ? [child.pid!] : [];
  };
  await endProcesses(find, { termMs: 60_000 });
  expect(existsSync(`/proc/${child.pid}/exe`)).toBe(false);
  expect(looks).toBe(2);
});

test('what does not end is an error with a code, not a wait for ever', async () => {
  const gone = 2 ** 22 + 1;
  await expect(endProcesses(() => [gone], { termMs: 0, killMs: 0 })).rejects.toMatchObject({
    code: 'PROCESSES_STAY',
  });
});

test.runIf(process.getuid!() === 0)(
  'where somebody else removes the experiment and its records, nothing is an agent any more',
  async () => {
    const folder = experimentFolder(NAME);
    const decoy = await start(process.execPath, ['-e', SLEEP, '--', ...WORDS]);
    await expect.poll(() => agentsToEnd(NAME)()).toEqual([decoy]);
    mkdirSync(folder, { recursive: true });
    try {
      const pid = await start(process.execPath, ['-e', SLEEP]);
      recordAgent(agentSocket(NAME, 'host0'), pid);
      const left = agentsToEnd(NAME);
      expect(left()).toEqual([pid]);
      rmSync(folder, { recursive: true });
      expect(left()).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      removeIfEmpty(RUN_FOLDER);
    }
  },
);
