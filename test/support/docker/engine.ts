/**
 * A Docker engine of the tests' own: in a network namespace of its own, which has its bridges and rules, with folders, socket and
 * control groups of its own. Everything of it is removed, whatever happens.
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
import { type Finished, run, until } from '../lab/lab.ts';

/** Programs of its image, all of them busybox. */
const APPLETS = ['sh', 'ping', 'sleep', 'cat', 'echo', 'env', 'nc', 'ip', 'id', 'hostname', 'nslookup'];
export const IMAGE = 'netfold-test';
const CGROUPS = '/sys/fs/cgroup';
const UP_MS = 30_000;

let counter = 0;

export class TestEngine {
  readonly #name = `docker-test-${process.pid}-${counter++}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'netfold-docker-'));
  readonly socket = join(this.#folder, 'docker.sock');
  #daemon: ChildProcess | undefined;

  /** Resolves when it answers, and has the image. */
  static async start(): Promise<TestEngine> {
    const engine = new TestEngine();
    try {
      createNamespaces([engine.#name]);
      execFileSync('ip', ['-n', engine.#name, 'link', 'set', 'lo', 'up']);
      await engine.startDaemon();
      engine.#makeImage();
      return engine;
    } catch (error) {
      await engine.remove();
      throw error;
    }
  }

  /** Environment of commands that use it. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, DOCKER_HOST: `unix://${this.socket}`, NO_COLOR: '1' };
  }

  get daemonPid(): number {
    return this.#daemon!.pid!;
  }

  async startDaemon(): Promise<void> {
    const at = (name: string): string => join(this.#folder, name);
    const words = [
      ...[`--net=${namespacePath(this.#name)}`, 'dockerd', '--host', `unix://${this.socket}`],
      ...['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')],
      ...['--containerd-namespace', this.#name, '--containerd-plugins-namespace', `${this.#name}-plugins`],
      ...['--cgroup-parent', `/${this.#name}`, '--exec-opt', 'native.cgroupdriver=cgroupfs'],
      ...['--live-restore', '--ip-forward=false'],
    ];
    const log = openSync(at('log'), 'a');
    this.#daemon = spawn('nsenter', words, { stdio: ['ignore', log, log] });
    closeSync(log);
    const daemon = this.#daemon;
    await until(
      () => {
        if (daemon.exitCode !== null) throw new Error(`dockerd has ended:\n${this.#log()}`);
        return this.#docker(['version']).status === 0;
      },
      'the engine answers',
      UP_MS,
    );
  }

  #log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  }

  /** Ends the daemon; its containers go on (`--live-restore`). */
  async stopDaemon(): Promise<void> {
    const daemon = this.#daemon!;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
  }

  #docker(args: readonly string[]) {
    return spawnSync('docker', args, { env: this.env, encoding: 'utf8' });
  }

  /** Runs `docker`, and returns what it prints; throws if it fails. */
  docker(...args: readonly string[]): string {
    const { status, stdout, stderr } = this.#docker(args);
    if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** Starts a container that stays, with a line in its log. */
  run(name: string, ...options: readonly string[]): void {
    this.docker(
      'run',
      '--detach',
      '--name',
      name,
      ...options,
      IMAGE,
      'sh',
      '-c',
      `echo I am ${name}; exec sleep 3600`,
    );
  }

  pidOf(name: string): number {
    return Number(this.docker('inspect', '--format', '{{.State.Pid}}', name));
  }

  addressOf(name: string, network: string, field: 'IPAddress' | 'GlobalIPv6Address' = 'IPAddress'): string {
    return this.docker(
      'inspect',
      '--format',
      `{{(index .NetworkSettings.Networks "${network}").${field}}}`,
      name,
    );
  }

  /** Runs a program in the network of a container, as a process of this machine. */
  inNetworkOf(name: string, ...command: readonly string[]): Promise<Finished> {
    return run('nsenter', [`--net=/proc/${this.pidOf(name)}/ns/net`, ...command]);
  }

  /** An image from a folder: no registry is needed. */
  #makeImage(): void {
    const root = join(this.#folder, 'root');
    for (const folder of ['bin', 'tmp', 'etc']) mkdirSync(join(root, folder), { recursive: true });
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
    const tar = execFileSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 64 * 2 ** 20 });
    execFileSync('docker', ['import', '-', IMAGE], {
      env: this.env,
      input: tar,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  }

  /** Removes it with all that it has made. */
  async remove(): Promise<void> {
    this.#removeContainers();
    const daemon = this.#daemon;
    if (daemon && daemon.exitCode === null && daemon.signalCode === null) {
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGCONT');
      daemon.kill('SIGTERM');
      const timer = setTimeout(() => daemon.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    }
    // Its containerd, and what it has left.
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const left = this.#processes();
      for (const pid of left) kill(pid, signal);
      await until(() => this.#processes().length === 0, 'its processes have ended', 5000).catch(() => {});
    }
    for (const mount of this.#mounts()) spawnSync('umount', ['--lazy', mount]);
    for (const group of this.#groups()) removeTree(group);
    removeNamespace(this.#name);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #removeContainers(): void {
    const { stdout } = this.#docker(['ps', '--all', '--quiet']);
    const ids = (stdout ?? '').split(/\s+/).filter((id) => id !== '');
    if (ids.length > 0) this.#docker(['rm', '--force', '--volumes', ...ids]);
  }

  /** Those in its namespace and its control groups, and those with its folder in their words: shims, which have another network. */
  #processes(): number[] {
    const named = readdirSync('/proc').filter((entry) => {
      if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return false;
      try {
        return readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(this.#folder);
      } catch {
        return false;
      }
    });
    const contained = this.#groups().flatMap((folder) => tasksBelow(folder));
    return [...new Set([...processesIn([this.#name]), ...named.map(Number), ...contained])];
  }

  /** The innermost first. */
  #mounts(): string[] {
    const all = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return all
      .map((line) => line.split(' ')[4] ?? '')
      .filter((mount) => mount.startsWith(`${this.#folder}/`))
      .reverse();
  }

  #groups(): string[] {
    if (!existsSync(CGROUPS)) return [];
    const hierarchies = ['.', ...readdirSync(CGROUPS)];
    return hierarchies
      .map((hierarchy) => join(CGROUPS, hierarchy, this.#name))
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

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
