/**
 * A machine with the distribution's own kernel on this machine's files, emulated by QEMU without KVM.
 *
 * Its root is the host's, read-only under a layer of memory: what commands write is gone with the machine, except for
 * what they write to /results. It ends with `stop()`, with the process that booted it, or when a command takes too long.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { lastLines, ROOT } from '../setup/processes.mjs';
import { CommandPort, type CommandResult } from './command-port.ts';
import { CACHE, distributionKernel } from './distribution-kernel.ts';
import { MachineError } from './errors.ts';
import { writeInitramfs } from './initramfs.ts';
import { type CableEnd, qemuArguments } from './qemu-arguments.ts';

export interface BootOptions {
  readonly hostname?: string;
  readonly memoryMb?: number;
  /** A folder of the host, at /results inside and writable there. */
  readonly results?: string;
  readonly cable?: CableEnd;
}

export interface RunOptions {
  readonly timeoutMs: number;
  /** Told what the command prints as it comes. */
  readonly onOutput?: (text: string) => void;
  /** Default: the checkout. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Alone on two cores it takes 5 s; two machines at once beside other work take several times that. */
const BOOT_TIMEOUT_MS = 90_000;
const KEPT_LINES = 25;

const SETTINGS = {
  /** Node compiles slowly on an emulated processor, and every agent of every test would anew. */
  NODE_COMPILE_CACHE: '/compiled',
  NODE_OPTIONS: `--require="${join(ROOT, 'deploy/vm/guest/no-wasm-tier-up.cjs')}"`,
  NETFOLD_SLOW_MACHINE: '1',
  NO_COLOR: '1',
};

export class VirtualMachine {
  readonly hostname: string;
  /** The host's folder that is /results inside. */
  readonly results: string;
  readonly #qemu: ChildProcess;
  readonly #port: CommandPort;
  readonly #folder: string;
  readonly #exited: Promise<void>;
  readonly #onProcessExit = (): void => this.#removeFolder();
  #release = '';
  #isUp = true;
  #errors = '';

  private constructor(hostname: string, folder: string, results: string, args: readonly string[]) {
    this.hostname = hostname;
    this.#folder = folder;
    this.results = results;
    // It must not outlive this process, whatever ends it.
    this.#qemu = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    process.once('exit', this.#onProcessExit);
    const { stdin, stdout, stderr } = this.#qemu;
    this.#port = new CommandPort({ send: stdin!, receive: stdout! });
    stderr!.on('data', (text: Buffer) => {
      this.#errors += text.toString();
    });
    this.#exited = new Promise((resolve) => {
      const ended = (how: string): void => {
        this.#isUp = false;
        this.#port.close(
          new MachineError('MACHINE_ENDED', `the machine ${hostname} ${how}${this.#lastWords()}`),
        );
        resolve();
      };
      this.#qemu.once('error', ({ message }) => ended(`could not be started: ${message}`));
      this.#qemu.once('exit', (code, signal) => ended(`has ended (${signal ?? `exit code ${code}`})`));
    });
  }

  /** Resolves when the machine takes commands. Throws `MachineError` and leaves nothing behind when it doesn't come up. */
  static async boot(options: BootOptions = {}): Promise<VirtualMachine> {
    const { hostname = 'vm', memoryMb = 3072, cable } = options;
    const kernel = await distributionKernel();
    const folder = mkdtempSync(join(tmpdir(), 'netfold-vm-'));
    const results = options.results ?? mkdtempSync(join(folder, 'results-'));
    const initramfs = join(folder, 'initramfs');
    let machine: VirtualMachine | undefined;
    try {
      await writeInitramfs(initramfs, kernel);
      const console = join(folder, 'console');
      const { image } = kernel;
      const compiled = join(CACHE, 'compiled');
      mkdirSync(compiled, { recursive: true });
      const files = { image, initramfs, results, compiled, console };
      const args = qemuArguments({ ...files, memoryMb, hostname, cable });
      machine = new VirtualMachine(hostname, folder, results, args);
      await machine.#up();
      return machine;
    } catch (error) {
      await machine?.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** False once it has ended, by `stop`, by itself, or because a command took too long. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** As `uname -r` prints it inside. */
  get release(): string {
    return this.#release;
  }

  /** Runs a shell command as root. One at a time. A command that takes too long ends the machine. */
  async run(command: string, options: RunOptions): Promise<CommandResult> {
    const { timeoutMs, onOutput, cwd = ROOT, env = {} } = options;
    const settings = { ...SETTINGS, PATH: `${join(ROOT, 'node_modules/.bin')}:$PATH`, ...env };
    const exports = Object.entries(settings).map(([name, value]) => `export ${name}=${quote(name, value)}\n`);
    const script = `cd ${quote('', cwd)} || exit\n${exports.join('')}${command}`;
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const printed = `it printed:\n${lastLines(this.#port.output, KEPT_LINES)}`;
      const message = `\`${command}\` did not end within ${timeoutMs / 1000} s in ${this.hostname}; ${printed}`;
      limit.reject(new MachineError('COMMAND_TIMEOUT', message + this.#lastWords()));
    }, timeoutMs);
    try {
      return await Promise.race([this.#port.run(script, onOutput), limit.promise]);
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Pulls the plug: nothing that the machine could save is wanted. Idempotent. */
  async stop(): Promise<void> {
    this.#qemu.kill('SIGKILL');
    await this.#exited;
    process.off('exit', this.#onProcessExit);
    this.#removeFolder();
  }

  #removeFolder(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #up(): Promise<void> {
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const message = `the machine ${this.hostname} did not come up within ${BOOT_TIMEOUT_MS / 1000} s`;
      limit.reject(new MachineError('BOOT_FAILED', message + this.#lastWords()));
    }, BOOT_TIMEOUT_MS);
    try {
      this.#release = await Promise.race([this.#port.ready, limit.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The last messages of the kernel and QEMU. */
  #lastWords(): string {
    let console = '';
    try {
      console = readFileSync(join(this.#folder, 'console'), 'utf8');
    } catch {
      // QEMU did not get as far as making it.
    }
    const text = lastLines(stripVTControlCharacters(`${console}\n${this.#errors}`), KEPT_LINES);
    return text === '' ? '' : `; its last words:\n${text}`;
  }
}

/** PATH alone is made of what the machine has. */
function quote(name: string, value: string): string {
  return name === 'PATH' ? `"${value}"` : `'${value.replaceAll("'", `'\\''`)}'`;
}
