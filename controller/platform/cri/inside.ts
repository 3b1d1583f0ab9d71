/** Commands in a pod, and what its containers have written. */
import { extname, join } from 'node:path';
import { sandboxOf } from '../containers/attached.ts';
import { ContainerError } from '../containers/errors.ts';
import { readContainerSettings } from '../containers/settings.ts';
import type { EndpointPlace, ExecOptions } from '../port/platform.ts';
import { withRuntime } from './open-runtime.ts';
import type { PodContainer, Runtime } from './runtime.ts';

const STREAM = join(import.meta.dirname, `stream${extname(import.meta.filename)}`);
/** The kubelet's format: time, stream, whether the line is whole, text. Of lines above 16 KiB each part is a line here. */
const STRIP = 's/^[^ ]+ (stdout|stderr) [FP] ?//';

/**
 * The words that run a command in the pod's first container, as the runtime does it for `kubectl exec`: with the container's user,
 * environment, capabilities and bounds. Throws `ContainerError`.
 */
export async function wordsInPod(
  endpoint: EndpointPlace,
  command: readonly string[],
  { user, privileged = false, terminal = false }: ExecOptions,
): Promise<string[]> {
  if (user !== undefined || privileged)
    throw new ContainerError(
      'ENGINE_UNSUPPORTED',
      `a command in a pod runs as its container does: ${user === undefined ? '--privileged' : '--user'} is not possible`,
      `leave it out; the pod's network from outside: ip netns exec ${endpoint.namespace} COMMAND`,
    );
  return inPod(endpoint, async (runtime, container) => {
    const url = await runtime.execUrl(container.id, command, terminal);
    return [process.execPath, STREAM, url, ...(terminal ? ['--terminal'] : [])];
  });
}

/** Throws `ContainerError`. */
export function wordsOfLogs(
  endpoint: EndpointPlace,
  { follow, tail }: { readonly follow: boolean; readonly tail?: number },
): Promise<string[]> {
  return inPod(endpoint, async (runtime, { id, name }) => {
    const path = await runtime.logOf(id);
    if (path === '')
      throw new ContainerError(
        'ENGINE_UNSUPPORTED',
        `the output of the container ${name} is kept nowhere`,
        'a kubelet has it kept; whoever has made this pod has not asked for it',
      );
    const from = ['-n', tail === undefined ? '+1' : `${tail}`, ...(follow ? ['-F'] : []), '-q'];
    const script = `tail "$@" 2>/dev/null | sed -u -E '${STRIP}'`;
    return ['sh', '-c', script, 'sh', ...from, '--', path];
  });
}

/** With the first of the pod's containers. */
function inPod(
  endpoint: EndpointPlace,
  use: (runtime: Runtime, container: PodContainer) => Promise<string[]>,
): Promise<string[]> {
  const { experiment, container: sandbox } = sandboxOf(endpoint);
  const socket = readContainerSettings('cri', experiment)?.socket;
  return withRuntime(socket, async (runtime) => {
    const listed = (await runtime.list()).find(({ id }) => id.startsWith(sandbox));
    const [first] = listed ? await runtime.containersOf(listed.id) : [];
    if (first) return use(runtime, first);
    throw new ContainerError(
      'CONTAINER_CHANGED',
      `no container runs in the pod of ${endpoint.name}`,
      'see its state: netfold status, kubectl get pods',
    );
  });
}
