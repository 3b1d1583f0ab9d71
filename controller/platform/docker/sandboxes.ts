/** The network namespaces of containers as the kernel has them. Modules that need libc are loaded on demand. */
import { type Attached, inodeOf, type Sandbox } from './sandbox.ts';

/** What the kernel has of the network namespaces of containers. */
export interface SandboxPort {
  /** As `inodeOf`. */
  inodeOf(pid: number): number | undefined;
  /** Names the sandbox of a process, and finds the interface with one of the addresses there. `undefined`: none has one yet. */
  open(sandbox: Sandbox, pid: number, addresses: readonly string[]): Promise<Attached | undefined>;
  /** Takes a name away. May be called twice, also at once. */
  close(name: string): Promise<void>;
}

export const SANDBOXES: SandboxPort = {
  inodeOf,
  open: async (sandbox, pid, addresses) => {
    const { openSandbox } = await import('./survey.ts');
    return openSandbox(sandbox, pid, addresses);
  },
  close: async (name) => {
    const { removeNamespace } = await import('../../../agent/kernel/netns/namespaces.ts');
    removeNamespace(name);
  },
};
