/**
 * The client of a Docker engine on this machine. Every request has a deadline; what the engine answers is checked, as all input
 * from outside. Its API: https://docs.docker.com/reference/api/engine/
 */
import { createInterface } from 'node:readline';
import Docker from 'dockerode';
import { z } from 'zod';
import { millisToSeconds } from '../../../proto/units.ts';
import type { CheckedEngine, Inspected, Listed } from '../containers/containers.ts';
import { ContainerError } from '../containers/errors.ts';
import { namespaceOf } from '../containers/sandbox.ts';
import type { RunImage } from '../port/platform.ts';
import { engineError } from './errors.ts';

/** An engine that starts a hundred containers at once answers within two seconds on two processors. */
const REQUEST_MS = 5000;
/** Of Docker 20.10, the oldest that netfold is tried with. */
const LEAST_API = [1, 41] as const;

const listSchema = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    State: z.string(),
  }),
);

const inspectSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  State: z.object({ Running: z.boolean(), Pid: z.int() }),
  HostsPath: z.string().nullish(),
  HostConfig: z.object({ NetworkMode: z.string() }),
  NetworkSettings: z.object({
    Networks: z
      .record(
        z.string(),
        z.object({ IPAddress: z.string().nullish(), GlobalIPv6Address: z.string().nullish() }),
      )
      .nullish(),
  }),
});

const containerImageSchema = z.object({ Image: z.string(), Config: z.object({ Image: z.string() }) });
const imageSchema = z.object({ Id: z.string(), RepoDigests: z.array(z.string()).nullish() });

const versionSchema = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  Components: z.array(z.object({ Name: z.string() })).nullish(),
});

const infoSchema = z.object({ SecurityOptions: z.array(z.string()).nullish() });

const newsSchema = z.object({
  Type: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()).nullish() }),
});

export class Engine implements CheckedEngine {
  readonly #socket: string;
  readonly #deadlineMs: number;
  readonly #docker: Docker;
  /** Without an end: there may be no news for hours. */
  readonly #forNews: Docker;

  constructor(socket: string, deadlineMs = REQUEST_MS) {
    this.#socket = socket;
    this.#deadlineMs = deadlineMs;
    // What is not waited for any more is closed.
    this.#docker = new Docker({ socketPath: socket, timeout: 2 * deadlineMs });
    this.#forNews = new Docker({ socketPath: socket });
  }

  /** Throws `ContainerError` if netfold can't work with this engine. */
  async require(): Promise<void> {
    const { Version, ApiVersion, Components } = await this.#ask(versionSchema, () => this.#docker.version());
    const podman = Components?.find(({ Name }) => /podman/i.test(Name));
    if (podman)
      throw new ContainerError(
        'ENGINE_UNSUPPORTED',
        `the engine at ${this.#socket} is Podman, whose containers netfold does not follow`,
        'name the network of each: ip netns attach web $(podman inspect -f {{.State.Pid}} web), then netfold up FILE --at client=eth0@web',
      );
    if (isOlder(ApiVersion, LEAST_API))
      throw new ContainerError(
        'ENGINE_TOO_OLD',
        `the engine at ${this.#socket} is Docker ${Version}, with version ${ApiVersion} of the API; netfold needs ${LEAST_API.join('.')}`,
        'use Docker 20.10 or newer',
      );
    const { SecurityOptions } = await this.#ask(infoSchema, () => this.#docker.info());
    if (SecurityOptions?.some((option) => option.includes('rootless')))
      throw new ContainerError(
        'ENGINE_UNSUPPORTED',
        `the engine at ${this.#socket} runs without root: packets of its containers pass a program of the user's (slirp4netns or the like)`,
        'use the engine of the system: DOCKER_HOST=unix:///var/run/docker.sock',
      );
  }

  async list(): Promise<Listed[]> {
    const all = await this.#ask(listSchema, () => this.#docker.listContainers({ all: true }));
    return all.map(({ Id, Names, Labels, State }) => ({
      ...{ id: Id, labels: Labels ?? {}, state: State },
      // A link of another container gives it further names, such as /web/db.
      name: nameOf(Names?.find((name) => name.lastIndexOf('/') === 0) ?? Id.slice(0, 12)),
    }));
  }

  async inspect(id: string): Promise<Inspected | undefined> {
    try {
      const { Id, Name, State, HostsPath, HostConfig, NetworkSettings } = await this.#ask(inspectSchema, () =>
        this.#docker.getContainer(id).inspect(),
      );
      const networks = Object.entries(NetworkSettings.Networks ?? {}).map(([network, its]) => {
        const addresses = [its.IPAddress, its.GlobalIPv6Address];
        return [network, addresses.filter((one) => typeof one === 'string' && one !== '')] as const;
      });
      return {
        ...{ id: Id, name: nameOf(Name) },
        namespacePath: State.Running && State.Pid > 0 ? namespaceOf(State.Pid) : undefined,
        networkMode: HostConfig.NetworkMode,
        ...(HostsPath && { hostsFile: HostsPath }),
        networks: Object.fromEntries(networks) as Record<string, string[]>,
      };
    } catch (error) {
      if ((error as { cause?: { statusCode?: number } }).cause?.statusCode === 404) return undefined;
      throw error;
    }
  }

  /** What a container runs: the name that it was made with, the engine's id, and digests of registries. Throws `ContainerError`. */
  async imageOf(container: string): Promise<RunImage> {
    const { Image, Config } = await this.#ask(containerImageSchema, () =>
      this.#docker.getContainer(container).inspect(),
    );
    const { Id, RepoDigests } = await this.#ask(imageSchema, () => this.#docker.getImage(Image).inspect());
    return { name: Config.Image, id: Id, digests: RepoDigests ?? [] };
  }

  async follow(onContainer: (id: string) => void, signal: AbortSignal): Promise<void> {
    const stream = (await this.#within(() =>
      this.#forNews.getEvents({ filters: JSON.stringify({ type: ['container', 'network'] }) }),
    )) as NodeJS.ReadableStream & { destroy(): void };
    const reader = createInterface({ input: stream });
    const end = (): void => {
      stream.destroy();
      reader.close();
    };
    for (const event of ['error', 'close']) stream.on(event, end);
    signal.addEventListener('abort', end);
    try {
      if (signal.aborted) return;
      for await (const line of reader) {
        const id = containerOf(line);
        if (id !== undefined) onContainer(id);
      }
    } catch {
      // It broke off: what there is to say of that, the next request says.
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  async #ask<T>(schema: z.ZodType<T>, request: () => Promise<unknown>): Promise<T> {
    const read = schema.safeParse(await this.#within(request));
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new ContainerError(
      'ENGINE_FAILED',
      `what answers at ${this.#socket} is no Docker engine: ${where}: ${issue?.message}`,
      'see what it is: curl --unix-socket SOCKET http://localhost/version',
    );
  }

  /** Throws `ENGINE_SILENT` after the deadline. */
  async #within<T>(request: () => Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const seconds = millisToSeconds(this.#deadlineMs);
    const cancel = setTimeout(
      () =>
        reject(
          new ContainerError(
            'ENGINE_SILENT',
            `the engine at ${this.#socket} does not answer within ${seconds} s`,
            'see what it does: journalctl -u docker',
          ),
        ),
      this.#deadlineMs,
    );
    try {
      return await Promise.race([request(), late]);
    } catch (error) {
      if (error instanceof ContainerError) throw error;
      throw engineError(this.#socket, error as Error, (error as NodeJS.ErrnoException).code);
    } finally {
      clearTimeout(cancel);
    }
  }
}

const nameOf = (name: string): string => name.replace(/^\//, '');

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [itsMajor = 0, itsMinor = 0] = version.split('.').map(Number);
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

/** The container that a line of news is about. */
function containerOf(line: string): string | undefined {
  try {
    const { Type, Actor } = newsSchema.parse(JSON.parse(line));
    return Type === 'network' ? Actor.Attributes?.container : Actor.ID;
  } catch {
    return undefined;
  }
}
