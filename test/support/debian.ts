/** Debian's smallest system in a folder, and booted there: its process 1 in namespaces of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { unpackInto } from '../../deploy/vm/unpacked-packages.ts';
import { killIfThere } from './kernel/kill.ts';
import { type Finished, run, until } from './lab/lab.ts';

/** Of this machine, whose systemd-nspawn has to know how the system's systemd wants its control groups. */
const RELEASE = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
const BOOT_MS = 120_000;

/** How a system's process 1 is asked whether it has booted, and to end. */
export interface Init {
  readonly ask: readonly string[];
  /** What it answers then. */
  readonly isUp: RegExp;
  readonly powerOff: readonly string[];
}

const SYSTEMD: Init = {
  ask: ['systemctl', 'is-system-running'],
  isUp: /^(running|degraded)$/,
  powerOff: ['systemctl', 'poweroff', '--no-block'],
};

/** Makes it in `folder/root`, with these packages. Returns its path. `folder/tools` has what makes it. */
export async function makeDebian(folder: string, packages: readonly string[]): Promise<string> {
  const tools = join(folder, 'tools');
  const root = join(folder, 'root');
  await unpackInto(tools, ['debootstrap', 'systemd-container']);
  const words = ['--variant=minbase', `--include=${packages.join(',')}`, RELEASE, root];
  const made = await run('sh', ['-c', 'exec "$0/usr/sbin/debootstrap" "$@"', tools, ...words], {
    ...process.env,
    DEBOOTSTRAP_DIR: join(tools, 'usr/share/debootstrap'),
  });
  if (made.code !== 0) throw new Error(`debootstrap failed:\n${made.out.slice(-2000)}${made.err}`);
  return root;
}

/** A system that runs. Its files outlast it, as over a boot; what is in /run does not. */
export class BootedDebian {
  readonly #nspawn: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #init: Init;
  #output = '';

  private constructor(nspawn: ChildProcess, init: Init) {
    this.#nspawn = nspawn;
    this.#init = init;
    this.#ended = once(nspawn, 'exit');
    for (const stream of [nspawn.stdout!, nspawn.stderr!])
      stream.on('data', (text: Buffer) => {
        this.#output += text.toString();
      });
  }

  /** `folder` as `makeDebian` has it; `network`: the name of a network namespace. */
  static async boot(folder: string, network: string, init = SYSTEMD): Promise<BootedDebian> {
    const words = [
      ...['--register=no', '--keep-unit', '--boot', '--console=pipe', '--quiet'],
      ...['--resolv-conf=off', '--timezone=off', '--link-journal=no'],
      ...['--directory', join(folder, 'root'), `--network-namespace-path=${namespacePath(network)}`],
      ...['--capability=all', '--system-call-filter=bpf perf_event_open @mount @privileged'],
    ];
    const nspawn = spawn(join(folder, 'tools/usr/bin/systemd-nspawn'), words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network' },
    });
    const booted = new BootedDebian(nspawn, init);
    try {
      await until(() => booted.#isUp(), 'it has booted', BOOT_MS);
    } catch (error) {
      await booted.remove();
      throw new Error(`${(error as Error).message}\n${booted.#output.slice(-3000)}`);
    }
    return booted;
  }

  /** Runs a command there. */
  run(...command: string[]): Promise<Finished> {
    const words = [`--target=${this.#first()}`, '--all', '--', 'env', '-i', PATH, ...command];
    return run('nsenter', words);
  }

  /** As the button of a machine: everything ends in order. */
  async powerOff(): Promise<void> {
    await this.run(...this.#init.powerOff);
    await this.#ended;
  }

  /** Pulls the plug. */
  async remove(): Promise<void> {
    if (this.#nspawn.exitCode !== null || this.#nspawn.signalCode !== null) return;
    const first = this.#first();
    if (first !== undefined) killIfThere(first);
    this.#nspawn.kill('SIGKILL');
    await this.#ended;
  }

  async #isUp(): Promise<boolean> {
    if (this.#nspawn.exitCode !== null) throw new Error('systemd-nspawn has ended');
    if (this.#first() === undefined) return false;
    const { out } = await this.run(...this.#init.ask);
    return this.#init.isUp.test(out.trim());
  }

  /** Its process 1, by the machine's numbers. */
  #first(): number | undefined {
    const { pid } = this.#nspawn;
    if (pid === undefined) return undefined;
    try {
      const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
      return child ? Number(child) : undefined;
    } catch {
      return undefined;
    }
  }
}

const PATH = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';
