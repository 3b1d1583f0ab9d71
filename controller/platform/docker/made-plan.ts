/** Containers that an experiment will make: reads the engine, and changes nothing. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EngineRequests, isStatus } from '../../../agent/containers/engine-requests.ts';
import { OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { hostName } from '../../names.ts';
import { ContainerError } from '../containers/errors.ts';
import { sandboxName } from '../containers/sandbox.ts';
import type { PlannedEndpoint, PlannedHost } from '../port/plan.ts';
import type { Wanted } from '../port/platform.ts';
import { DOCKER, type DockerPlan } from './docker-plan.ts';
import type { Engine } from './engine.ts';
import { coded } from './errors.ts';
import { applicationName, LABELS, networkLabel, networkName } from './made-names.ts';
import { pauseProgram } from './pause-image.ts';
import {
  addressIn,
  freeRange,
  ipv6Prefix,
  MOST_ENDPOINTS,
  PREFIX_BITS,
  rangeOf,
  routedRanges,
} from './subnets.ts';

export interface MakingOptions {
  readonly socket: string;
  readonly pull: boolean;
  readonly ipv6: boolean;
}

/** The first address is the gateway's. */
const FIRST_ENDPOINT = 2;

/** Throws `ContainerError`, and `TopologyError` for services without an image. */
export async function planMade(
  { experiment, endpoints: names, topology }: Wanted,
  { socket, pull, ipv6 }: MakingOptions,
  engine: Engine,
): Promise<DockerPlan> {
  requireImages(topology);
  requireRoom(names.length);
  pauseProgram();
  await engine.require();
  const requests = new EngineRequests(socket);
  const images = await imagesOf(requests, topology);
  const missing = [...images].flatMap(([image, found]) => (found === undefined ? [image] : []));
  if (missing.length > 0 && !pull) throw withoutImages(missing);
  requireCommands(topology, images);
  const range = freeRange(await takenRanges(requests), experiment);
  if (!range) throw withoutRange();
  const prefix = ipv6 ? ipv6Prefix(experiment, range) : undefined;
  const host: PlannedHost = {
    ...{ index: 0, name: hostName(0), namespace: OWN_NAMESPACE },
    ...{ address: '127.0.0.1', meshPort: 0 },
  };
  const endpoints = names.map((name, number): PlannedEndpoint => {
    const address = addressIn(range, FIRST_ENDPOINT + number);
    const second = prefix === undefined ? [] : [`${prefix}${(FIRST_ENDPOINT + number).toString(16)}`];
    // Its namespace and interface are not there yet; `make` says which they are.
    const namespace = sandboxName({
      platform: 'docker',
      experiment,
      endpoint: name,
      container: '',
      inode: 0,
    });
    const at = { namespace, interface: { name: 'eth0', index: 1 } };
    return { number, name, ...at, address, addresses: [address, ...second], host };
  });
  const selectors = names.map((node) => ({
    node,
    all: [{ by: 'label' as const, what: `${LABELS.network}=${networkLabel(experiment, node)}` }],
  }));
  return {
    ...{ platform: DOCKER.platform, place: DOCKER.place, outlivesAgent: false },
    ...{ experiment, hosts: [host], endpoints, containers: [] },
    settings: {
      triesPaths: true,
      containers: {
        socket,
        names: Object.fromEntries(names.map((name) => [name, applicationName(experiment, name)])),
      },
    },
    followed: { socket, selectors, networks: [networkName(experiment)], endpoints: [...names], made: true },
    making: {
      ...{
        socket,
        subnet: `${addressIn(range, 0)}/${PREFIX_BITS}`,
        gateway: addressIn(range, 1),
        pull: missing,
      },
      ...(prefix !== undefined && { ipv6Subnet: `${prefix}/64` }),
      services: new Map(topology.services.map((service) => [service.name, service])),
    },
  };
}

/** Throws `TopologyError`, for all places of the file. */
function requireImages({ services }: Topology): void {
  const findings = new Findings('');
  for (const { name, image, position } of services)
    if (image === undefined)
      findings.error(
        'IMAGE_ABSENT',
        position,
        `services.${name}`,
        'the service has no image, and its endpoints are to be containers',
        'add one, e.g. image: "nginx:1"; or use the local lab, without --engine, which starts what run says',
      );
  findings.settle();
}

function requireRoom(endpoints: number): void {
  if (endpoints <= MOST_ENDPOINTS) return;
  throw new ContainerError(
    'CONTAINER_ROOM',
    `${endpoints} containers have no room in one network of Docker: a bridge of Linux has ${MOST_ENDPOINTS} places`,
    `use ${MOST_ENDPOINTS} replicas at most in all, or the local lab, which has more`,
  );
}

const imageSchema = z
  .object({
    Config: z.object({
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
    }),
  })
  .transform(({ Config: { Entrypoint, Cmd } }) => ({
    starts: (Entrypoint ?? []).length > 0 || (Cmd ?? []).length > 0,
  }));

/** Whether an image says what to start; `undefined`: the engine does not have it. */
type Images = ReadonlyMap<string, { readonly starts: boolean } | undefined>;

async function imagesOf(requests: EngineRequests, { services }: Topology): Promise<Images> {
  const images = new Map<string, { readonly starts: boolean } | undefined>();
  for (const image of new Set(services.map(({ image }) => image!))) {
    try {
      const path = `/images/${imagePath(image)}/json`;
      images.set(image, imageSchema.parse(await coded(requests.socket, () => requests.send('GET', path))));
    } catch (error) {
      if (!isStatus((error as Error).cause, 400, 404)) throw error;
      images.set(image, undefined);
    }
  }
  return images;
}

/** Throws `TopologyError`, for all places of the file. */
function requireCommands({ services }: Topology, images: Images): void {
  const findings = new Findings('');
  for (const { name, image, command, container, position } of services)
    if (images.get(image!)?.starts === false && !command && !container?.entrypoint)
      findings.error(
        'COMMAND_ABSENT',
        position,
        `services.${name}`,
        `nothing says what to start: the image ${image} has no command of its own`,
        'add one, e.g. command: [sleep, infinity]',
      );
  findings.settle();
}

const imagePath = (image: string): string => image.split('/').map(encodeURIComponent).join('/');

function withoutImages(missing: readonly string[]): ContainerError {
  const pulls = missing.map((image) => `docker pull ${image}`).join(' && ');
  return new ContainerError(
    'IMAGE_MISSING',
    `the engine has no image ${missing.join(', ')}`,
    `fetch it: ${pulls}; or add --pull, and netfold does it`,
  );
}

const networksSchema = z.array(
  z.object({
    IPAM: z.object({ Config: z.array(z.object({ Subnet: z.string().nullish() })).nullish() }).nullish(),
  }),
);

/** By networks of the engine, and by routes of this machine. */
async function takenRanges(requests: EngineRequests) {
  const networks = networksSchema.parse(
    await coded(requests.socket, () => requests.send('GET', '/networks')),
  );
  const subnets = networks.flatMap(({ IPAM }) => IPAM?.Config?.map(({ Subnet }) => Subnet ?? '') ?? []);
  const own = routedRanges(readFileSync('/proc/net/route', 'utf8'));
  return [...subnets.flatMap((subnet) => rangeOf(subnet) ?? []), ...own];
}

const withoutRange = (): ContainerError =>
  new ContainerError(
    'CONTAINER_ROOM',
    'no range of private addresses is free: networks of the engine and routes of this machine take all',
    'remove networks that nobody uses: docker network prune',
  );
