/**
 * The other ends of endpoints' links in a lab, in the namespace of the agent, where no application is: what has not passed the
 * classifier at the endpoint goes no further (`guard`, bpf/netfold.bpf.c). Only while netfold's root is what the endpoint has to have.
 */
import { constants } from 'node:os';
import type { BatchMap } from '../../kernel/bpf/libbpf.ts';
import { NETLINK_ROUTE, NetlinkSocket, refusal, type Verdict } from '../../kernel/netlink/netlink-socket.ts';
import { addClsact, deleteClsact, setHookFilter } from '../../kernel/netlink/tc-messages.ts';
import { FILTER_NAME } from '../objects/names.ts';

const { EEXIST, EINVAL, ENODEV, ENOENT } = constants.errno;
/** clsact at a lab's own interface is netfold's, or it is gone. */
const NOT_THERE: readonly number[] = [EINVAL, ENODEV, ENOENT];
const FILTER = { name: FILTER_NAME, priority: 1 };

export interface FarEndsOptions {
  /** The other end of endpoint N has the index `firstPort` + N, in the namespace of the calling thread. */
  readonly firstPort: number;
  readonly guardFd: number;
  readonly strays: BatchMap;
}

export class FarEnds {
  readonly #options: FarEndsOptions;
  readonly #socket = new NetlinkSocket(NETLINK_ROUTE);
  /** Numbers of endpoints. */
  readonly #guarded = new Set<number>();

  constructor(options: FarEndsOptions) {
    this.#options = options;
  }

  /** Drops from now on what comes from the endpoint and has not passed its classifier. Throws `KernelError`. */
  guard(endpoint: number): void {
    const { firstPort, guardFd, strays } = this.#options;
    const ifindex = firstPort + endpoint;
    const [added, set] = this.#socket.batch([
      addClsact(ifindex),
      setHookFilter(ifindex, 'ingress', guardFd, FILTER),
    ]);
    requireDone(added, [EEXIST]);
    requireDone(set, []);
    if (this.#guarded.has(endpoint)) return;
    strays.update(keyOf(ifindex), new Uint8Array(BigUint64Array.BYTES_PER_ELEMENT), 1);
    this.#guarded.add(endpoint);
  }

  /** Lets everything of the endpoint pass, also where an earlier agent did not. Throws `KernelError`. */
  release(endpoint: number): void {
    this.#guarded.delete(endpoint);
    const { firstPort, strays } = this.#options;
    const ifindex = firstPort + endpoint;
    strays.remove(keyOf(ifindex), 1);
    requireDone(this.#socket.batch([deleteClsact(ifindex)])[0], NOT_THERE);
  }

  /** Number of an endpoint → how many frames were dropped, if there were any. */
  dropped(): Map<number, number> {
    const { firstPort, strays } = this.#options;
    const found = new Map<number, number>();
    for (const endpoint of this.#guarded) {
      const value = strays.lookup(keyOf(firstPort + endpoint));
      const frames = value ? Number(new BigUint64Array(value.buffer)[0]) : 0;
      if (frames > 0) found.set(endpoint, frames);
    }
    return found;
  }

  close(): void {
    this.#socket.close();
  }
}

function requireDone(verdict: Verdict | undefined, allowed: readonly number[]): void {
  if (verdict && verdict.errno !== 0 && !allowed.includes(verdict.errno)) throw refusal(verdict);
}

const keyOf = (ifindex: number): Uint8Array => new Uint8Array(Uint32Array.of(ifindex).buffer);
