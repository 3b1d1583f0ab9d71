/** Somebody who removes what netfold has installed at endpoints, and what is there when all is well. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { inNamespace } from '../../controller/names.ts';
import type { PlannedEndpoint } from '../../controller/platform/port/plan.ts';
import { BenchError } from '../errors.ts';
import { differences } from './agreement.ts';
import type { Taken } from './plan.ts';

const COMMANDS: Readonly<Record<Taken, (ifname: string) => string[]>> = {
  rules: () => ['nft', 'flush', 'ruleset'],
  programs: (ifname) => ['tc', 'qdisc', 'delete', 'dev', ifname, 'clsact'],
  root: (ifname) => ['tc', 'qdisc', 'delete', 'dev', ifname, 'root'],
};

/** At each of the endpoints. It may be gone already, where it was taken before. */
export async function take(endpoints: readonly PlannedEndpoint[], object: Taken): Promise<void> {
  await Promise.all(endpoints.map((endpoint) => ran(endpoint, COMMANDS[object](endpoint.interface.name))));
}

/** Returns the function that ends it. */
export function takeAgain(
  endpoints: readonly PlannedEndpoint[],
  object: Taken,
  everyMs: number,
): () => Promise<void> {
  let isOver = false;
  const work = async (): Promise<void> => {
    while (!isOver) {
      await take(endpoints, object);
      await sleep(everyMs);
    }
  };
  const working = work();
  return () => {
    isOver = true;
    return working;
  };
}

/** Rules and programs at endpoints, which stay the same while the topology changes. */
export class Installed {
  readonly #endpoints: readonly PlannedEndpoint[];
  readonly #right: readonly string[];

  private constructor(endpoints: readonly PlannedEndpoint[], right: readonly string[]) {
    this.#endpoints = endpoints;
    this.#right = right;
  }

  /** What is there now is right. */
  static async now(endpoints: readonly PlannedEndpoint[]): Promise<Installed> {
    return new Installed(endpoints, await Promise.all(endpoints.map(installedAt)));
  }

  /** A line for each superfluous or missing one. */
  async wrong(): Promise<string[]> {
    const has = await Promise.all(this.#endpoints.map(installedAt));
    const lines = (text: string): string[] => text.split('\n').map((line) => line.trim());
    return this.#endpoints.flatMap(({ name }, index) =>
      differences(`rules and programs of ${name}`, lines(has[index]!), lines(this.#right[index]!)),
    );
  }
}

async function installedAt(endpoint: PlannedEndpoint): Promise<string> {
  const { namespace, interface: place } = endpoint;
  const filters = `tc filter show dev ${place.name}`;
  const script = `nft list ruleset; ${filters} ingress; ${filters} egress`;
  const { text, code, complaint } = await ran(endpoint, ['sh', '-ec', script]);
  if (code !== 0) throw new BenchError('FAULT_FAILED', `nft or tc in ${namespace}: ${complaint.trim()}`);
  // The kernel numbers programs; counters count.
  return text.replaceAll(/\bid \d+|tag [0-9a-f]+|packets \d+ bytes \d+/g, '');
}

function ran(
  { namespace }: PlannedEndpoint,
  words: readonly string[],
): Promise<{ text: string; complaint: string; code: number | null }> {
  const [program, ...args] = inNamespace(namespace, words);
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    text += data;
  });
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    complaint += data;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ text, complaint, code }));
  });
}
