/**
 * Sandboxes that containerd is about to start. CRI has them when they are ready, which on a busy machine is seconds after their
 * interface is there; containerd itself tells of them before. Nothing of a pod runs until CRI has it, so what is shaped here is shaped
 * before its first packet. Other runtimes tell nothing of it, and are followed by CRI alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, Metadata } from '@grpc/grpc-js';
import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader';
import { z } from 'zod';
import type { Inspected, Listed } from '../containers/containers.ts';
import { inodeAt } from '../containers/sandbox.ts';
import { CONTAINERD, CONTAINERS, EVENTS } from './containerd-messages.ts';
import { isUnimplemented } from './errors.ts';
import { onMachine } from './runtime-socket.ts';

/** containerd's own namespace for what CRI makes. */
const KUBERNETES = 'k8s.io';
const FILTER = `namespace==${KUBERNETES},topic~="^/containers/"`;
const ENDED = '/containers/delete';
const METADATA = 'io.cri-containerd.sandbox.metadata';
/** Until the stream is opened again. */
const AGAIN_MS = 1000;
/** Between two looks for the address of an interface, which take a tenth of a millisecond. */
const LOOK_MS = 20;
/** A network that has no address until then is that of a plugin which failed; the same goes for a sandbox that is not ready. */
const LONGEST_MS = 60_000;

const envelopeSchema = z.object({
  topic: z.string(),
  event: z.object({ value: z.object({ id: z.string().min(1) }) }),
});
const containerSchema = z.object({
  container: z.object({ extensions: z.record(z.string(), z.object({ value: z.instanceof(Buffer) })) }),
});
/** Of containerd's pkg/cri/store/sandbox. */
const metadataSchema = z.object({
  Metadata: z.object({
    NetNSPath: z.string(),
    Config: z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      labels: z.record(z.string(), z.string()).nullish(),
    }),
  }),
});

interface Coming {
  readonly listed: Listed;
  readonly inspected: Inspected;
  readonly since: number;
}

export class ComingSandboxes {
  readonly #client: Client;
  readonly #network: string;
  readonly #events: ServiceDefinition;
  readonly #containers: ServiceDefinition;
  readonly #coming = new Map<string, Coming>();

  /** `network`: what the network of a pod is called. */
  constructor(client: Client, network: string) {
    this.#client = client;
    this.#network = network;
    const options = { longs: Number, defaults: true, objects: true };
    const services = fromJSON(CONTAINERD, options);
    this.#events = services[EVENTS] as ServiceDefinition;
    this.#containers = services[CONTAINERS] as ServiceDefinition;
  }

  /** Those that CRI does not have. `known`: ids that it has. */
  listed(known: ReadonlySet<string>): Listed[] {
    const oldest = performance.now() - LONGEST_MS;
    for (const [id, { since }] of this.#coming) if (known.has(id) || since < oldest) this.#coming.delete(id);
    return [...this.#coming.values()].map(({ listed }) => listed);
  }

  inspected(id: string): Inspected | undefined {
    return this.#coming.get(id)?.inspected;
  }

  /** Tells of each that comes, and of each that goes before CRI has had it. Resolves at once at a runtime that tells nothing. */
  async follow(onSandbox: (id: string) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#hear(onSandbox, signal))) {
      this.#coming.clear();
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** Until the stream breaks off. Returns whether there is one. */
  #hear(onSandbox: (id: string) => void, signal: AbortSignal): Promise<boolean> {
    const { path, requestSerialize, responseDeserialize } = this.#events.Subscribe!;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const stream = this.#client.makeServerStreamRequest(
      ...([path, requestSerialize, responseDeserialize, { filters: [FILTER] }, new Metadata()] as const),
    );
    stream.on('data', (told) => void this.#take(told, onSandbox, signal).catch(() => {}));
    stream.on('error', (error) => resolve(!isUnimplemented(error)));
    stream.on('end', () => resolve(true));
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel);
    return promise.finally(() => signal.removeEventListener('abort', cancel));
  }

  async #take(told: unknown, onSandbox: (id: string) => void, signal: AbortSignal): Promise<void> {
    const { topic, event } = envelopeSchema.parse(told);
    const { id } = event.value;
    if (topic === ENDED) {
      if (this.#coming.delete(id)) onSandbox(id);
      return;
    }
    const coming = await this.#find(id, signal);
    // It is told of several times.
    if (!coming || this.#coming.has(id)) return;
    this.#coming.set(id, coming);
    onSandbox(id);
  }

  /** Resolves when its interface has an address; `undefined`: it is no sandbox, has no network yet, or none any more. */
  async #find(id: string, signal: AbortSignal): Promise<Coming | undefined> {
    const metadata = (await this.#get(id)).container.extensions[METADATA];
    if (!metadata) return undefined;
    const { NetNSPath, Config } = metadataSchema.parse(JSON.parse(metadata.value.toString())).Metadata;
    const namespacePath = onMachine(NetNSPath);
    const since = performance.now();
    const { soleAddresses } = await import('../containers/survey.ts');
    while (NetNSPath !== '' && !signal.aborted && inodeAt(namespacePath) !== undefined) {
      const addresses = soleAddresses(namespacePath);
      if (addresses.length > 0) {
        const { name, namespace } = Config.metadata;
        const pod = { id, name: `${namespace}/${name}`, isPod: true } as const;
        return {
          listed: { ...pod, labels: Config.labels ?? {}, state: 'running' },
          inspected: {
            ...pod,
            namespacePath,
            networkMode: this.#network,
            networks: { [this.#network]: addresses },
          },
          since,
        };
      }
      if (performance.now() - since > LONGEST_MS) break;
      await sleep(LOOK_MS, undefined, { signal });
    }
    return undefined;
  }

  #get(id: string): Promise<z.infer<typeof containerSchema>> {
    const { path, requestSerialize, responseDeserialize } = this.#containers.Get!;
    const { promise, resolve, reject } = Promise.withResolvers<z.infer<typeof containerSchema>>();
    const metadata = new Metadata();
    metadata.set('containerd-namespace', KUBERNETES);
    this.#client.makeUnaryRequest(
      ...([path, requestSerialize, responseDeserialize, { id }, metadata] as const),
      { deadline: Date.now() + LONGEST_MS },
      (error, answer) => (error ? reject(error) : resolve(containerSchema.parse(answer))),
    );
    return promise;
  }
}
