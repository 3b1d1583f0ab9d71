/**
 * Follows the containers of an experiment while its agent runs: what the engine has is compared with what the agent has, at each
 * piece of news from the engine and now and then without. A container that was started again is attached in its new namespace; one
 * that does not run is detached. What is missing, and an engine that does not answer, is told to the agent, which has it in its status.
 */
import type { PlannedEndpoint, PlannedHost } from '../port/plan.ts';
import type { EndpointDoor } from '../port/platform.ts';
import { preferIpv4 } from '../port/standing.ts';
import type { NamesPort } from './container-names.ts';
import { called, type EnginePort, type Inspected, type Listed } from './containers.ts';
import { chooseNetwork } from './networks.ts';
import { areNumbered, containersHere } from './ordinals.ts';
import { type EngineName, parseSandbox, type Sandbox, sandboxName, shortId } from './sandbox.ts';
import type { SandboxPort } from './sandboxes.ts';
import { type Followed, followContainers } from './selectors.ts';
import type { ContainerSettings } from './settings.ts';
import { requireFree } from './taken.ts';

/** How often all containers are looked at without news: what happened while the engine was silent is seen then. */
const LOOK_MS = 10_000;
/** After something has failed; twice as long each time that it fails again. */
const AGAIN_MS = 250;
const LONGEST_AGAIN_MS = 2000;
/** Where containers have no numbers, it is looked this often which endpoints other machines have, and which have ended. */
const CLAIMS_MS = 250;
/** Of what is wrong, so much is told. */
const MOST_TOLD = 100;
const LONGEST_TOLD = 500;
/** So many requests to the engine at a time. */
const AT_ONCE = 8;

export interface WatchPorts {
  readonly platform: EngineName;
  readonly experiment: string;
  readonly host: PlannedHost;
  readonly settings: ContainerSettings;
  readonly engine: EnginePort;
  readonly sandboxes: SandboxPort;
  readonly door: EndpointDoor;
  /** Absent: the topology's names do not resolve in the containers. */
  readonly names?: NamesPort;
}

/** An endpoint and the container that it is to be. */
interface Due {
  readonly number: number;
  readonly container: Listed;
}

export class ContainerWatch {
  readonly #ports: WatchPorts;
  /** Containers of which there was news since the last look. */
  #news = new Set<string>();
  /** Endpoint → id of the container that it was last. */
  readonly #last = new Map<string, string>();
  /** Endpoint → the hosts file of its container, and what netfold has written there. */
  readonly #files = new Map<string, { readonly path: string; written: string }>();
  /** Endpoint → why it is not attached. */
  readonly #failed = new Map<string, string>();
  /** Endpoints that other machines have; absent: all containers have numbers. */
  #elsewhere: ReadonlySet<string> | undefined;
  #told: readonly string[] | undefined;
  #isTold = false;
  #wake: () => void = () => {};
  readonly #stopped = new AbortController();
  #ended: Promise<unknown> = Promise.resolve();

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#ended = Promise.all([this.#follow(), this.#watch()]);
  }

  /** Resolves when nothing is done any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake();
    await this.#ended;
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  async #watch(): Promise<void> {
    let fullAt = 0;
    let failures = 0;
    while (!this.#isStopped) {
      const isFull = performance.now() >= fullAt;
      const hasAnswered = await this.look(isFull);
      if (!hasAnswered) fullAt = 0;
      else if (isFull) fullAt = performance.now() + LOOK_MS;
      const isDone = hasAnswered && this.#isTold && this.#failed.size === 0;
      failures = isDone ? 0 : failures + 1;
      if (hasAnswered && this.#news.size > 0) continue;
      const again = Math.min(AGAIN_MS * 2 ** (failures - 1), LONGEST_AGAIN_MS);
      await this.#pause(!isDone ? again : this.#elsewhere ? CLAIMS_MS : LOOK_MS);
    }
  }

  /** Reads the engine's news, and opens the stream again when it breaks off: a look sees what was missed. */
  async #follow(): Promise<void> {
    while (!this.#isStopped) {
      await this.#ports.engine
        .follow((id) => {
          this.#news.add(id);
          this.#wake();
        }, this.#stopped.signal)
        .catch(() => {});
      this.#news.add(ANY);
      this.#wake();
      if (!this.#isStopped) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /**
   * Compares once. `isFull`: all containers are looked at, not only those of which there is news. Returns whether the engine has
   * answered; never rejects.
   */
  async look(isFull: boolean): Promise<boolean> {
    const { engine, settings, door } = this.#ports;
    const news = this.#news;
    this.#news = new Set();
    const problems: string[] = [];
    try {
      const listed = await engine.list();
      const here = new Map(door.endpoints().map((endpoint) => [endpoint.name, endpoint]));
      for (const endpoint of here.values()) this.#remember(endpoint, listed);
      const { endpoints } = settings;
      const followed = await this.#assign(listed);
      problems.push(...followed.problems);
      const isDue = (endpoint: string, { id }: Listed): boolean =>
        isFull ||
        news.has(ANY) ||
        news.has(id) ||
        this.#failed.has(endpoint) ||
        !isOf(here.get(endpoint), id);
      const due: Due[] = [];
      for (const [number, endpoint] of endpoints.entries()) {
        const container = followed.assignment.get(endpoint);
        if (!container) await this.#detach(number, here);
        else if (isDue(endpoint, container)) due.push({ number, container });
      }
      // Those of which there is news first.
      due.sort((a, b) => Number(news.has(b.container.id)) - Number(news.has(a.container.id)));
      for (let at = 0; at < due.length && !this.#isStopped; at += AT_ONCE)
        await allOf(due.slice(at, at + AT_ONCE).map((one) => this.#bring(one, here)));
    } catch (error) {
      for (const id of news) this.#news.add(id);
      await this.#tell([...(this.#told ?? []).filter((one) => !isOfEngine(one)), ofEngine(error)]);
      return false;
    }
    await this.#tell([...problems, ...this.#failed.values(), ...this.#writeNames()]);
    return true;
  }

  async #assign(listed: readonly Listed[]): Promise<Followed> {
    const { door, settings, engine } = this.#ports;
    const { selectors, endpoints } = settings;
    if (!settings.here) return followContainers(selectors, endpoints, listed, this.#last);
    const others = this.#elsewhere;
    this.#elsewhere = areNumbered(selectors, listed)
      ? undefined
      : await door.elsewhere().catch(() => others ?? new Set<string>());
    const here = (ended?: ReadonlySet<string>) =>
      containersHere(selectors, endpoints, listed, this.#last, this.#elsewhere, ended);
    const followed = here();
    if (followed.contending.length === 0 || !engine.ended) return followed;
    return here(await engine.ended(followed.contending));
  }

  /** Tells all containers where all endpoints are, if that has changed. Returns what went wrong, one sentence each. */
  #writeNames(): string[] {
    const { names, door } = this.#ports;
    if (!names || this.#isStopped) return [];
    const endpoints = door.endpoints();
    const all = JSON.stringify(endpoints.map(({ name, addresses }) => [name, addresses]));
    return endpoints.flatMap(({ name }) => {
      const file = this.#files.get(name);
      if (!file || file.written === all) return [];
      try {
        names.put(file.path, endpoints);
        file.written = all;
        return [];
      } catch (error) {
        return [`names do not resolve in ${name}: ${(error as Error).message}`];
      }
    });
  }

  /** Which container an endpoint is, by the name of its sandbox. */
  #remember({ name, namespace }: PlannedEndpoint, listed: readonly Listed[]): void {
    const short = parseSandbox(namespace)?.container;
    const container = listed.find(({ id }) => shortId(id) === short);
    if (short !== undefined) this.#last.set(name, container?.id ?? short);
  }

  async #detach(number: number, here: ReadonlyMap<string, PlannedEndpoint>): Promise<void> {
    const name = this.#ports.settings.endpoints[number]!;
    const endpoint = here.get(name);
    this.#failed.delete(name);
    if (!endpoint || this.#isStopped) return;
    try {
      await this.#ports.door.detach(number);
      await this.#ports.sandboxes.close(endpoint.namespace);
    } catch (error) {
      this.#failed.set(name, `${name} can't be detached: ${(error as Error).message}`);
    }
  }

  /** Attaches an endpoint, unless it is where its container is. Throws if the engine does not answer. */
  async #bring({ number, container }: Due, here: ReadonlyMap<string, PlannedEndpoint>): Promise<void> {
    const name = this.#ports.settings.endpoints[number]!;
    const inspected = await this.#ports.engine.inspect(container.id);
    if (this.#isStopped) return;
    try {
      // It has ended since it was listed, and there will be news of it.
      if (inspected?.hostsFile === undefined) this.#files.delete(name);
      else this.#files.set(name, { path: inspected.hostsFile, written: '' });
      if (inspected?.namespacePath === undefined) await this.#detach(number, here);
      else await this.#attach(number, inspected, inspected.namespacePath, here.get(name));
      this.#failed.delete(name);
    } catch (error) {
      await this.#detach(number, here);
      this.#failed.set(name, `${name} is not shaped: ${(error as Error).message}`);
    }
  }

  async #attach(
    number: number,
    container: Inspected,
    path: string,
    before: PlannedEndpoint | undefined,
  ): Promise<void> {
    const { platform, experiment, host, settings, sandboxes, door } = this.#ports;
    const name = settings.endpoints[number]!;
    const { network, addresses } = chooseNetwork(container, settings.network, new Set(settings.networks));
    if (!settings.here && settings.network === undefined && !settings.networks.includes(network))
      throw new Error(`${called(container)} is in none of these networks: ${settings.networks.join(' ')}`);
    const inode = sandboxes.inodeAt(path);
    if (inode === undefined) throw new Error(`${called(container)} has just ended`);
    const sandbox: Sandbox = {
      ...{ platform, experiment, endpoint: name },
      ...{ container: shortId(container.id), inode },
    };
    const isThere = before?.namespace === sandboxName(sandbox);
    if (isThere && addresses.every((address) => before.addresses.includes(address))) return;
    requireFree(sandbox, container);
    const attached = await sandboxes.open(sandbox, path, addresses);
    if (!attached) throw new Error(`${called(container)} has no interface with ${addresses.join(', ')} yet`);
    try {
      this.#stopped.signal.throwIfAborted();
      await door.attach({ number, name, host, ...attached, address: preferIpv4(attached.addresses) });
    } catch (error) {
      // An agent that starts must not look for it.
      if (!this.#isStopped) await door.detach(number).catch(() => {});
      await sandboxes.close(attached.namespace);
      throw error;
    }
    for (const [other, id] of this.#last) if (id === container.id) this.#last.delete(other);
    this.#last.set(name, container.id);
    if (before && before.namespace !== attached.namespace) await sandboxes.close(before.namespace);
  }

  /** While the agent starts, it is told again and again. */
  async #tell(all: readonly string[]): Promise<void> {
    const problems = all.slice(0, MOST_TOLD).map((problem) => problem.slice(0, LONGEST_TOLD));
    if (this.#isTold && this.#told?.join('\n') === problems.join('\n')) return;
    this.#told = problems;
    this.#isTold = await this.#ports.door.tell(problems).then(
      () => true,
      () => false,
    );
  }
}

/** Waits for all, also if one fails. */
async function allOf(actions: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(actions)).find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Stands for news of which it is not known what it is about. */
const ANY = '';

const ENGINE_TROUBLE = 'containers are not followed: ';
const ofEngine = (error: unknown): string => `${ENGINE_TROUBLE}${(error as Error).message}`;
const isOfEngine = (problem: string): boolean => problem.startsWith(ENGINE_TROUBLE);

const isOf = (endpoint: PlannedEndpoint | undefined, id: string): boolean =>
  endpoint !== undefined && parseSandbox(endpoint.namespace)?.container === shortId(id);
