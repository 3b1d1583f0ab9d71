/** Services of a topology as StatefulSets, whose pods are numbered as replicas are. Pure. */
import { basename, dirname, resolve } from 'node:path';
import { type Micros, toSeconds } from '../../proto/units.ts';
import { isPath, type Volume } from '../../topology/model/container-settings.ts';
import type { Service } from '../../topology/model/model.ts';
import { DeployError } from './errors.ts';

export const LABELS = { experiment: 'netfold.dev/experiment', service: 'netfold.dev/service' } as const;

/** A name of DNS (RFC 1123), with room for the number of a replica. */
const NAME = /^[a-z]([a-z0-9-]{0,50}[a-z0-9])?$/;

/** The StatefulSet of a service, and the headless service by which its replicas are found. Throws `DeployError`. */
export function workloadOf(experiment: string, namespace: string, service: Service): object[] {
  requireDeployable(service);
  const { name, replicas } = service;
  const labels = { [LABELS.experiment]: experiment, [LABELS.service]: name };
  const metadata = { name, namespace, labels };
  const volumes = service.container?.volumes ?? [];
  const template = {
    metadata: { labels },
    spec: {
      // Nothing here asks the cluster's API.
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 5,
      containers: [containerOf(service)],
      ...(volumes.length > 0 && {
        volumes: volumes.map((volume, index) => volumeOf(volume, index, service.position.file)),
      }),
    },
  };
  return [
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector: labels },
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata },
      spec: {
        ...{ serviceName: name, replicas, podManagementPolicy: 'Parallel' },
        selector: { matchLabels: labels },
        template,
      },
    },
  ];
}

function containerOf(service: Service): object {
  const { name, image, command, env = {}, user, capAdd, capDrop, container = {} } = service;
  const { entrypoint, workingDir, volumes = [], ports = [], cpus, memory, healthcheck } = container;
  const limits = {
    ...(cpus !== undefined && { cpu: `${cpus}` }),
    ...(memory !== undefined && { memory: `${memory}` }),
  };
  const securityContext = {
    ...(user && isNumber(user.name) && { runAsUser: Number(user.name) }),
    ...((capAdd || capDrop) && {
      capabilities: { ...(capAdd && { add: [...capAdd] }), ...(capDrop && { drop: [...capDrop] }) },
    }),
  };
  const test = healthcheck?.test && probeCommand(healthcheck.test);
  return {
    ...{ name, image },
    ...(entrypoint && { command: entrypoint.map(literal) }),
    ...(command && { args: command.map(literal) }),
    env: [
      ...Object.entries(env).map(([key, value]) => ({ name: key, value: literal(value) })),
      { name: 'NETFOLD_SERVICE', value: name },
      { name: 'NETFOLD_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    ...(workingDir !== undefined && { workingDir }),
    ...(ports.length > 0 && {
      ports: ports.map(({ target, protocol, published }) => ({
        ...{ containerPort: target, protocol: protocol.toUpperCase() },
        ...(published !== undefined && { hostPort: published }),
      })),
    }),
    ...(volumes.length > 0 && {
      volumeMounts: volumes.map(({ target, readOnly }, index) => ({
        ...{ name: volumeName(index), mountPath: target },
        ...(readOnly && { readOnly }),
      })),
    }),
    ...(Object.keys(limits).length > 0 && { resources: { limits } }),
    ...(Object.keys(securityContext).length > 0 && { securityContext }),
    ...(test && {
      livenessProbe: {
        exec: { command: test },
        ...(healthcheck.interval !== undefined && { periodSeconds: seconds(healthcheck.interval) }),
        ...(healthcheck.timeout !== undefined && { timeoutSeconds: seconds(healthcheck.timeout) }),
        ...(healthcheck.startPeriod !== undefined && {
          initialDelaySeconds: seconds(healthcheck.startPeriod),
        }),
        ...(healthcheck.retries !== undefined && { failureThreshold: healthcheck.retries }),
      },
    }),
  };
}

const isNumber = (user: string): boolean => /^\d{1,9}$/.test(user);
const seconds = (value: Micros): number => Math.max(1, Math.ceil(toSeconds(value)));
/** `$(NAME)` would be a variable. */
const literal = (text: string): string => text.replaceAll('$(', () => '$$(');
const volumeName = (index: number): string => `volume-${index}`;

function probeCommand([kind, ...words]: readonly string[]): string[] | undefined {
  if (kind === 'NONE') return undefined;
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words[0]!] : words;
}

/** A path is that of the node on which the pod is. */
function volumeOf({ source }: Volume, index: number, file: string): object {
  const name = volumeName(index);
  if (source === undefined || !isPath(source)) return { name, emptyDir: {} };
  return { name, hostPath: { path: resolve(dirname(file), source) } };
}

/** What has no equivalent, one sentence each. */
export function lostOf(service: Service): string[] {
  const { name, after, ready, restart, processes, descriptors, user, container } = service;
  const at = `services.${name}`;
  const lost: string[] = [];
  if (after && after.length > 0) lost.push(`${at}.after: all pods start at once`);
  if (ready) lost.push(`${at}.ready: nobody waits for it; use healthcheck`);
  if (restart !== undefined && restart !== 'always')
    lost.push(`${at}.restart: pods are always started again`);
  if (processes !== undefined) lost.push(`${at}.processes: not bounded`);
  if (descriptors !== undefined) lost.push(`${at}.descriptors: those of the node hold`);
  if (user && !isNumber(user.name))
    lost.push(`${at}.user: Kubernetes takes numbers alone; that of the image holds`);
  for (const { source } of container?.volumes ?? []) {
    if (source === undefined) continue;
    if (isPath(source)) lost.push(`${at}.volumes: ${source} has to be on each node, at the same path`);
    else lost.push(`${at}.volumes: ${source} is a folder of each pod's own, and ends with it`);
  }
  return lost;
}

function requireDeployable({ name, image, position }: Service): void {
  const where = `${basename(position.file)}:${position.line}`;
  if (!NAME.test(name))
    throw new DeployError(
      'DEPLOY_NAME',
      `${where}: "${name}" is no name for Kubernetes`,
      'use small letters, digits and -, beginning with a letter',
    );
  if (image === undefined)
    throw new DeployError(
      'DEPLOY_UNSUPPORTED',
      `${where}: ${name} has no image, and its endpoints are to be pods`,
      `add one, e.g. image: "nginx:1"; or select pods that are there: --select ${name}=app=${name}`,
    );
}
