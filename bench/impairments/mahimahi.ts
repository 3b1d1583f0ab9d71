/**
 * Numbered packets through mm-link of Mahimahi, the reference for its traces. Debian 11 has the package `mahimahi`, whose mm-link runs
 * on later ones as well: it needs to be in PATH, with its set-user-ID bit, and dnsmasq beside it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inNamespace } from '../../controller/names.ts';
import { findCommand } from '../../deploy/setup/processes.mjs';
import type { Arrivals } from './arrivals.ts';
import { exchange, receiverWords, type Stream, senderWords } from './numbered.ts';

const run = promisify(execFile);

/** mm-link gives it to the side outside of the first that it starts in a network namespace. */
const OUTSIDE = '100.64.0.1';
/** Its queue has no bound by default, and more is sent than passes. */
const QUEUE = ['--uplink-queue=droptail', '--uplink-queue-args=packets=100'];
/** mm-link wants a user other than root. */
const USER = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];

/** `trace`: the file's text. `undefined`: there is no mm-link here. Throws `COMMAND_FAILED`, and system errors. */
export async function throughMahimahi(trace: string, stream: Stream): Promise<Arrivals | undefined> {
  const [program, iptables] = [findCommand('mm-link'), findCommand('iptables')];
  if (program === undefined || iptables === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'netfold-bench-'));
  const namespace = `bench-${process.pid}-mahimahi`;
  const inside = (words: readonly string[]): ChildProcess => {
    const [command, ...rest] = inNamespace(namespace, words);
    return spawn(command!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  };
  await run('ip', ['netns', 'add', namespace]);
  try {
    const file = join(folder, 'trace.up');
    writeFileSync(file, trace);
    const shim = iptablesAsRoot(folder, iptables);
    // Whatever the umask is.
    await run('chmod', ['-R', 'a+rX', folder]);
    const sender = [...USER, program, file, file, ...QUEUE, '--', ...senderWords(OUTSIDE, stream)];
    const quoted = sender.map((word) => `'${word}'`).join(' ');
    // Only mm-link sees the other iptables: `ip netns exec` has given this shell mounts of its own.
    const script = `ip link set lo up && sysctl -qw net.ipv4.ip_forward=1 && mount --bind ${shim} ${iptables} && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin USER=nobody HOME=/ ${quoted}`;
    return await exchange(inside(receiverWords()), () => inside(['sh', '-c', script]), stream);
  } finally {
    await run('ip', ['netns', 'del', namespace]);
    rmSync(folder, { recursive: true });
  }
}

/** mm-link starts iptables with the rights of its set-user-ID bit, which versions from 1.8.8 on refuse: a program that becomes root first. */
function iptablesAsRoot(folder: string, iptables: string): string {
  const [real, shim] = [join(folder, 'xtables'), join(folder, 'iptables')];
  copyFileSync(realpathSync(iptables), real);
  const text = `#!${realpathSync(process.execPath)}
process.setgid(0);
process.setuid(0);
const words = ['iptables', ...process.argv.slice(2)];
process.exit(require('node:child_process').spawnSync('${real}', words, { stdio: 'inherit' }).status ?? 1);
`;
  writeFileSync(shim, text, { mode: 0o755 });
  return shim;
}
