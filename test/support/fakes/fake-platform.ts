/** A platform in memory: prints what it has in sorted lines, and fails where a test wants it to. */

import { z } from 'zod';
import { readOptions } from '../../../controller/platform/port/options.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from '../../../controller/platform/port/plan.ts';
import type {
  AgentOrder,
  EndpointPlace,
  Leftover,
  LeftoverSearch,
  Platform,
  Remains,
  RunningAgent,
  Standing,
  Wanted,
  Watch,
} from '../../../controller/platform/port/platform.ts';
import { isStanding, standingPlan } from '../../../controller/platform/port/standing.ts';
import { count } from '../../../proto/words.ts';

const FAKE = 'fake';

/** Ends when a test ends it. */
interface FakeAgent extends RunningAgent {
  readonly namespace: string;
  end(): void;
}

export class FakePlatform implements Platform {
  readonly name = FAKE;
  readonly runsImages = true;
  /** Namespace → its experiment. */
  readonly #places = new Map<string, string>();
  /** By socket. */
  readonly #agents = new Map<string, FakeAgent>();
  /** Namespaces with something of netfold's that bears no experiment's name. */
  readonly #marks = new Set<string>();

  /** Two hosts; there are no options. */
  plan(wanted: Wanted | Standing): Plan {
    const common = { platform: FAKE, outlivesAgent: false } as const;
    if (isStanding(wanted)) {
      const found = standingPlan(wanted, (host) => `fake.${wanted.experiment}+${host}`);
      return { ...found, ...common, place: count(found.hosts.length, 'shelf') };
    }
    readOptions(FAKE, z.strictObject({}), wanted.options);
    const { experiment } = wanted;
    const hosts = [0, 1].map(
      (index): PlannedHost => ({
        ...{ index, name: `shelf${index}`, namespace: `fake.${experiment}+shelf${index}` },
        ...{ address: `192.0.2.${index + 1}`, meshPort: 4646 },
      }),
    );
    const endpoints = wanted.endpoints.map((name, number): PlannedEndpoint => {
      const [host, address] = [hosts[number % 2]!, `198.51.100.${number + 1}`];
      const place = { namespace: `fake.${experiment}.${name}`, interface: { name: 'eth0', index: 2 } };
      return { number, name, ...place, address, addresses: [address], host };
    });
    return { ...common, experiment, place: count(hosts.length, 'shelf'), hosts, endpoints, settings: {} };
  }

  async make({ experiment, hosts, endpoints }: Plan, { signal, onProgress }: Watch): Promise<void> {
    const made: string[] = [];
    try {
      for (const { namespace } of [...hosts, ...endpoints]) {
        await Promise.resolve();
        signal?.throwIfAborted();
        if (this.#places.has(namespace)) throw new Error(`${namespace} is there already`);
        this.#places.set(namespace, experiment);
        made.push(namespace);
        onProgress?.({ doing: 'making places', done: made.length, of: hosts.length + endpoints.length });
      }
    } catch (error) {
      for (const namespace of made) this.#places.delete(namespace);
      throw error;
    }
  }

  startAgent({ namespace }: PlannedHost, { socket, adopt }: AgentOrder): RunningAgent {
    const running = this.#agents.get(socket);
    if (adopt && running) return running;
    if (!this.#places.has(namespace)) throw new Error(`there is no ${namespace}`);
    const { promise, resolve } = Promise.withResolvers<string>();
    const end = (): void => {
      this.#agents.delete(socket);
      resolve('was ended by SIGTERM');
    };
    const agent = { pid: undefined, exited: promise, namespace, end };
    this.#agents.set(socket, agent);
    return agent;
  }

  exec({ namespace }: EndpointPlace, command: readonly string[]): string[] {
    return ['env', `PLACE=${namespace}`, ...command];
  }

  async remove({ experiment, endpoints }: Remains): Promise<string[]> {
    for (const agent of [...this.#agents.values()])
      if (this.#places.get(agent.namespace) === experiment) agent.end();
    await Promise.resolve();
    const namespaces = [...this.#places].flatMap(([name, of]) => (of === experiment ? [name] : []));
    for (const namespace of namespaces) this.#places.delete(namespace);
    for (const { namespace } of endpoints) this.#marks.delete(namespace);
    return namespaces.length > 0 ? [`${count(namespaces.length, 'place')} removed`] : [];
  }

  findLeftovers(where: LeftoverSearch): Leftover[] {
    const places = [...this.#places].map(
      ([name, experiment]): Leftover => ({
        ...{ what: `the place ${name}`, experiment },
        remove: () => void this.#places.delete(name),
      }),
    );
    if (where === 'experiments') return places;
    const marks = [...this.#marks].map(
      (name): Leftover => ({ what: `the mark of ${name}`, remove: () => void this.#marks.delete(name) }),
    );
    return [...places, ...marks];
  }

  /** What an agent that was killed leaves in an endpoint. */
  mark(namespace: string): void {
    this.#marks.add(namespace);
  }

  toString(): string {
    return [
      ...[...this.#places.keys()].map((name) => `place ${name}`),
      ...[...this.#agents.values()].map(({ namespace }) => `agent in ${namespace}`),
      ...[...this.#marks].map((name) => `mark of ${name}`),
    ]
      .sort()
      .join('\n');
  }
}

export type Method = 'plan' | 'make' | 'startAgent' | 'exec' | 'remove' | 'findLeftovers';
export const METHODS: readonly Method[] = ['plan', 'make', 'startAgent', 'exec', 'remove', 'findLeftovers'];

export class PlatformFailure extends Error {}

/**
 * The platform, but that a method fails, once: before it has done anything, or when all is done, as where an answer is
 * lost.
 */
export function failingAt(platform: Platform, method: Method, when: 'before' | 'after'): Platform {
  let hasFailed = false;
  const fail = (): void => {
    if (hasFailed) return;
    hasFailed = true;
    throw new PlatformFailure(`${method} fails ${when} it is done`);
  };
  const broken = async (...args: unknown[]): Promise<unknown> => {
    if (when === 'before') fail();
    const result = await (platform[method] as (...all: unknown[]) => unknown).apply(platform, args);
    if (when === 'after') fail();
    return result;
  };
  const bound = Object.fromEntries(
    METHODS.map((name) => [name, (platform[name] as (...all: unknown[]) => unknown).bind(platform)]),
  );
  const { name, runsImages } = platform;
  return { name, runsImages, ...bound, [method]: broken } as unknown as Platform;
}
