/**
 * The network namespaces of containers. Each that is an endpoint gets a name in /run/netns, which keeps it while netfold uses it, and
 * says all that a later process has to know: experiment, endpoint, container, and the inode of the namespace, by which it is known.
 * A container that is started again has another namespace, and gets another name.
 */
import { statSync } from 'node:fs';
import { listNamespaces, OWN_NAMESPACE_FILE } from '../../../agent/kernel/netns/namespace-files.ts';
import type { PlannedEndpoint } from '../port/plan.ts';
import { called, type Inspected } from './containers.ts';
import { ContainerError } from './errors.ts';

/** Platforms whose endpoints are in sandboxes of an engine. */
const ENGINES = ['docker', 'cri'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Names that begin with `netfold.` are the lab's. */
const prefixOf = (platform: EngineName): string => `netfold-${platform}`;
/** No name of an experiment, endpoint or container has it. */
const SEPARATOR = '+';
const SHORT_ID = 12;

export interface Sandbox {
  readonly platform: EngineName;
  readonly experiment: string;
  readonly endpoint: string;
  /** The first digits of the id of the container, or of the pod's sandbox. */
  readonly container: string;
  readonly inode: number;
}

export const shortId = (id: string): string => id.slice(0, SHORT_ID);

export const sandboxName = ({ platform, experiment, endpoint, container, inode }: Sandbox): string =>
  [prefixOf(platform), experiment, endpoint, container, inode].join(SEPARATOR);

/** `undefined` for another's name. */
export function parseSandbox(name: string): Sandbox | undefined {
  const [prefix, experiment, endpoint, container, inode] = name.split(SEPARATOR);
  const platform = ENGINES.find((one) => prefixOf(one) === prefix);
  if (!platform || experiment === undefined || endpoint === undefined || container === undefined)
    return undefined;
  return { platform, experiment, endpoint, container, inode: Number(inode) };
}

/** Names of all sandboxes, of those of one experiment, or of one platform. */
export function sandboxNames(experiment?: string, platform?: EngineName): string[] {
  return listNamespaces().filter((name) => {
    const sandbox = parseSandbox(name);
    if (!sandbox || (experiment !== undefined && sandbox.experiment !== experiment)) return false;
    return platform === undefined || sandbox.platform === platform;
  });
}

/** In a container that does not share the machine's processes, `NETFOLD_PROC` says where those of the machine are. */
export const processFolder = (): string => process.env.NETFOLD_PROC ?? '/proc';

/** Path of the network namespace of a process, by the number that the engine gives it. */
export const namespaceOf = (pid: number): string => `${processFolder()}/${pid}/ns/net`;

/** Of the namespace at a path; `undefined` if there is none, since its process has ended, or its name was removed. */
export function inodeAt(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
}

/** Throws `CONTAINER_ON_HOST`, `ENGINE_ELSEWHERE`. */
export function requireSandbox(container: Inspected & { readonly namespacePath: string }): number {
  const inode = inodeAt(container.namespacePath);
  if (inode === undefined)
    throw new ContainerError(
      'ENGINE_ELSEWHERE',
      `${called(container)} is not of this machine: there is no network namespace at ${container.namespacePath}`,
      'run netfold where the containers run: not beside Docker Desktop, whose containers are in a virtual machine',
    );
  if (inode === inodeAt(OWN_NAMESPACE_FILE))
    throw new ContainerError(
      'CONTAINER_ON_HOST',
      `${called(container)} shares the machine's own network`,
      'start it in a network of its own',
    );
  return inode;
}

export const shared = (
  container: Pick<Inspected, 'name' | 'isPod'>,
  first: string,
  second: string,
): ContainerError =>
  new ContainerError(
    'CONTAINER_SHARED',
    `${first} and ${second} have the same network, that of ${called(container)}`,
    'an endpoint is a network of its own: select one of the containers that share it',
  );

/** Where an endpoint is. */
export interface Attached {
  readonly namespace: string;
  readonly interface: PlannedEndpoint['interface'];
  readonly addresses: readonly string[];
}
