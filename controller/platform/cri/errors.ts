/** What a container runtime answers, as errors. */
import { millisToSeconds } from '../../../proto/units.ts';
import { ContainerError } from '../containers/errors.ts';

/** Of gRPC: https://grpc.io/docs/guides/status-codes/ */
const STATUS = { deadlineExceeded: 4, notFound: 5, unimplemented: 12, unavailable: 14 } as const;

export const isNotFound = (error: unknown): boolean =>
  (error as { code?: unknown } | undefined)?.code === STATUS.notFound;

export const isUnimplemented = (error: unknown): boolean =>
  (error as { code?: unknown } | undefined)?.code === STATUS.unimplemented;

/** `error`: as @grpc/grpc-js gives it. */
export function runtimeError(
  socket: string,
  error: Error & { code?: number; details?: string },
  deadlineMs: number,
): ContainerError {
  const { code, details = error.message } = error;
  if (code === STATUS.deadlineExceeded)
    return new ContainerError(
      'ENGINE_SILENT',
      `the container runtime at ${socket} does not answer within ${millisToSeconds(deadlineMs)} s`,
      'see what it does: journalctl -u containerd, or -u crio, or -u k3s',
      error,
    );
  if (code === STATUS.unimplemented)
    return new ContainerError(
      'ENGINE_TOO_OLD',
      `what answers at ${socket} does not have runtime.v1 of CRI: ${details}`,
      "use containerd 1.6 or newer, CRI-O 1.23 or newer; the containerd that Docker brings has CRI switched off (disabled_plugins in /etc/containerd/config.toml): for Docker's containers, --engine docker",
      error,
    );
  if (code !== STATUS.unavailable)
    return new ContainerError(
      'ENGINE_FAILED',
      `the container runtime at ${socket} refuses a request: ${details}`,
      'see what it says: journalctl -u containerd, or -u crio, or -u k3s',
      error,
    );
  if (/EACCES|EPERM/.test(details))
    return new ContainerError(
      'ENGINE_DENIED',
      `this user may not use the container runtime at ${socket}`,
      'run it as root, with sudo',
      error,
    );
  return new ContainerError(
    'ENGINE_MISSING',
    `no container runtime answers at ${socket} (${/E[A-Z]{3,}/.exec(details)?.[0] ?? details})`,
    'start it: systemctl start containerd, or crio, or k3s; or name its socket: CONTAINER_RUNTIME_ENDPOINT=unix:///PATH',
    error,
  );
}
