/** Several programs that belong together, with what a machine of its own gives them: processes, mounts, a name, a network. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { namespacePath } from '../../../../agent/kernel/netns/namespaces.ts';
import { TestDaemon } from '../../docker/daemon.ts';
import { type Finished, run } from '../../lab/lab.ts';

/** The API server makes its types and rules at its first start; on a machine that others keep busy. */
const UP_MS = 300_000;

export interface Programs {
  /** Lines of a shell, before they start. */
  readonly before?: readonly string[];
  /** By the name of their log. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
  readonly answer: () => Promise<boolean>;
}

export abstract class Daemons extends TestDaemon {
  #programs: Programs = { commands: {}, answer: async () => true };

  constructor(kind: string) {
    super(kind, UP_MS);
  }

  /** Resolves when they answer; rejects when one ends. */
  protected async startAll(programs: Programs): Promise<void> {
    this.#programs = programs;
    const { before = [], commands } = programs;
    const lines = Object.entries(commands).map(([name, words]) => {
      const ended = `echo "${name} has ended with $?" >>${quote(this.#ended)}`;
      return `(${words.map(quote).join(' ')} >${quote(this.#log(name))} 2>&1; ${ended}) &`;
    });
    const script = ['set -e', `hostname ${quote(this.name)}`, ...before, 'set +e', ...lines, 'wait', ''];
    writeFileSync(join(this.folder, 'start'), script.join('\n'));
    await this.startDaemon();
  }

  protected words(): string[] {
    const own = ['--mount', '--uts', '--pid', '--fork', '--mount-proc', '--kill-child'];
    return ['unshare', ...own, '--propagation', 'private', 'sh', join(this.folder, 'start')];
  }

  protected answers(): Promise<boolean> {
    this.requireAll();
    return this.#programs.answer();
  }

  /** Throws if one of them has ended. */
  requireAll(): void {
    if (existsSync(this.#ended)) throw new Error(readFileSync(this.#ended, 'utf8').trim());
  }

  get #ended(): string {
    return join(this.folder, 'ended');
  }

  #log(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  /** The ends of their logs. */
  lastWords(lines = 15): string[] {
    return Object.keys(this.#programs.commands).flatMap((name) => {
      const file = this.#log(name);
      const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '';
      const all = text.split('\n');
      // Behind it, each thread says where it was.
      const fatal = all.findIndex((line) => /^F\d{4} /.test(line));
      return [`--- ${name}`, ...(fatal < 0 ? all.slice(-lines) : all.slice(fatal, fatal + 2))];
    });
  }

  /** The first of their processes, with which all end. */
  get init(): number {
    const children = readFileSync(`/proc/${this.daemonPid}/task/${this.daemonPid}/children`, 'utf8');
    return Number(children.trim());
  }

  /** A program of this machine in their network alone. */
  beside(...command: readonly string[]): Promise<Finished> {
    return run('nsenter', [`--net=${namespacePath(this.name)}`, ...command]);
  }

  /** Where they see the files. */
  inside(...command: readonly string[]): Promise<Finished> {
    return run('nsenter', [`--target=${this.init}`, '--mount', '--uts', '--net', '--pid', ...command]);
  }

  protected removeContainers(): void {
    try {
      process.kill(this.init, 'SIGKILL');
    } catch {
      // It has not begun, or has ended.
    }
  }
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
