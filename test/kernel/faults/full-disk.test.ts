/** The file system of all that an experiment writes is full: it goes on, says so, and recovers. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RecordSummary } from '../../../controller/record/read.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { experimentName, type Finished, run, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
const TOPOLOGY = `
services: { a: { run: "exec sleep 1000" }, b: { run: "exec sleep 1000" } }
bridges: [s]
links:
  - { from: a, to: s, latency: 20ms, up: 10Mbps, down: 3Mbps }
  - { from: b, to: s, latency: 5ms, bandwidth: 10Mbps }
`;
const FILLED = '/run/netfold/filled';

it('an experiment goes on shaping, takes commands and says what it lacks, and recovers when there is room', {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  const file = join(folder, 'lab.yaml');
  writeFileSync(file, TOPOLOGY);
  const name = experimentName();
  // All processes of the experiment have mounts of their own: nothing else on the machine lacks room.
  const holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sleep', '1000'], {
    stdio: 'ignore',
  });
  const there = (...words: string[]): Promise<Finished> =>
    run('nsenter', [`--mount=/proc/${holder.pid}/ns/mnt`, ...words]);
  const netfold = (...words: string[]): Promise<Finished> => there(NETFOLD, ...words);
  const agents = async (): Promise<AgentStatus[]> =>
    (JSON.parse((await netfold('status', name, '--json')).out || '{}') as { agents?: AgentStatus[] })
      .agents ?? [];
  const degraded = async (): Promise<string> => {
    const all = await agents();
    return all.length < 2 ? 'an agent does not answer' : all.flatMap((one) => one.degraded).join('\n');
  };
  const roundTrip = async (): Promise<number> => {
    const { out } = await netfold('exec', 'a', '--name', name, '--', 'ping', '-c', '3', '-i', '0.2', 'b');
    return Number(/= [\d.]+\/([\d.]+)\//.exec(out)?.[1] ?? Number.NaN);
  };
  const disk = join(folder, 'disk');
  const recorded = async (record: string): Promise<RecordSummary> =>
    JSON.parse((await netfold('records', 'show', record, '--json')).out) as RecordSummary;
  try {
    const mounts = (pid: number | string | undefined): string => readlinkSync(`/proc/${pid}/ns/mnt`);
    await until(async () => mounts(holder.pid) !== mounts('self'), 'it has mounts of its own');
    // It goes with the last experiment.
    mkdirSync('/run/netfold', { recursive: true, mode: 0o755 });
    const mounted = await there('mount', '-t', 'tmpfs', '-o', 'size=24m,mode=755', 'none', '/run/netfold');
    expect(mounted).toMatchObject({ code: 0 });
    expect((await there('findmnt', '-n', '-o', 'SIZE', '/run/netfold')).out.trim()).toBe('24M');
    // Records have a disk of their own, which is full at the same time.
    mkdirSync(disk);
    expectSuccess(await there('mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', disk));
    const record = join(disk, 'record');
    const up = await netfold('up', file, '--hosts', '2', '--name', name, '--record', record, '--detach');
    expect(up.code, up.err).toBe(0);
    expect(await roundTrip()).toBeGreaterThan(50);

    for (const filled of [FILLED, join(disk, 'filled')]) await there('sh', '-c', `cat /dev/zero >${filled}`);
    expectSuccess(await netfold('set', 'a--s', 'latency=40ms', '--name', name));
    await until(
      async () => (await degraded()).includes('keeping commands for the next agent'),
      'status says so',
    );
    expect(await roundTrip()).toBeGreaterThan(85);
    // What an application writes is lost, and nothing else.
    expectSuccess(await netfold('run', 'b', 'echo lost', '--name', name));
    expect((await agents()).map(({ state }) => state)).toEqual(['running', 'running']);

    await there('rm', FILLED, join(disk, 'filled'));
    await until(async () => (await degraded()) === '', 'all is well again', 20_000);
    const kept = await there('sh', '-c', `cat /run/netfold/${name}/logs/*.commands`);
    expect(kept.out.match(/set a--s latency=40ms/g)).toHaveLength(2);
    const lastMs = async (): Promise<number> => (await recorded(record)).lastMs;
    const before = await lastMs();
    await until(async () => (await lastMs()) > before, 'the run is recorded again');
    expectSuccess(await netfold('down', name));
    const { state, description, events } = await recorded(record);
    expect(state).toBe('complete');
    // What had no room waited.
    expect(description.problems).toEqual([]);
    expect(events.map(({ text }) => text)).toContain('set a--s latency=40ms');
    expectSuccess(await netfold('records', 'verify', record));
  } finally {
    await netfold('down', name);
    holder.kill('SIGKILL');
    rmSync(folder, { recursive: true });
    await run('rmdir', ['/run/netfold']);
  }
});
