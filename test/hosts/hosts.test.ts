/** `netfold inject` on many hosts at once, and what one of them costs. `NETFOLD_HOSTS`: another number than 64. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../support/lab/lab.ts';
import { type SshHosts, startSshHosts } from '../support/lab/ssh-hosts.ts';

const HOSTS = Number(process.env.NETFOLD_HOSTS ?? 64);
/** A host that accepts connections and says nothing is given up after so long (ConnectTimeout). */
const SILENT_MS = 10_000;
const SILENT_PORT = 7022;
const PATIENCE_MS = 400_000;

let lab: SshHosts;
let topology: string;
let inventory: string;
let silent: ReturnType<typeof spawn>;

beforeAll(async () => {
  lab = await startSshHosts(new Array(HOSTS).fill(22), { isLarge: true });
  const words = [
    'netns',
    'exec',
    lab.here.namespace,
    'iperf3',
    '-s',
    '--forceflush',
    '-p',
    String(SILENT_PORT),
  ];
  silent = spawn('ip', words);
  await once(silent.stdout!, 'data');
  const write = (name: string, text: string): string => {
    const file = join(lab.folder, name);
    writeFileSync(file, text);
    return file;
  };
  topology = write(
    'star.yaml',
    `services: { h: { replicas: ${HOSTS} } }\nbridges: [s]\nlinks: [{ from: h, to: s, latency: 10ms, bandwidth: 100Mbps }]\n`,
  );
  const lines = lab.hosts.map(
    ({ address }, at) => `  host${at}: { address: ${address}, user: root, is: h.${at} }`,
  );
  const hanging = `  hanging: { address: ${lab.here.address}, port: ${SILENT_PORT} }`;
  inventory = write('hosts.yaml', `hosts:\n${hanging}\n${lines.join('\n')}\n`);
});

afterAll(() => {
  silent?.kill('SIGKILL');
  lab?.remove();
});

const words = (...more: string[]): string[] => [
  ...['inject', topology, '--inventory', inventory, '--ssh-config', lab.config],
  ...more,
];

const has = (text: string, pattern: RegExp): number => (text.match(pattern) ?? []).length;

/** Milliseconds until so many lines of what it prints fit, and until it has ended. */
async function timesOf(
  pattern: RegExp,
  ...more: string[]
): Promise<{ all: number; end: number; code: number }> {
  const start = performance.now();
  const { child, output } = lab.here.start(...words(...more));
  const ended = once(child, 'exit').then(([code]) => ({
    code: code as number,
    end: performance.now() - start,
  }));
  await until(() => has(output(), pattern) >= HOSTS || child.exitCode !== null, output(), PATIENCE_MS);
  const all = performance.now() - start;
  const last = await ended;
  expect(has(output(), pattern), output()).toBe(HOSTS);
  return { all, ...last };
}

/** Seconds of a processor that a host has used: of what runs there, and of what its first process has seen the end of (proc(5)). */
async function cpuOf(index: number): Promise<number> {
  const line =
    "cat /proc/[0-9]*/stat 2>/dev/null | awk '{ sum += $14 + $15; if ($1 == 1) sum += $16 + $17 } END { print sum }'; getconf CLK_TCK";
  const [ticks, perSecond] = (await lab.sh(index, line)).out.split('\n').map(Number);
  return ticks! / perSecond!;
}

/** Of all processes of a host, in MiB. */
async function memoryOf(index: number): Promise<number> {
  const line = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum }'";
  return Number((await lab.sh(index, line)).out) / 1024;
}

it('are all installed, started and ended; one that hangs delays none of them', {
  timeout: 900_000,
}, async () => {
  const installed = await timesOf(/^✓ host\d+: installed$/gm, 'install');
  expect(installed.code).toBe(3);
  const before = await memoryOf(HOSTS - 1);
  const cpu = [await cpuOf(HOSTS - 1)];
  const started = await timesOf(/^✓ host\d+: h\.\d+ on eth0/gm, 'start');
  expect(started.code).toBe(0);
  cpu.push(await cpuOf(HOSTS - 1));
  const memory = (await memoryOf(HOSTS - 1)) - before;
  const again = await timesOf(/^✓ host\d+: was installed already$/gm, 'install');
  const shown = await timesOf(
    new RegExp(`^✓ host\\d+: running, h\\.\\d+, knows ${HOSTS}/${HOSTS}`, 'gm'),
    'status',
  );
  const stopped = await timesOf(/^✓ host\d+: stopped$/gm, 'stop');
  const gone = await timesOf(/files, tc, nftables and hosts file are as before$/gm, 'uninstall');
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const each = (ms: number): string => (ms / HOSTS).toFixed(0);
  const rows = {
    install: installed,
    start: started,
    'install again': again,
    status: shown,
    stop: stopped,
    uninstall: gone,
  };
  const [untilInstalled, untilStarted] = cpu as [number, number];
  process.stdout.write(
    `${HOSTS} hosts; of each ${untilInstalled.toFixed(1)} s of a processor to be installed, ${(untilStarted - untilInstalled).toFixed(1)} to be started, and ${memory.toFixed(0)} MiB\n`,
  );
  for (const [name, { all, end }] of Object.entries(rows))
    process.stdout.write(
      `${name}: all ${seconds(all)} s (${each(all)} ms a host), ended after ${seconds(end)} s\n`,
    );
  // Its own failure is told when it has not answered for so long, and not before.
  expect(again.end).toBeGreaterThan(SILENT_MS - 1000);
  expect(again.all).toBeLessThan(again.end);
});
