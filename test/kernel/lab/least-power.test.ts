/**
 * Least power: what an application of an endpoint, which is root, tries in order to get at netfold's keys and sockets. Each
 * attempt is made with all rights as well, where it has to succeed: otherwise it would try nothing.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import {
  agentSocket,
  dataFolder,
  experimentFolder,
  logFile,
  meshKeyFile,
  RUN_FOLDER,
} from '../../../controller/names.ts';
import { lab as platform } from '../../../controller/platform/lab/lab.ts';
import { loadTopology } from '../../../topology/load.ts';
import { netfold, type Ran } from '../../support/lab/cli.ts';
import { run, until } from '../../support/lab/lab.ts';

const NAME = `test-${process.pid}-power`;
const KEY = meshKeyFile(NAME);
const SOCKET = agentSocket(NAME, 'host0');
const DATA = dirname(dataFolder(NAME, 'any'));
/** Stands for another experiment's folder. */
const OTHER = join(RUN_FOLDER, `${NAME}-other`);

const TOPOLOGY = `
services:
  plain:
    run: 'grep CapEff /proc/self/status; cat ${KEY} || echo hidden; echo $NETFOLD_NODE >$NETFOLD_DATA/name; exec sleep 1000'
  admin: { cap_add: [NET_ADMIN] }
  bare: { cap_drop: [ALL] }
  whole: { cap_add: [ALL] }
  person: { user: nobody, cap_add: [NET_ADMIN] }
links:
  - { from: plain, to: admin, latency: 1ms }
  - { from: plain, to: bare, latency: 1ms }
  - { from: plain, to: whole, latency: 1ms }
  - { from: plain, to: person, latency: 1ms }
`;

const ask = (socket: string): string =>
  `curl -s -m 5 -o /dev/null --unix-socket ${socket} http://agent/status`;

let lab: Experiment;
let agent: number;

beforeAll(async () => {
  const source = { file: 'power.yaml', text: TOPOLOGY };
  const { topology } = loadTopology(source.text, source.file);
  lab = await Experiment.start({ name: NAME, platform, placement: { hosts: 1 }, source, topology });
  await lab.run();
  agent = Number((await run('pgrep', ['-f', `agent .*${experimentFolder(NAME)}/`])).out.split('\n')[0]);
  mkdirSync(OTHER);
  writeFileSync(join(OTHER, 'mesh.key'), 'key');
});

afterAll(async () => {
  rmSync(OTHER, { recursive: true, force: true });
  await removeExperiment(NAME);
});

const inside = (node: string, line: string, ...options: string[]): Promise<Ran> =>
  netfold('exec', ...options, node, '--name', NAME, '--', 'sh', '-c', line);

/** `AGENT` in a line stands for the agent's process. */
const ATTEMPTS: readonly (readonly [how: string, line: string])[] = [
  ['by its path', `cat ${KEY}`],
  ["by another experiment's folder", `cat ${OTHER}/mesh.key`],
  ["by the agent's root", `cat /proc/AGENT/root${KEY}`],
  ["by anybody's root", `for p in /proc/[0-9]*; do cat $p/root${KEY} 2>/dev/null && exit; done; false`],
  ["by the agent's memory", 'head -c1 /proc/AGENT/maps | grep -q .'],
  ["by the agent's environment", 'head -c1 /proc/AGENT/environ | grep -q .'],
  ["by the agent's descriptors", 'ls -l /proc/AGENT/fd | grep -q socket'],
  ["by the agent's mounts", `nsenter --target AGENT --mount cat ${KEY}`],
  ['by the agent’s socket', ask(SOCKET)],
  ["by the agent's socket, through its root", ask(`/proc/AGENT/root${SOCKET}`)],
  ['by mounting', 'mkdir -p $NETFOLD_DATA/m && mount --bind / $NETFOLD_DATA/m && umount $NETFOLD_DATA/m'],
];

/** Those that only make sense where something hides. */
const REVEALING: readonly (readonly [how: string, line: string])[] = [
  ['by unmounting what hides', `umount ${RUN_FOLDER}; cat ${KEY}`],
  [
    'by unmounting as root of a user namespace',
    `unshare --user --map-root-user --mount sh -c 'umount ${DATA}; umount ${RUN_FOLDER}; cat ${KEY}'`,
  ],
  [
    'by binding as root of a user namespace',
    `unshare --user --map-root-user --mount sh -c 'mount --bind /run /mnt && cat /mnt/netfold/${NAME}/mesh.key'`,
  ],
  ['by the mounts of process 1', 'nsenter --target 1 --mount true'],
  ['by what is above its folder', `cd $NETFOLD_DATA/../.. && cat mesh.key`],
  ['by giving itself capabilities', `setpriv --inh-caps +all --ambient-caps +all cat /proc/AGENT/root${KEY}`],
];

/** Makes all attempts in one endpoint, each in a shell of its own, and returns which of them succeed. */
async function successes(
  attempts: readonly (readonly [how: string, line: string])[],
  ...options: string[]
): Promise<string[]> {
  const lines = attempts.map(([, line], index) => {
    const words = line.replaceAll('AGENT', String(agent)).replaceAll("'", "'\\''");
    return `sh -c '${words}' >/dev/null 2>&1 && echo ${index}`;
  });
  const { stdout } = await inside('plain', lines.join('; '), ...options);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((index) => attempts[Number(index)]![0]);
}

describe('netfold’s keys and sockets', () => {
  it('are out of reach for applications, and in reach for who may do everything', async () => {
    expect(agent).toBeGreaterThan(1);
    expect(await successes(ATTEMPTS, '--privileged')).toEqual(ATTEMPTS.map(([how]) => how));
    expect(await successes([...ATTEMPTS, ...REVEALING])).toEqual([]);
  });

  it('are not reached by the folder in which a command is started', async () => {
    const words = `cd ${experimentFolder(NAME)} && exec ${process.cwd()}/bin/netfold exec plain --name ${NAME} -- `;
    const { out } = await run('sh', ['-c', `${words} sh -c 'cat mesh.key || ls; pwd'`]);
    expect(out).toBe(`data\n${experimentFolder(NAME)}\n`);
  });

  it('are hidden from the command of a service, whose folder and log work', async () => {
    await until(() => existsSync(join(dataFolder(NAME, 'plain.0'), 'name')), 'its command has written');
    expect(readFileSync(logFile(NAME, 'plain.0'), 'utf8')).toMatch(
      /CapEff:\t0+a00425fb\ncat: .*\nhidden\n$/s,
    );
  });
});

describe('capabilities', () => {
  const CHANGE = 'ip link set dev eth0 txqueuelen 1001';

  it('are the default ones: ping, names and low ports, but no change of the network', async () => {
    const line = `ping -qc 1 -W 5 admin >/dev/null && echo reached; id -u; ls ${RUN_FOLDER}; cat $NETFOLD_DATA/name`;
    const { stdout, stderr } = await inside('plain', `${line}; ${CHANGE}`);
    expect(stdout).toBe(`reached\n0\n${NAME}\nplain.0\n`);
    expect(stderr).toContain('Operation not permitted');
  });

  it('are added where the file asks for them, and the keys stay hidden', async () => {
    const line = `${CHANGE} && echo changed; cat ${KEY} || cat /proc/${agent}/root${KEY} || echo hidden`;
    expect((await inside('admin', line)).stdout).toBe('changed\nhidden\n');
  });

  it('are dropped where the file says so; all of them are there for who asks for all', async () => {
    const caps = (node: string) => inside(node, 'grep -h CapBnd /proc/self/status');
    const all = readFileSync('/proc/self/status', 'utf8').match(/^CapBnd:.*\n/m)![0];
    expect((await caps('bare')).stdout).toBe('CapBnd:\t0000000000000000\n');
    expect((await caps('whole')).stdout).toBe(all);
  });

  it('are none for another user than root, who finds the endpoint’s folder', async () => {
    const line = 'id -un; grep CapEff /proc/self/status; touch $NETFOLD_DATA/mine && echo made';
    expect((await inside('person', line)).stdout).toBe('nobody\nCapEff:\t0000000000000000\nmade\n');
  });
});
