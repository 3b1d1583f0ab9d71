/** Applications that take what they can: the kernel bounds them, status says so, and others go on. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EndpointGroups } from '../../../agent/endpoints/endpoint-groups.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import { dataFolder, logFile } from '../../../controller/names.ts';
import { netfold } from '../../support/lab/cli.ts';
import { place, run, runIn, startLab, tell, until } from '../../support/lab/lab.ts';

const BOUND = 300;
/** Forks for ever, each child in a process group of its own. */
const BOMB = `exec perl -e 'while (1) { my $p = fork; if (!defined $p) { select undef, undef, undef, 0.01 } elsif (!$p) { setpgrp } }'`;
/** Each process holds all the sockets it gets, and says how many it got and why no more. */
const HOLDER = `exec perl -MSocket -e '$| = 1; for (1..4) { last unless fork } my @held; while (socket(my $s, PF_INET, SOCK_STREAM, 0)) { push @held, $s } print scalar(@held) . " $!\n"; sleep 1000'`;

const TOPOLOGY = `
services:
  bomb: { processes: ${BOUND}, run: ${JSON.stringify(BOMB)} }
  holder: { descriptors: 500, run: ${JSON.stringify(HOLDER)} }
  a: { run: "exec sleep 1000" }
  b: {}
bridges: [s]
links:
  - { from: bomb, to: s, latency: 5ms }
  - { from: holder, to: s, latency: 5ms }
  - { from: a, to: s, latency: 5ms }
  - { from: b, to: s, latency: 5ms }
`;

const degraded = async (lab: Experiment): Promise<string> =>
  (await lab.statuses()).flatMap((status) => status.degraded).join('\n');

it('one that forks and one that opens sockets for ever are bounded, others go on, and nothing is left', async (context) => {
  const lab = await startLab(TOPOLOGY);
  const groups = new EndpointGroups(lab.name);
  if (groups.problem !== undefined) context.skip(groups.problem);
  await lab.run();
  await until(async () => (await degraded(lab)).includes('bomb.0 has as many'), 'status tells of the bomb');
  expect(groups.count('bomb.0')!.tasks).toBe(BOUND);

  // Others: their packets, the command line, and what it starts.
  const ping = await runIn(place(lab, 'b'), 'ping', '-c', '10', '-i', '0.05', place(lab, 'a').address);
  expect(ping.out).toContain(' 0% packet loss');
  const inside = await netfold(
    'exec',
    'b',
    '--name',
    lab.name,
    '--',
    'sh',
    '-c',
    'cat /proc/self/cgroup; ulimit -Hn',
  );
  expect(inside.stdout).toContain(`/netfold+${lab.name}/at.b.0\n`);
  expect(inside.stdout.trimEnd().endsWith('\n16384')).toBe(true);
  expect((await netfold('status', lab.name)).code).toBe(0);

  // Each process of the other has what it may have, but for its own files, and knows why no more.
  const log = (): string => readFileSync(logFile(lab.name, 'holder.0'), 'utf8');
  await until(() => log().split('\n').length >= 2, 'sockets end');
  for (const line of log().trim().split('\n')) expect(line).toMatch(/^49\d Too many open files$/);
  const ownGroup = readFileSync('/proc/self/cgroup', 'utf8');
  expect(ownGroup).not.toContain('netfold+');

  await tell(lab, 'crash', 'bomb');
  await until(() => groups.standing('bomb.0') === undefined, 'its group is gone');
  await until(async () => (await degraded(lab)) === '', 'status has nothing more to tell');
  // A second life is bounded anew.
  await tell(lab, 'join', 'bomb');
  await until(() => groups.count('bomb.0')?.tasks === BOUND, 'it has forked again');

  // Nobody ends them but `netfold down`: the agent is killed.
  const folder = join(groups.folderOf('a.0')!, '..');
  expect(readdirSync(folder)).toEqual(
    expect.arrayContaining(['at.a.0', 'at.b.0', 'at.bomb.0', 'at.holder.0']),
  );
  for (const pid of processesIn(lab.plan.hosts.map(({ namespace }) => namespace)))
    process.kill(pid, 'SIGKILL');
  await removeExperiment(lab.name);
  expect(existsSync(folder)).toBe(false);
});

/** Writes a mebibyte every 10 ms. */
const FILLER = `exec perl -e 'open my $f, ">", "$ENV{NETFOLD_DATA}/much"; $f->autoflush; while (1) { print $f "x" x 1048576; select undef, undef, undef, 0.01 }'`;

it('one that fills the disk is stopped and named, and others go on writing', async () => {
  const lab = await startLab(`
services:
  filler: { run: ${JSON.stringify(FILLER)} }
  other: { run: "while :; do echo x >> $NETFOLD_DATA/little; sleep 0.05; done" }
links: [{ from: filler, to: other, latency: 5ms }]
`);
  const data = join(dataFolder(lab.name, 'any'), '..');
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=60m', 'none', data]);
  expect(mounted.err).toBe('');
  try {
    for (const name of ['filler.0', 'other.0']) mkdirSync(dataFolder(lab.name, name));
    await lab.run();
    await until(
      async () => (await degraded(lab)).includes('filler.0 was stopped, as by a crash'),
      'it is stopped',
      20_000,
    );
    await until(
      async () => (await lab.statuses())[0]!.processes['filler.0'] === 'ended by SIGKILL',
      'it has ended',
    );
    expect((await lab.statuses())[0]!.processes['other.0']).toMatch(/^pid /);
    // What it has written stays, until somebody removes it; then the other has room, whether or not it was without.
    const much = join(dataFolder(lab.name, 'filler.0'), 'much');
    expect(statSync(much).size).toBeGreaterThan(40 * 2 ** 20);
    rmSync(much);
    const little = (): number => statSync(join(dataFolder(lab.name, 'other.0'), 'little')).size;
    const before = little();
    await until(() => little() > before, 'the other writes on');
  } finally {
    await removeExperiment(lab.name).catch(() => {});
    await run('umount', [data]);
    await removeExperiment(lab.name);
  }
});
