/** Where the engine is. Small: commands that only look must start at once. */
import { ContainerError } from '../containers/errors.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';

/** The engine's socket, as Docker's own programs find it. Throws `ENGINE_ELSEWHERE` for one of another machine. */
export function engineSocket(environment: NodeJS.ProcessEnv = process.env): string {
  const { DOCKER_HOST: host = '' } = environment;
  if (host === '') return DEFAULT_SOCKET;
  if (host.startsWith('unix://')) return host.slice('unix://'.length) || DEFAULT_SOCKET;
  throw new ContainerError(
    'ENGINE_ELSEWHERE',
    `DOCKER_HOST is ${host}: the containers of that engine are on another machine`,
    'run netfold on that machine, with DOCKER_HOST=unix:///var/run/docker.sock',
  );
}
