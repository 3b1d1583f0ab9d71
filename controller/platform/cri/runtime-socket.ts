/** Where the container runtime is. */
import { existsSync } from 'node:fs';
import { ContainerError } from '../containers/errors.ts';

/** Of containerd, CRI-O, k3s and RKE2, k0s, MicroK8s. */
const USUAL_SOCKETS = [
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/run/k3s/containerd/containerd.sock',
  '/run/k0s/containerd.sock',
  '/var/snap/microk8s/common/run/containerd.sock',
] as const;

/** The one that crictl and its configuration name, if it is named. Throws `ENGINE_ELSEWHERE` for one of another machine. */
function namedSocket(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { CONTAINER_RUNTIME_ENDPOINT: named = '' } = environment;
  if (named === '') return undefined;
  const path = named.replace(/^unix:\/\//, '');
  if (path.startsWith('/')) return path;
  throw new ContainerError(
    'ENGINE_ELSEWHERE',
    `CONTAINER_RUNTIME_ENDPOINT is ${named}: this is no socket of this machine`,
    'write CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock',
  );
}

/**
 * The first of the usual sockets at which CRI answers: Docker's containerd has the first, and CRI switched off. `answers` rejects if
 * it does not. Throws its first rejection, or `ENGINE_MISSING`.
 */
export async function findSocket(
  answers: (socket: string) => Promise<unknown>,
  environment: NodeJS.ProcessEnv = process.env,
  usual: readonly string[] = USUAL_SOCKETS,
): Promise<string> {
  const named = namedSocket(environment);
  if (named !== undefined) return named;
  let refusal: unknown;
  for (const socket of usual.map((path) => onMachine(path, environment))) {
    if (!existsSync(socket)) continue;
    try {
      await answers(socket);
      return socket;
    } catch (error) {
      refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
  throw new ContainerError(
    'ENGINE_MISSING',
    `there is no socket of a container runtime: ${usual.join(' ')}`,
    'start the runtime; or name its socket: CONTAINER_RUNTIME_ENDPOINT=unix:///PATH',
  );
}

/** Where a path of the machine below /run is for this process: in a container, the machine's /run is elsewhere. */
export function onMachine(path: string, environment: NodeJS.ProcessEnv = process.env): string {
  const { NETFOLD_RUN: run = '/run' } = environment;
  return path.replace(/^(?:\/var)?\/run(?=\/)/, () => run);
}
