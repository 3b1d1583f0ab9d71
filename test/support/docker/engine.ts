/** A Docker engine of the tests' own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Finished, run } from '../lab/lab.ts';
import { TestDaemon } from './daemon.ts';

export const IMAGE = 'netfold-test';

export class TestEngine extends TestDaemon {
  readonly socket: string;
  readonly #isNode: boolean;

  private constructor(isNode: boolean) {
    super('docker');
    this.socket = join(this.folder, 'docker.sock');
    this.#isNode = isNode;
  }

  /** Resolves when it answers, and has the image. `isNode`: it may be in a swarm, and its containers find it at the usual socket. */
  static async start({ isNode = false } = {}): Promise<TestEngine> {
    const engine = new TestEngine(isNode);
    try {
      engine.makeNamespace();
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

  protected words(): string[] {
    const at = (name: string): string => join(this.folder, name);
    const words = [
      ...['dockerd', '--host', `unix://${this.socket}`],
      ...['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid')],
      ...['--containerd-namespace', this.name, '--containerd-plugins-namespace', `${this.name}-plugins`],
      ...['--cgroup-parent', `/${this.name}`, '--exec-opt', 'native.cgroupdriver=cgroupfs'],
      '--ip-forward=false',
    ];
    // Containers go on without it; not so in a swarm.
    if (!this.#isNode) return [...words, '--live-restore'];
    // With a name of its own, as nodes have, and a /run of its own, so that each has the usual socket.
    const own = `hostname ${this.name} && mount -t tmpfs tmpfs /run`;
    const script = `${own} && exec "$@" --host unix:///run/docker.sock`;
    return ['unshare', '--mount', '--uts', '--propagation', 'private', 'sh', '-c', script, 'sh', ...words];
  }

  protected answers(): boolean {
    return this.#docker(['version']).status === 0;
  }

  protected removeContainers(): void {
    const { stdout } = this.#docker(['ps', '--all', '--quiet']);
    const ids = (stdout ?? '').split(/\s+/).filter((id) => id !== '');
    if (ids.length > 0) this.#docker(['rm', '--force', '--volumes', ...ids]);
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

  #makeImage(): void {
    execFileSync('docker', ['import', '-', IMAGE], {
      env: this.env,
      input: this.busyboxTar(),
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  }
}
