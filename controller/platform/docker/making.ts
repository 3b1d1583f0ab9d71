/**
 * Makes the containers of an experiment. Each endpoint has two: one that holds its network and does nothing, whose interface can be shaped
 * before anything runs, and that of its application, which has the network of the first and is started by the agent.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { AtMost } from '../../../agent/containers/at-most.ts';
import {
  type EngineRequestError,
  EngineRequests,
  isStatus,
} from '../../../agent/containers/engine-requests.ts';
import { endpointEnvironment } from '../../../agent/endpoints/environment.ts';
import { makeFolder, PRIVATE_FOLDER } from '../../../agent/files/own-files.ts';
import { serviceOf } from '../../../topology/model/names.ts';
import { outFolder } from '../../names.ts';
import { ContainerError } from '../containers/errors.ts';
import { type Attached, inodeAt, namespaceOf, sandboxNames, shortId } from '../containers/sandbox.ts';
import { SANDBOXES } from '../containers/sandboxes.ts';
import { keepContainerSettings } from '../containers/settings.ts';
import type { PlannedEndpoint } from '../port/plan.ts';
import type { Watch } from '../port/platform.ts';
import { preferIpv4 } from '../port/standing.ts';
import { applicationBody, type Made, sandboxBody } from './container-bodies.ts';
import type { DockerPlan, Making } from './docker-plan.ts';
import { coded, engineError } from './errors.ts';
import { applicationName, LABELS, networkName, sandboxContainerName } from './made-names.ts';
import { PAUSE_COMMAND, PAUSE_IMAGE, pauseArchive } from './pause-image.ts';
import { removeMade } from './removal.ts';

/** Two processors make some three in a second, whatever more are asked for at a time. */
const AT_ONCE = 8;
/** An image may be large, and the registry far. */
const PULL_MS = 3600_000;

/** All of it or nothing. Returns the plan with the places of the endpoints. Throws `ContainerError`. */
export async function makeContainers(plan: DockerPlan, watch: Watch): Promise<DockerPlan> {
  const making = plan.making!;
  // First: whoever removes what a killed process has made has to find the engine.
  if (plan.followed) keepContainerSettings('docker', plan.experiment, plan.followed);
  try {
    const endpoints = await new Maker(plan, making, watch).make();
    return { ...plan, endpoints };
  } catch (error) {
    for (const name of sandboxNames(plan.experiment, 'docker')) await SANDBOXES.close(name);
    // What can't be removed now, `remove` removes; it must not hide why the making failed.
    await removeMade(making.socket, plan.experiment).catch(() => {});
    throw error;
  }
}

class Maker {
  readonly #plan: DockerPlan;
  readonly #making: Making;
  readonly #watch: Watch;
  readonly #requests: EngineRequests;

  constructor(plan: DockerPlan, making: Making, watch: Watch) {
    this.#plan = plan;
    this.#making = making;
    this.#watch = watch;
    this.#requests = new EngineRequests(making.socket);
  }

  async make(): Promise<PlannedEndpoint[]> {
    const { endpoints } = this.#plan;
    for (const image of this.#making.pull) await this.#pull(image);
    await this.#makePauseImage();
    await this.#makeNetwork();
    this.#watch.onStep?.(`making ${endpoints.length} endpoints, each with its container`);
    const turns = new AtMost(AT_ONCE);
    let [done, failed] = [0, false];
    const all = await Promise.allSettled(
      endpoints.map((endpoint) =>
        turns.run(async () => {
          // After a failure no further ones are begun.
          if (failed) throw new Error('another failed');
          try {
            this.#watch.signal?.throwIfAborted();
            const made = await this.#makeEndpoint(endpoint);
            this.#watch.onProgress?.({ doing: 'making containers', done: ++done, of: endpoints.length });
            return made;
          } catch (error) {
            failed = true;
            throw error;
          }
        }),
      ),
    );
    const first = all.find((one) => one.status === 'rejected');
    if (first) throw first.reason;
    this.#watch.signal?.throwIfAborted();
    return all.map((one) => (one as PromiseFulfilledResult<PlannedEndpoint>).value);
  }

  async #pull(image: string): Promise<void> {
    this.#watch.onStep?.(`pulling ${image}`);
    // Without a tag the engine would fetch all of them.
    const isTagged = /:[^/]+$/.test(image) || image.includes('@');
    const path = `/images/create?fromImage=${encodeURIComponent(isTagged ? image : `${image}:latest`)}`;
    const { signal } = this.#watch;
    let said: { error?: string } | undefined;
    try {
      said = (await this.#requests.send('POST', path, { deadlineMs: PULL_MS, signal })) as typeof said;
    } catch (error) {
      signal?.throwIfAborted();
      throw unreachable(image, (error as Error).message, error);
    }
    if (said?.error !== undefined) throw unreachable(image, said.error);
  }

  async #makePauseImage(): Promise<void> {
    const found = await this.#requests.send('GET', `/images/${PAUSE_IMAGE}/json`).catch((error: unknown) => {
      if (isStatus(error, 404)) return undefined;
      throw this.#coded(error);
    });
    if (found) return;
    const [name, tag] = PAUSE_IMAGE.split(':');
    const change = encodeURIComponent(`CMD ["${PAUSE_COMMAND}"]`);
    const path = `/images/create?fromSrc=-&repo=${name}&tag=${tag}&changes=${change}`;
    await this.#ask(() => this.#requests.send('POST', path, { body: pauseArchive() }));
  }

  async #makeNetwork(): Promise<void> {
    const { experiment } = this.#plan;
    const { subnet, gateway, ipv6Subnet } = this.#making;
    const Config = [{ Subnet: subnet, Gateway: gateway }, ...(ipv6Subnet ? [{ Subnet: ipv6Subnet }] : [])];
    const body = {
      ...{ Name: networkName(experiment), Driver: 'bridge', CheckDuplicate: true },
      ...{ EnableIPv6: ipv6Subnet !== undefined, IPAM: { Config } },
      Labels: { [LABELS.experiment]: experiment },
    };
    await this.#ask(() => this.#requests.send('POST', '/networks/create', { body }));
  }

  async #makeEndpoint(planned: PlannedEndpoint): Promise<PlannedEndpoint> {
    const { experiment } = this.#plan;
    const { name: endpoint, addresses } = planned;
    const made: Made = {
      experiment,
      endpoint,
      addresses,
      service: this.#making.services.get(serviceOf(endpoint))!,
    };
    const name = sandboxContainerName(experiment, endpoint);
    const id = await this.#create(endpoint, name, () => sandboxBody(made));
    await this.#start(endpoint, id);
    const attached = await this.#attach(made, id);
    const environment = endpointEnvironment({ name: endpoint, addresses: [...attached.addresses] });
    const out = openOutFolder(experiment, endpoint);
    await this.#create(endpoint, applicationName(experiment, endpoint), () =>
      applicationBody(made, id, environment, out),
    );
    return { ...planned, ...attached, address: preferIpv4(attached.addresses) };
  }

  async #start(endpoint: string, id: string): Promise<void> {
    try {
      await this.#requests.send('POST', `/containers/${id}/start`);
    } catch (error) {
      const { message } = error as Error;
      if (!/port is already allocated|address already in use/.test(message)) throw this.#coded(error);
      throw new ContainerError(
        'PORT_TAKEN',
        `a port of ${endpoint} can't be published: ${message}`,
        'choose another port of the machine, or write the port of the container alone: one that is free is taken',
        error,
      );
    }
  }

  /** Returns the new container's id. */
  async #create(endpoint: string, name: string, body: () => object): Promise<string> {
    const path = `/containers/create?name=${encodeURIComponent(name)}`;
    try {
      const made = await this.#requests.send('POST', path, { body: body() });
      return (made as { Id: string }).Id;
    } catch (error) {
      if (isStatus(error, 400)) throw refused(endpoint, error as Error);
      if (!isStatus(error, 404)) throw this.#coded(error);
      // Another experiment that has just ended has taken the image away.
      await this.#makePauseImage();
      const made = await this.#ask(() => this.#requests.send('POST', path, { body: body() }));
      return (made as { Id: string }).Id;
    }
  }

  async #attach({ experiment, endpoint, addresses }: Made, id: string): Promise<Attached> {
    const found = await this.#ask(() => this.#requests.send('GET', `/containers/${id}/json`));
    const { Pid: pid } = (found as { State: { Pid: number } }).State;
    const path = namespaceOf(pid);
    const inode = pid > 0 ? inodeAt(path) : undefined;
    if (inode === undefined)
      throw new ContainerError(
        'ENGINE_ELSEWHERE',
        `the container of ${endpoint} is no process of this machine (${pid})`,
        'run netfold where the containers run: not beside Docker Desktop, whose containers are in a virtual machine',
      );
    const sandbox = { platform: 'docker', experiment, endpoint, container: shortId(id), inode } as const;
    const attached = await SANDBOXES.open(sandbox, path, addresses);
    if (attached) return attached;
    throw new ContainerError(
      'CONTAINER_CHANGED',
      `the container of ${endpoint} has no interface with its address ${addresses[0]}`,
      'try again',
    );
  }

  #ask<T>(request: () => Promise<T>): Promise<T> {
    return coded(this.#making.socket, request);
  }

  #coded(error: unknown): Error {
    return engineError(this.#making.socket, error as Error, (error as EngineRequestError).errno);
  }
}

/** In it everybody may write: which user the application is, the image decides. On this machine nobody else comes so far. */
const EVERYBODY = 0o1777;

/** The folder of an endpoint whose files the record keeps. Throws system errors. */
function openOutFolder(experiment: string, endpoint: string): string {
  const folder = outFolder(experiment, endpoint);
  makeFolder(dirname(folder), PRIVATE_FOLDER);
  chmodSync(dirname(folder), PRIVATE_FOLDER);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, EVERYBODY);
  return folder;
}

/** What the file may say, and this engine does not take. */
const refused = (endpoint: string, error: Error): ContainerError =>
  new ContainerError(
    'ENGINE_FAILED',
    `the engine refuses the container of ${endpoint}: ${error.message}`,
    `change what services.${serviceOf(endpoint)} has of it in the file`,
    error,
  );

const unreachable = (image: string, why: string, cause?: unknown): ContainerError =>
  new ContainerError(
    'IMAGE_UNREACHABLE',
    `the image ${image} can't be pulled: ${why}`,
    `see what is wrong: docker pull ${image}`,
    cause,
  );
