/**
 * What the engine is asked for: the container that holds an endpoint's network, and that of its application. Pure.
 * https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
 */
import { dirname, resolve } from 'node:path';
import { toNanoCpus, toNanos } from '../../../proto/units.ts';
import { type Healthcheck, isPath, type Volume } from '../../../topology/model/container-settings.ts';
import type { Service } from '../../../topology/model/model.ts';
import { endpointLabels, LABELS, networkLabel, networkName, volumeName } from './made-names.ts';
import { PAUSE_COMMAND, PAUSE_IMAGE } from './pause-image.ts';

export interface Made {
  readonly experiment: string;
  /** The endpoint's name, and its addresses: IPv4, and IPv6 if it has one. */
  readonly endpoint: string;
  readonly addresses: readonly string[];
  readonly service: Service;
}

/** It publishes the ports, and has the names by which others find the endpoint. */
export function sandboxBody({ experiment, endpoint, addresses, service }: Made): object {
  const [IPv4Address, IPv6Address] = addresses;
  const ports = service.container?.ports ?? [];
  const bindings = Map.groupBy(ports, ({ target, protocol }) => `${target}/${protocol}`);
  const PortBindings = Object.fromEntries(
    [...bindings].map(([key, all]) => [
      key,
      all.map(({ published, address }) => ({
        ...(address !== undefined && { HostIp: address }),
        HostPort: published === undefined ? '' : `${published}`,
      })),
    ]),
  );
  return {
    ...{ Image: PAUSE_IMAGE, Cmd: [PAUSE_COMMAND], Hostname: endpoint, StopSignal: 'SIGKILL' },
    Labels: { ...endpointLabels(experiment, endpoint), [LABELS.network]: networkLabel(experiment, endpoint) },
    ExposedPorts: Object.fromEntries([...bindings.keys()].map((key) => [key, {}])),
    HostConfig: {
      ...{ NetworkMode: networkName(experiment), PortBindings },
      // After an engine that ended with its containers.
      RestartPolicy: { Name: 'always' },
      ...{ CapDrop: ['ALL'], ReadonlyRootfs: true, SecurityOpt: ['no-new-privileges'] },
      LogConfig: { Type: 'none' },
    },
    NetworkingConfig: {
      EndpointsConfig: {
        [networkName(experiment)]: {
          IPAMConfig: { IPv4Address, ...(IPv6Address !== undefined && { IPv6Address }) },
          Aliases: [...new Set([service.name, endpoint])],
        },
      },
    },
  };
}

/** Where a container finds the folder of this machine whose files its record keeps. */
export const OUT_IN_CONTAINER = '/netfold/out';

/**
 * `sandbox`: id of the container that has its network; `environment`: what an application can read about its endpoint. `out`: folder of
 * this machine for what it leaves; a volume of the service in the same place is preferred.
 */
export function applicationBody(
  { experiment, endpoint, service }: Made,
  sandbox: string,
  environment: Readonly<Record<string, string>>,
  out?: string,
): object {
  const { image, command, user, processes, descriptors, capAdd, capDrop, container = {} } = service;
  const { entrypoint, workingDir, volumes = [], cpus, memory, healthcheck } = container;
  const hasOut = out !== undefined && volumes.every(({ target }) => target !== OUT_IN_CONTAINER);
  const variables = {
    ...service.env,
    ...environment,
    ...(hasOut && { NETFOLD_OUT: OUT_IN_CONTAINER }),
  };
  const fresh = volumes.filter(({ source }) => source === undefined);
  const binds = [
    ...volumes.flatMap((volume) => bindOf(volume, experiment, service.position.file)),
    ...(hasOut ? [`${out}:${OUT_IN_CONTAINER}:rw`] : []),
  ];
  return {
    Image: image,
    Labels: endpointLabels(experiment, endpoint),
    Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...(command && { Cmd: command }),
    ...(entrypoint && { Entrypoint: entrypoint }),
    ...(user && { User: user.name }),
    ...(workingDir !== undefined && { WorkingDir: workingDir }),
    ...(healthcheck && { Healthcheck: healthBody(healthcheck) }),
    ...(fresh.length > 0 && { Volumes: Object.fromEntries(fresh.map(({ target }) => [target, {}])) }),
    HostConfig: {
      ...{ NetworkMode: `container:${sandbox}`, Binds: binds },
      ...(cpus !== undefined && { NanoCpus: toNanoCpus(cpus) }),
      ...(memory !== undefined && { Memory: memory }),
      ...(processes !== undefined && { PidsLimit: processes }),
      ...(descriptors !== undefined && {
        Ulimits: [{ Name: 'nofile', Soft: descriptors, Hard: descriptors }],
      }),
      ...(capAdd && { CapAdd: capAdd }),
      ...(capDrop && { CapDrop: capDrop }),
    },
  };
}

/** A path is beside the file unless it is absolute; a named volume is the experiment's own, as Compose makes it the project's. */
function bindOf({ source, target, readOnly }: Volume, experiment: string, file: string): string[] {
  if (source === undefined) return [];
  const from = isPath(source) ? resolve(dirname(file), source) : volumeName(experiment, source);
  return [`${from}:${target}:${readOnly ? 'ro' : 'rw'}`];
}

function healthBody({ test, interval, timeout, startPeriod, retries }: Healthcheck): object {
  return {
    ...(test && { Test: test }),
    ...(interval !== undefined && { Interval: toNanos(interval) }),
    ...(timeout !== undefined && { Timeout: toNanos(timeout) }),
    ...(startPeriod !== undefined && { StartPeriod: toNanos(startPeriod) }),
    ...(retries !== undefined && { Retries: retries }),
  };
}
