/**
 * The commands that run in local endpoints: started inside the endpoint, output kept in a file, ended with all their
 * children. `ip netns exec` enters the namespace and brings the topology's names along.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { NETNS_FOLDER } from '../kernel/namespaces.ts';
import type { LocalEndpoint } from './model.ts';

export interface RunCommand {
  readonly endpoint: LocalEndpoint;
  /** For `sh -c`. */
  readonly command: string;
}

/** How long a process may take to end after SIGTERM. */
const TERM_MS = 2000;

export class Processes {
  /** Endpoint → its commands that are running: that of the service first, then those of `run` events. */
  readonly #children = new Map<string, Set<ChildProcess>>();
  /** Endpoint → how the command that ended last has ended. */
  readonly #ended = new Map<string, string>();
  readonly #logFolder: string;

  constructor(logFolder: string) {
    this.#logFolder = logFolder;
  }

  start({ endpoint, command }: RunCommand): void {
    mkdirSync(this.#logFolder, { recursive: true });
    const output = openSync(join(this.#logFolder, `${endpoint.name}.log`), 'a');
    const [program, ...args] = insideOf(endpoint.namespace, ['sh', '-c', command]);
    const child = spawn(program!, args, {
      stdio: ['ignore', output, output],
      // A process group of its own, so that what the shell starts ends with it; and alive when the agent is killed.
      detached: true,
      env: { ...process.env, ...endpointEnvironment(endpoint) },
    });
    closeSync(output);
    const { name } = endpoint;
    const running = this.#children.get(name) ?? new Set();
    this.#children.set(name, running.add(child));
    child.on('error', (error) => this.#end(name, child, `failed: ${error.message}`));
    child.on('exit', (code, signal) =>
      this.#end(name, child, signal ? `ended by ${signal}` : `exited with ${code}`),
    );
  }

  /** Endpoint → `pid 123`, or how its command ended. */
  status(): Record<string, string> {
    const running = [...this.#children].map(([name, [first]]) => [name, `pid ${first?.pid}`]);
    return Object.fromEntries([...this.#ended, ...running]);
  }

  /** Sends a signal to all commands of an endpoint, and to what they have started. */
  signal(name: string, signal: NodeJS.Signals): void {
    for (const child of this.#children.get(name) ?? []) signalGroup(child, signal);
  }

  /** Asks the commands of an endpoint to end, waits, and kills what does not. */
  async end(name: string): Promise<void> {
    await endAll([...(this.#children.get(name) ?? [])]);
  }

  /** The same for all endpoints. */
  async stop(): Promise<void> {
    await endAll([...this.#children.values()].flatMap((running) => [...running]));
  }

  #end(name: string, child: ChildProcess, how: string): void {
    const running = this.#children.get(name);
    if (!running?.delete(child)) return;
    this.#ended.set(name, how);
    if (running.size === 0) this.#children.delete(name);
  }
}

async function endAll(children: readonly ChildProcess[]): Promise<void> {
  const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of children) signalGroup(child, 'SIGTERM');
  const patience = setTimeout(() => {
    for (const child of children) signalGroup(child, 'SIGKILL');
  }, TERM_MS);
  await Promise.all(ended);
  clearTimeout(patience);
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The words that run a command in a namespace; `ip netns exec` brings the topology's names along. */
function insideOf(namespace: string, command: readonly string[]): string[] {
  const isNamed = dirname(namespace) === NETNS_FOLDER;
  return isNamed ? ['ip', 'netns', 'exec', basename(namespace), ...command] : [...command];
}

/** What a command can know of the endpoint it runs in; an address that it doesn't have is empty. */
export function endpointEnvironment({
  name,
  addresses,
}: Pick<LocalEndpoint, 'name' | 'addresses'>): Record<string, string> {
  const dot = name.lastIndexOf('.');
  return {
    NETFOLD_NODE: name,
    NETFOLD_SERVICE: name.slice(0, dot),
    NETFOLD_REPLICA: name.slice(dot + 1),
    NETFOLD_ADDRESS: addresses.find(isIPv4) ?? '',
    NETFOLD_ADDRESS6: addresses.find(isIPv6) ?? '',
  };
}
