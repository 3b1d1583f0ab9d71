/**
 * A topology as a stack of Docker Swarm: an agent on each node, and the services of the topology on a network of their own. Pure. The
 * format is that of Compose, version 3: https://docs.docker.com/reference/compose-file/legacy-versions/
 */
import { basename, dirname, extname, resolve } from 'node:path';
import { formatMicros } from '../../proto/units.ts';
import {
  type Healthcheck,
  isPath,
  type PublishedPort,
  type Volume,
} from '../../topology/model/container-settings.ts';
import type { Service, Topology } from '../../topology/model/model.ts';
import { AGENT_CAPABILITIES, FILES, WRITABLE } from './agent-rights.ts';
import { DeployError } from './errors.ts';

export interface StackOptions {
  /** Of the experiment, and of the stack. */
  readonly name: string;
  /** The image of netfold. */
  readonly image: string;
  readonly topology: Topology;
  /** Names of the files beside the stack file. */
  readonly files: {
    readonly topology: string;
    readonly script?: string;
    readonly meshKey: string;
    readonly userKey: string;
  };
  /** Changes whenever a file does: Swarm does not replace what is in configs and secrets. */
  readonly version: string;
}

/** The service of the agents, and the networks. No service of a topology has such a name. */
export const AGENT = 'netfold-agent';
const EXPERIMENT = 'netfold-experiment';
const CONTROL = 'netfold-control';

/** What Swarm and DNS take: a service's name is a name of DNS. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;
const MOST_CHARACTERS = 63;

/** An object for YAML, and what of the topology has no equivalent, one sentence each. Throws `DeployError`. */
export function swarmStack(options: StackOptions): {
  readonly stack: object;
  readonly lost: readonly string[];
} {
  const { name, topology, files, version } = options;
  requireNames(name, topology);
  const services = Object.fromEntries(topology.services.map((service) => [service.name, serviceOf(service)]));
  const volumes = topology.services.flatMap(({ container }) => namedVolumes(container?.volumes ?? []));
  const file = (path: string): object => ({
    name: `${name}_${path.replaceAll('.', '-')}_${version}`,
    file: `./${path}`,
  });
  const stack = {
    version: '3.8',
    services: { [AGENT]: agentOf(options), ...services },
    networks: {
      // Attachable: docker run --network can look from inside.
      [EXPERIMENT]: { driver: 'overlay', attachable: true },
      [CONTROL]: { driver: 'overlay' },
    },
    configs: {
      topology: file(files.topology),
      ...(files.script !== undefined && { script: file(files.script) }),
    },
    secrets: { mesh_key: file(files.meshKey), user_key: file(files.userKey) },
    ...(volumes.length > 0 && { volumes: Object.fromEntries(volumes.map((volume) => [volume, {}])) }),
  };
  return { stack, lost: topology.services.flatMap(lostOf) };
}

function agentOf({ name, image, topology, files }: StackOptions): object {
  const at = `${FILES.topology}${extname(files.topology)}`;
  const script = files.script === undefined ? undefined : `${FILES.topology}-events${extname(files.script)}`;
  const select = topology.services.flatMap((service) => [
    '--select',
    `${service.name}=label:com.docker.swarm.service.name=${name}_${service.name}`,
  ]);
  return {
    image,
    command: [
      ...['node', at, '--name', name],
      ...['--engine', 'docker', '--network', `${name}_${EXPERIMENT}`, '--find', `tasks.${AGENT}`],
      ...['--mesh-key', FILES.meshKey, '--user-key', FILES.userKey],
      ...(script === undefined ? [] : ['--events', script]),
      ...select,
    ],
    environment: {
      NETFOLD_HOST: '{{.Node.Hostname}}',
      ...{ NETFOLD_PROC: FILES.proc, NETFOLD_KEY: FILES.userKey },
    },
    networks: [CONTROL],
    ...{ cap_drop: ['ALL'], cap_add: AGENT_CAPABILITIES.map((one) => one.name), read_only: true },
    volumes: [
      { type: 'bind', source: '/var/run/docker.sock', target: '/var/run/docker.sock' },
      { type: 'bind', source: '/proc', target: FILES.proc, read_only: true },
      ...WRITABLE.map((target) => ({ type: 'tmpfs', target })),
    ],
    configs: [
      { source: 'topology', target: at, mode: 0o444 },
      ...(script === undefined ? [] : [{ source: 'script', target: script, mode: 0o444 }]),
    ],
    secrets: [
      { source: 'mesh_key', target: FILES.meshKey, mode: 0o400 },
      { source: 'user_key', target: FILES.userKey, mode: 0o400 },
    ],
    stop_grace_period: '20s',
    deploy: {
      mode: 'global',
      restart_policy: { condition: 'any', delay: '1s' },
      // A node has one agent at a time.
      update_config: { order: 'stop-first', parallelism: 0 },
    },
  };
}

function serviceOf(service: Service): object {
  const { image, command, env, user, capAdd, capDrop, replicas, descriptors, container = {} } = service;
  const { entrypoint, workingDir, volumes = [], ports = [], cpus, memory, healthcheck } = container;
  const limits = {
    ...(cpus !== undefined && { cpus: `${cpus}` }),
    ...(memory !== undefined && { memory: `${memory}` }),
  };
  return {
    image,
    ...(entrypoint && { entrypoint: entrypoint.map(literal) }),
    ...(command && { command: command.map(literal) }),
    environment: {
      ...Object.fromEntries(Object.entries(env ?? {}).map(([key, value]) => [key, plain(value)])),
      NETFOLD_SERVICE: service.name,
      NETFOLD_SLOT: '{{.Task.Slot}}',
    },
    ...(user && { user: user.name }),
    ...(workingDir !== undefined && { working_dir: workingDir }),
    ...(capAdd && { cap_add: capAdd }),
    ...(capDrop && { cap_drop: capDrop }),
    ...(descriptors !== undefined && { ulimits: { nofile: descriptors } }),
    ...(volumes.length > 0 && { volumes: volumes.map((volume) => volumeOf(volume, service.position.file)) }),
    ...(ports.length > 0 && { ports: ports.map(portOf) }),
    ...(healthcheck && { healthcheck: healthcheckOf(healthcheck) }),
    networks: [EXPERIMENT],
    deploy: {
      mode: 'replicated',
      replicas,
      // Each replica answers by its own address: a virtual one would hide which is meant.
      endpoint_mode: 'dnsrr',
      restart_policy: { condition: 'any', delay: '1s' },
      ...(Object.keys(limits).length > 0 && { resources: { limits } }),
    },
  };
}

/** A dollar is a variable in stack files unless it is doubled … */
const literal = (text: string): string => text.replaceAll('$', () => '$$');
/** … and in variables, braces are a template. */
const plain = (text: string): string => literal(text.replaceAll('{{', '{{"{{"}}'));

const isNamed = ({ source }: Volume): boolean => source !== undefined && !isPath(source);
const namedVolumes = (volumes: readonly Volume[]): string[] =>
  volumes.filter(isNamed).map(({ source }) => source!);

/** A path is that of the node on which the task is. */
function volumeOf(volume: Volume, file: string): object {
  const { source, target, readOnly } = volume;
  if (source === undefined) return { type: 'volume', target };
  if (isNamed(volume)) return { type: 'volume', source, target, read_only: readOnly };
  return { type: 'bind', source: resolve(dirname(file), source), target, read_only: readOnly };
}

/** At the node of the task: a service without a virtual address has none in the routing mesh. */
const portOf = ({ target, protocol, published }: PublishedPort): object => ({
  ...{ target, protocol, mode: 'host' },
  ...(published !== undefined && { published }),
});

function healthcheckOf({ test, interval, timeout, startPeriod, retries }: Healthcheck): object {
  return {
    ...(test && { test: test.map(literal) }),
    ...(interval !== undefined && { interval: formatMicros(interval) }),
    ...(timeout !== undefined && { timeout: formatMicros(timeout) }),
    ...(startPeriod !== undefined && { start_period: formatMicros(startPeriod) }),
    ...(retries !== undefined && { retries }),
  };
}

function lostOf({ name, after, ready, restart, processes, container }: Service): string[] {
  const lost: string[] = [];
  if (processes !== undefined) lost.push(`services.${name}.processes: not bounded`);
  if (after && after.length > 0) lost.push(`services.${name}.after: Swarm starts all services at once`);
  if (ready) lost.push(`services.${name}.ready: nobody waits for it; use healthcheck`);
  if (restart === 'no') lost.push(`services.${name}.restart: Swarm starts every task again`);
  if (container?.ports?.some(({ address }) => address !== undefined))
    lost.push(`services.${name}.ports: published at all addresses of the node`);
  for (const volume of container?.volumes ?? [])
    if (volume.source !== undefined && isPath(volume.source))
      lost.push(`services.${name}.volumes: ${volume.source} has to be on each node, at the same path`);
  return lost;
}

function requireNames(name: string, { services }: Topology): void {
  if (!NAME.test(name))
    throw new DeployError('DEPLOY_NAME', `"${name}" is no name for a stack`, 'give another: --name lab');
  for (const service of services) {
    const isLong = `${name}_${service.name}`.length > MOST_CHARACTERS;
    if (!NAME.test(service.name) || isLong || service.name.startsWith('netfold-'))
      throw new DeployError(
        'DEPLOY_NAME',
        `${basename(service.position.file)}:${service.position.line}: "${service.name}" is no name for a service of Swarm`,
        `use letters, digits, - and _, not beginning with netfold-; with the name of the stack, ${MOST_CHARACTERS} characters at most`,
      );
    if (service.image === undefined)
      throw new DeployError(
        'DEPLOY_UNSUPPORTED',
        `${basename(service.position.file)}:${service.position.line}: ${service.name} has no image, and its endpoints are to be containers`,
        'add one, e.g. image: "nginx:1"',
      );
  }
}
