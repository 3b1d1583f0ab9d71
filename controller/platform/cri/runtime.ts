/**
 * The client of a container runtime on this machine, by the Container Runtime Interface of Kubernetes. Every request has a deadline;
 * what the runtime answers is checked, as all input from outside.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader';
import { z } from 'zod';
import { OWN_NAMESPACE_FILE } from '../../../agent/kernel/netns/namespace-files.ts';
import type { CheckedEngine, Inspected, Listed } from '../containers/containers.ts';
import { ContainerError } from '../containers/errors.ts';
import { namespaceOf } from '../containers/sandbox.ts';
import { ComingSandboxes } from './coming-sandboxes.ts';
import { isNotFound, runtimeError } from './errors.ts';
import { type Method, RUNTIME_V1, SERVICE } from './runtime-messages.ts';

const REQUEST_MS = 5000;
/**
 * How often the sandboxes are listed: containerd 1.6 has no events of CRI. Twice as often a replaced pod is shaped an eighth of a
 * second sooner; a list of some hundred takes the runtime a few milliseconds.
 */
const POLL_MS = 250;
/** The library waits for two minutes in the end, between attempts to connect. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 250, 'grpc.max_reconnect_backoff_ms': 2000 };
/** In CRI a pod has one network, whatever its plugins make of it. */
const POD_NETWORK = 'pod';

const metadataSchema = z.object({ name: z.string(), namespace: z.string() });
const versionSchema = z.object({ runtimeName: z.string(), runtimeVersion: z.string() });
const listSchema = z.object({
  items: z.array(
    z.object({
      id: z.string().min(1),
      metadata: metadataSchema,
      state: z.enum(['SANDBOX_READY', 'SANDBOX_NOTREADY']),
      labels: z.record(z.string(), z.string()),
    }),
  ),
});
const statusSchema = z.object({
  status: z.object({
    id: z.string().min(1),
    metadata: metadataSchema,
    state: z.enum(['SANDBOX_READY', 'SANDBOX_NOTREADY']),
    network: z.object({ ip: z.string(), additionalIps: z.array(z.object({ ip: z.string() })) }).nullish(),
    linux: z
      .object({ namespaces: z.object({ options: z.object({ network: z.string() }).nullish() }).nullish() })
      .nullish(),
  }),
  info: z.record(z.string(), z.string()),
});
const infoSchema = z.object({
  pid: z.int().nullish(),
  runtimeSpec: z
    .object({
      linux: z
        .object({ namespaces: z.array(z.object({ type: z.string(), path: z.string().nullish() })).nullish() })
        .nullish(),
    })
    .nullish(),
});
const containersSchema = z.object({
  containers: z.array(
    z.object({
      id: z.string().min(1),
      podSandboxId: z.string(),
      metadata: z.object({ name: z.string() }).nullish(),
      state: z.string(),
      createdAt: z.number(),
    }),
  ),
});
const containerStatusSchema = z.object({ status: z.object({ logPath: z.string() }) });
const execSchema = z.object({ url: z.string().min(1) });

export interface PodContainer {
  readonly id: string;
  readonly name: string;
}

export class Runtime implements CheckedEngine {
  readonly #socket: string;
  readonly #deadlineMs: number;
  readonly #client: Client;
  readonly #service: ServiceDefinition;
  /** What CRI does not have yet, while the runtime is followed. */
  readonly #coming: ComingSandboxes;

  constructor(socket: string, deadlineMs = REQUEST_MS) {
    this.#socket = socket;
    this.#deadlineMs = deadlineMs;
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure(), RECONNECT);
    const options = { longs: Number, enums: String, defaults: true, arrays: true, objects: true };
    this.#service = fromJSON(RUNTIME_V1, options)[SERVICE] as ServiceDefinition;
    this.#coming = new ComingSandboxes(this.#client, POD_NETWORK);
  }

  close(): void {
    this.#client.close();
  }

  /** Throws `ContainerError` if netfold can't work with this runtime. Returns its name and version. */
  async version(): Promise<string> {
    const { runtimeName, runtimeVersion } = await this.#ask(versionSchema, 'Version', {});
    return `${runtimeName} ${runtimeVersion}`;
  }

  async require(): Promise<void> {
    await this.version();
  }

  async list(): Promise<Listed[]> {
    const { items } = await this.#ask(listSchema, 'ListPodSandbox', {});
    const listed = items.map(({ id, metadata, state, labels }) => ({
      ...{ id, name: `${metadata.namespace}/${metadata.name}`, isPod: true, labels },
      state: state === 'SANDBOX_READY' ? 'running' : 'not ready',
    }));
    return [...listed, ...this.#coming.listed(new Set(items.map(({ id }) => id)))];
  }

  async inspect(id: string): Promise<Inspected | undefined> {
    const answer = await this.#findSandbox(id);
    if (!answer) return this.#coming.inspected(id);
    const { status, info } = answer;
    const { metadata, state, network, linux } = status;
    const isOnHost = linux?.namespaces?.options?.network === 'NODE';
    const addresses = [network?.ip ?? '', ...(network?.additionalIps ?? []).map(({ ip }) => ip)];
    const name = `${metadata.namespace}/${metadata.name}`;
    const pathOf = (): string => (isOnHost ? OWN_NAMESPACE_FILE : this.#namespaceIn(name, info));
    return {
      ...{ id: status.id, name, isPod: true, networkMode: isOnHost ? 'host' : POD_NETWORK },
      networks: isOnHost ? {} : { [POD_NETWORK]: addresses.filter((one) => one !== '') },
      namespacePath: state === 'SANDBOX_READY' ? pathOf() : undefined,
    };
  }

  async #findSandbox(id: string): Promise<z.infer<typeof statusSchema> | undefined> {
    try {
      return await this.#ask(statusSchema, 'PodSandboxStatus', { podSandboxId: id, verbose: true });
    } catch (error) {
      if (isNotFound((error as Error).cause)) return undefined;
      throw error;
    }
  }

  /** Throws `ENGINE_UNSUPPORTED` for a runtime that does not tell. */
  #namespaceIn(name: string, info: Readonly<Record<string, string>>): string {
    const { pid, runtimeSpec } = parseInfo(info.info);
    const namespaces = runtimeSpec?.linux?.namespaces ?? [];
    const path = namespaces.find(({ type }) => type === 'network')?.path ?? '';
    if (path !== '' && existsSync(path)) return path;
    if (typeof pid === 'number' && pid > 0) return namespaceOf(pid);
    if (path !== '') return path;
    throw new ContainerError(
      'ENGINE_UNSUPPORTED',
      `the container runtime at ${this.#socket} does not say where the network of the pod ${name} is`,
      'containerd and CRI-O say it; with cri-dockerd, use --engine docker',
    );
  }

  /** Of a sandbox, those that run, the oldest first. */
  async containersOf(sandbox: string): Promise<PodContainer[]> {
    const filter = { podSandboxId: sandbox };
    const { containers } = await this.#ask(containersSchema, 'ListContainers', { filter });
    return containers
      .filter(({ state }) => state === 'CONTAINER_RUNNING')
      .sort((a, b) => a.createdAt - b.createdAt)
      .map(({ id, metadata }) => ({ id, name: metadata?.name ?? id }));
  }

  /** Of these sandboxes, those that have had containers, of which none runs or is about to. */
  async ended(sandboxes: readonly string[]): Promise<Set<string>> {
    const { containers } = await this.#ask(containersSchema, 'ListContainers', {});
    const bySandbox = Map.groupBy(containers, ({ podSandboxId }) => podSandboxId);
    const areOver = (id: string): boolean =>
      bySandbox.get(id)?.every(({ state }) => state === 'CONTAINER_EXITED') ?? false;
    return new Set(sandboxes.filter(areOver));
  }

  /** Where the kubelet has its output written; empty: nowhere. */
  async logOf(container: string): Promise<string> {
    const { status } = await this.#ask(containerStatusSchema, 'ContainerStatus', { containerId: container });
    return status.logPath;
  }

  /** Where a command can be run in a container, for a minute. */
  async execUrl(container: string, command: readonly string[], terminal: boolean): Promise<string> {
    const { url } = await this.#ask(execSchema, 'Exec', {
      ...{ containerId: container, cmd: command, tty: terminal },
      ...{ stdin: true, stdout: true, stderr: !terminal },
    });
    return url;
  }

  /** Looks again and again; all are told at the beginning. Rejects if the runtime does not answer. */
  async follow(onContainer: (id: string) => void, signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    const until = AbortSignal.any([signal, ending.signal]);
    const coming = this.#coming.follow(onContainer, until);
    try {
      await this.#poll(onContainer, until);
    } finally {
      ending.abort();
      await coming;
    }
  }

  async #poll(onContainer: (id: string) => void, signal: AbortSignal): Promise<void> {
    let before = new Map<string, string>();
    while (!signal.aborted) {
      const now = new Map((await this.list()).map(({ id, state }) => [id, state]));
      for (const [id, state] of now) if (before.get(id) !== state) onContainer(id);
      for (const id of before.keys()) if (!now.has(id)) onContainer(id);
      before = now;
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** Any request. Throws `ContainerError`, with gRPC's error as its cause. */
  request(method: Method, message: object, deadlineMs = this.#deadlineMs): Promise<object> {
    const { path, requestSerialize, responseDeserialize } = this.#service[method]!;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        ...([path, requestSerialize, responseDeserialize, message, new Metadata()] as const),
        { deadline: Date.now() + deadlineMs },
        (error, answer) => {
          if (error) reject(runtimeError(this.#socket, error, deadlineMs));
          else resolve(answer ?? {});
        },
      );
    });
  }

  async #ask<T>(schema: z.ZodType<T>, method: Method, message: object): Promise<T> {
    const read = schema.safeParse(await this.request(method, message));
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    throw new ContainerError(
      'ENGINE_FAILED',
      `what answers at ${this.#socket} is no container runtime: ${method}: ${issue?.path.join('.')}: ${issue?.message}`,
      'see what it is: crictl --runtime-endpoint unix://SOCKET version',
    );
  }
}

function parseInfo(text: string | undefined): z.infer<typeof infoSchema> {
  try {
    return infoSchema.parse(JSON.parse(text ?? '{}'));
  } catch {
    return {};
  }
}
