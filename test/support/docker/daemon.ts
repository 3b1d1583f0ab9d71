/**
 * A daemon of the tests' own that runs containers: in a network namespace of its own, which has its bridges and rules, with folders
 * and control groups of its own. Everything of it is removed, whatever happens.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNamespaces, namespacePath, removeNamespace } from '../../../agent/kernel/netns/namespaces.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import { killIfThere } from '../kernel/kill.ts';
import { until } from '../lab/lab.ts';

/** Programs of the tests' image, all of them busybox. */
const APPLETS = ['sh', 'ping', 'sleep', 'cat', 'echo', 'env', 'nc', 'ip', 'id', 'hostname', 'nslookup'];
const CGROUPS = '/sys/fs/cgroup';
const UP_MS = 30_000;

let counter = 0;

export abstract class TestDaemon {
  /** Of its network namespace and its control groups. */
  readonly name: string;
  readonly folder: string;
  readonly #upMs: number;
  #daemon: ChildProcess | undefined;

  constructor(kind: string, upMs = UP_MS) {
    this.#upMs = upMs;
    this.name = `${kind}-test-${process.pid}-${counter++}`;
    this.folder = mkdtempSync(join(tmpdir(), `netfold-${kind}-`));
  }

  /** Its program and arguments. */
  protected abstract words(): string[];
  /** Whether it answers. */
  protected abstract answers(): boolean | Promise<boolean>;
  /** Removes the containers that are there, by the daemon itself; it may not answer. */
  protected abstract removeContainers(): void | Promise<void>;

  get daemonPid(): number {
    return this.#daemon!.pid!;
  }

  protected makeNamespace(): void {
    createNamespaces([this.name]);
    execFileSync('ip', ['-n', this.name, 'link', 'set', 'lo', 'up']);
  }

  /** Resolves when it answers. */
  async startDaemon(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const words = [`--net=${namespacePath(this.name)}`, ...this.words()];
    this.#daemon = spawn('nsenter', words, { stdio: ['ignore', log, log] });
    closeSync(log);
    const daemon = this.#daemon;
    await until(
      () => {
        if (daemon.exitCode !== null) throw new Error(`${this.words()[0]} has ended:\n${this.#log()}`);
        return this.answers();
      },
      'the engine answers',
      this.#upMs,
    );
  }

  #log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  }

  /** Ends the daemon; what becomes of its containers is its own matter. */
  async stopDaemon(): Promise<void> {
    const daemon = this.#daemon!;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
  }

  /** The files of an image, as a tar archive: no registry is needed. */
  protected busyboxTar(): Buffer {
    const root = join(this.folder, 'root');
    for (const folder of ['bin', 'tmp', 'etc']) mkdirSync(join(root, folder), { recursive: true });
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
    return execFileSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 64 * 2 ** 20 });
  }

  /** Removes it with all that it has made. */
  async remove(): Promise<void> {
    await this.removeContainers();
    const daemon = this.#daemon;
    if (daemon && daemon.exitCode === null && daemon.signalCode === null) {
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGCONT');
      daemon.kill('SIGTERM');
      const timer = setTimeout(() => daemon.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    }
    // Daemons of its own, and what it has left.
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const left = this.#processes();
      for (const pid of left) killIfThere(pid, signal);
      await until(() => this.#processes().length === 0, 'its processes have ended', 5000).catch(() => {});
    }
    for (const mount of this.#mounts()) spawnSync('umount', ['--lazy', mount]);
    for (const group of this.#groups()) removeTree(group);
    removeNamespace(this.name);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Those in its namespace and its control groups, and those with its folder in their words: shims, which have another network. */
  #processes(): number[] {
    const named = readdirSync('/proc').filter((entry) => {
      if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return false;
      try {
        return readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(this.folder);
      } catch {
        return false;
      }
    });
    const contained = this.#groups().flatMap((folder) => tasksBelow(folder));
    return [...new Set([...processesIn([this.name]), ...named.map(Number), ...contained])];
  }

  /** The innermost first. */
  #mounts(): string[] {
    const all = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return all
      .map((line) => line.split(' ')[4] ?? '')
      .filter((mount) => mount.startsWith(`${this.folder}/`))
      .reverse();
  }

  #groups(): string[] {
    if (!existsSync(CGROUPS)) return [];
    const hierarchies = ['.', ...readdirSync(CGROUPS)];
    return hierarchies
      .map((hierarchy) => join(CGROUPS, hierarchy, this.name))
      .filter((one) => existsSync(one));
  }
}

function tasksBelow(folder: string): number[] {
  const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own.map(Number), ...below.flatMap(({ name }) => tasksBelow(join(folder, name)))];
}

/** Control groups have files that can't be removed. */
function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch {
    // A process in it is just ending, or another entry of the list is a link to the same.
  }
}
