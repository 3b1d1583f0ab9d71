/** An experiment in a cluster: its pods and its agents, as `kubectl` shows and reaches them. */
import { type Finished, until } from '../../lab/lab.ts';
import type { TestCluster } from './cluster.ts';

/** On a busy machine. */
export const SOON_MS = 240_000;
const IN_IMAGE = '/usr/bin/netfold';

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string; readonly podIP?: string };
}

interface Status {
  readonly host: string;
  readonly state: string;
  readonly known: number;
  readonly endpoints: readonly string[];
  readonly conflicts: readonly string[];
  readonly degraded: readonly string[];
}

export interface Place {
  readonly cluster: TestCluster;
  /** Of the experiment. */
  readonly name: string;
  /** Where its pods are. */
  readonly namespace: string;
  /** In the order of their names. */
  readonly endpoints: readonly string[];
}

export class Deployed {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  kubectl(...words: readonly string[]): Promise<string> {
    return this.#place.cluster.kubectl('--namespace', this.#place.namespace, ...words);
  }

  /** In the order of their names; `label`: `KEY=VALUE`. */
  async pods(label?: string): Promise<Pod[]> {
    const chosen = label === undefined ? [] : ['--selector', label];
    const out = await this.kubectl('get', 'pods', ...chosen, '--sort-by=.metadata.name', '--output', 'json');
    return (JSON.parse(out) as { items: Pod[] }).items;
  }

  async pod(name: string): Promise<Pod> {
    return JSON.parse(await this.kubectl('get', 'pod', name, '--output', 'json')) as Pod;
  }

  inPod(pod: string, ...command: readonly string[]): Promise<Finished> {
    const { cluster, namespace } = this.#place;
    return cluster.tryKubectl('--namespace', namespace, 'exec', pod, '--', ...command);
  }

  /** Milliseconds; infinite where nothing comes back. */
  async roundTrip(from: string, to: string): Promise<number> {
    const { out } = await this.inPod(from, 'ping', '-c', '5', '-i', '0.3', '-W', '1', to);
    return Number(/= [\d.]+\/([\d.]+)\//.exec(out)?.[1] ?? Number.POSITIVE_INFINITY);
  }

  async agents(): Promise<Pod[]> {
    const { cluster, name } = this.#place;
    const out = await cluster.kubectl('--namespace', `${name}-netfold`, 'get', 'pods', '--output', 'json');
    return (JSON.parse(out) as { items: Pod[] }).items;
  }

  inAgent({ metadata }: Pod, ...words: readonly string[]): Promise<Finished> {
    const { cluster, name } = this.#place;
    return cluster.tryKubectl(
      ...['--namespace', `${name}-netfold`, 'exec', metadata.name, '--', IN_IMAGE, ...words],
    );
  }

  /** What the agents say; those that don't answer yet are left out. */
  async statuses(): Promise<Status[]> {
    const all: Status[] = [];
    for (const agent of await this.agents()) {
      const { out, code } = await this.inAgent(agent, 'status', this.#place.name, '--json');
      if (code === 0) all.push(...(JSON.parse(out) as { agents: Status[] }).agents);
    }
    return all;
  }

  async #allShape(): Promise<boolean> {
    const all = await this.statuses();
    const here = all.flatMap(({ endpoints }) => endpoints).sort();
    const { cluster, endpoints } = this.#place;
    return (
      all.length === cluster.nodes.length &&
      here.join(' ') === endpoints.join(' ') &&
      all.every(
        ({ known, state, degraded, conflicts }) =>
          known === endpoints.length &&
          state === 'running' &&
          degraded.length === 0 &&
          conflicts.length === 0,
      )
    );
  }

  /** Until each endpoint is at one agent, and all know all. With what the agents say if it does not come to that. */
  async untilAllShape(what: string): Promise<void> {
    try {
      await until(() => this.#allShape(), what, SOON_MS);
    } catch (error) {
      const { cluster, name } = this.#place;
      const [says, pods] = [await this.statuses(), await cluster.kubectl('get', 'pods', '--all-namespaces')];
      const logs = await Promise.all(
        (await this.agents()).map(({ metadata }) =>
          cluster.tryKubectl('--namespace', `${name}-netfold`, 'logs', '--tail=30', metadata.name),
        ),
      );
      const words = [JSON.stringify(says), pods, ...logs.map(({ out, err }) => out + err)];
      throw new Error(`${(error as Error).message}\n${words.join('\n')}`, { cause: error });
    }
  }
}
