/** What is asked inside of endpoints to see whether their services are ready. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Bootstrap, LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Timers } from '../clock/clock.ts';
import { withUsersUmask } from '../files/umask.ts';
import { listensAt } from '../kernel/netlink/tcp-sockets-of-namespace.ts';
import { environmentFor, type RunCommand, wordsFor } from './command-words.ts';
import type { EndpointGroups } from './endpoint-groups.ts';

export interface ProbePort {
  /** Whether something in the endpoint listens at a TCP port. Throws where the endpoint is gone. */
  listens(endpoint: LocalEndpoint, port: number): boolean;
  /** Whether a command in the endpoint exits with 0, in five seconds at most. Its output is dropped. Never rejects. */
  succeeds(command: RunCommand): Promise<boolean>;
  /** Ends what is being asked: nothing waits for it. */
  stop(): void;
}

const LONGEST_MS = 5000;

export class Probes implements ProbePort {
  readonly #bootstrap: Pick<Bootstrap, 'experiment' | 'dataFolder'>;
  readonly #timers: Timers;
  readonly #groups: Pick<EndpointGroups, 'standing'>;
  readonly #asked = new Set<ChildProcess>();

  constructor(
    bootstrap: Pick<Bootstrap, 'experiment' | 'dataFolder'>,
    timers: Timers,
    groups: Pick<EndpointGroups, 'standing'>,
  ) {
    this.#groups = groups;
    this.#bootstrap = bootstrap;
    this.#timers = timers;
  }

  listens({ namespace }: LocalEndpoint, port: number): boolean {
    return listensAt(namespace, port);
  }

  succeeds(command: RunCommand): Promise<boolean> {
    const { experiment, dataFolder } = this.#bootstrap;
    const [program, ...args] = wordsFor(command, dataFolder, this.#groups.standing(command.endpoint.name));
    // Part of the endpoint's life, but no command that a next agent would adopt.
    const env = environmentFor(command.endpoint, experiment, dataFolder);
    // In a process group of its own, to be killed with all that it has started.
    const child = withUsersUmask(() => spawn(program!, args, { stdio: 'ignore', detached: true, env }));
    this.#asked.add(child);
    return new Promise((resolve) => {
      const cancel = this.#timers.after(LONGEST_MS, () => killGroup(child.pid));
      const end = (isGood: boolean): void => {
        cancel();
        this.#asked.delete(child);
        resolve(isGood);
      };
      child.once('error', () => end(false));
      child.once('exit', (code) => end(code === 0));
    });
  }

  stop(): void {
    for (const { pid } of this.#asked) killGroup(pid);
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
