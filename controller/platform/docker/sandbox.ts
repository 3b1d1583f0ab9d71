/**
 * The network namespaces of containers. Each that is an endpoint gets a name in /run/netns, which keeps it while netfold uses it, and
 * says all that a later process has to know: experiment, endpoint, container, and the inode of the namespace, by which it is known.
 * A container that is started again has another namespace, and gets another name.
 */
import { statSync } from 'node:fs';
import {
  listNamespaces,
  namespacePath,
  OWN_NAMESPACE_FILE,
} from '../../../agent/kernel/netns/namespace-files.ts';
import type { PlannedEndpoint } from '../port/plan.ts';
import type { Inspected } from './containers.ts';
import { DockerError } from './errors.ts';

/** Names that begin with `netfold.` are the lab's. */
const PREFIX = 'netfold-docker';
/** No name of an experiment, endpoint or container has it. */
const SEPARATOR = '+';
const SHORT_ID = 12;

export interface Sandbox {
  readonly experiment: string;
  readonly endpoint: string;
  /** The first digits of the container's id. */
  readonly container: string;
  readonly inode: number;
}

export const shortId = (id: string): string => id.slice(0, SHORT_ID);

export const sandboxName = ({ experiment, endpoint, container, inode }: Sandbox): string =>
  [PREFIX, experiment, endpoint, container, inode].join(SEPARATOR);

/** `undefined` for another's name. */
export function parseSandbox(name: string): Sandbox | undefined {
  const [prefix, experiment, endpoint, container, inode] = name.split(SEPARATOR);
  if (prefix !== PREFIX || experiment === undefined || endpoint === undefined || container === undefined)
    return undefined;
  return { experiment, endpoint, container, inode: Number(inode) };
}

/** Names of all sandboxes, or of those of one experiment. */
export function sandboxNames(experiment?: string): string[] {
  return listNamespaces().filter((name) => {
    const sandbox = parseSandbox(name);
    return sandbox !== undefined && (experiment === undefined || sandbox.experiment === experiment);
  });
}

/** The namespace of a process; `undefined` if it has ended. */
export const inodeOf = (pid: number): number | undefined => inodeAt(`/proc/${pid}/ns/net`);

function inodeAt(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
}

/** Throws `CONTAINER_ON_HOST`, `ENGINE_ELSEWHERE`. */
export function requireSandbox({ name, pid }: Inspected): number {
  const inode = inodeOf(pid);
  if (inode === undefined)
    throw new DockerError(
      'ENGINE_ELSEWHERE',
      `the container ${name} is no process of this machine (${pid})`,
      'run netfold where the containers run: not beside Docker Desktop, whose containers are in a virtual machine',
    );
  if (inode === inodeAt(OWN_NAMESPACE_FILE))
    throw new DockerError(
      'CONTAINER_ON_HOST',
      `the container ${name} shares the machine's own network`,
      'start it in a network of its own',
    );
  return inode;
}

/** Throws `CONTAINER_TAKEN` if the namespace is an endpoint of another experiment, or `CONTAINER_SHARED` of another endpoint. */
export function requireFree({ experiment, endpoint, inode }: Sandbox, name: string): void {
  for (const other of sandboxNames()) {
    if (inodeAt(namespacePath(other)) !== inode) continue;
    const theirs = parseSandbox(other)!;
    if (theirs.experiment !== experiment)
      throw new DockerError(
        'CONTAINER_TAKEN',
        `the container ${name} is ${theirs.endpoint} of the experiment ${theirs.experiment}`,
        `end that one: netfold down ${theirs.experiment}`,
      );
    if (theirs.endpoint !== endpoint) throw shared(name, theirs.endpoint, endpoint);
  }
}

export const shared = (name: string, first: string, second: string): DockerError =>
  new DockerError(
    'CONTAINER_SHARED',
    `${first} and ${second} have the same network, that of the container ${name}`,
    'an endpoint is a network of its own: select one of the containers that share it',
  );

/** Where an endpoint is. */
export interface Attached {
  readonly namespace: string;
  readonly interface: PlannedEndpoint['interface'];
  readonly addresses: readonly string[];
}
