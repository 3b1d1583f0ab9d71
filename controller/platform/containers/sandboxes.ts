/** The network namespaces of containers as the kernel has them. Modules that need libc are loaded on demand. */
import { type Attached, inodeAt, type Sandbox } from './sandbox.ts';

/** What the kernel has of the network namespaces of containers. */
export interface SandboxPort {
  inodeAt(path: string): number | undefined;
  /** Names the sandbox at a path, and finds the interface with one of the addresses there. `undefined`: none has one yet. */
  open(sandbox: Sandbox, path: string, addresses: readonly string[]): Promise<Attached | undefined>;
  /** Takes a name away. May be called twice, also at once. */
  close(name: string): Promise<void>;
}

export const SANDBOXES: SandboxPort = {
  inodeAt,
  open: async (sandbox, path, addresses) => {
    const { openSandbox } = await import('./survey.ts');
    return openSandbox(sandbox, path, addresses);
  },
  close: async (name) => {
    const { removeNamespace } = await import('../../../agent/kernel/netns/namespaces.ts');
    removeNamespace(name);
  },
};
