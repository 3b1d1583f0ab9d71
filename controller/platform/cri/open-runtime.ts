/** The runtime of this machine, for as long as it is used. */
import { Runtime } from './runtime.ts';
import { findSocket } from './runtime-socket.ts';

/** `socket`: absent, it is looked for. Throws `ContainerError`. */
export async function withRuntime<T>(
  socket: string | undefined,
  use: (runtime: Runtime, socket: string) => Promise<T>,
): Promise<T> {
  const found = socket ?? (await findSocket((one) => using(one, (runtime) => runtime.version())));
  return using(found, (runtime) => use(runtime, found));
}

async function using<T>(socket: string, use: (runtime: Runtime) => Promise<T>): Promise<T> {
  const runtime = new Runtime(socket);
  try {
    return await use(runtime);
  } finally {
    runtime.close();
  }
}
