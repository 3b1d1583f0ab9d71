/** Compares the kernel's classes with those that shares and paths require: nothing of hosts that left may remain. */

import { OWN_MAJOR } from '../../agent/enforce/interface-state.ts';
import { wholeBytesPerSecond } from '../../agent/enforce/path-class.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../agent/kernel/netlink/netlink-socket.ts';
import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { within } from '../../agent/kernel/netns/namespaces.ts';
import { listClasses } from '../../agent/linux/tc/tc-dumps.ts';
import type { PlannedEndpoint } from '../../controller/platform/port/plan.ts';
import type { AgentView } from '../../proto/view.ts';
import type { Path } from '../../topology/model/model.ts';
import { differences } from './agreement.ts';

type Paths = (epoch: number, from: string, to: string) => Path | undefined;

export class Classes {
  readonly #endpoints: readonly PlannedEndpoint[];
  readonly #sockets: readonly NetlinkSocket[];

  constructor(endpoints: readonly PlannedEndpoint[]) {
    this.#endpoints = endpoints;
    this.#sockets = endpoints.map(({ namespace }) =>
      within(namespacePath(namespace), () => new NetlinkSocket(NETLINK_ROUTE)),
    );
  }

  /**
   * A line for each class that is superfluous or missing. `view`: of the agent that has the endpoints. Every path
   * here has a bandwidth. The class of a path that is gone may stay as it was (agent/enforce/README.md).
   */
  wrong({ host, shares, epoch }: AgentView, path: Paths): string[] {
    const ceilings = new Map(shares.map(({ from, to, ceilingBps }) => [`${from} ${to}`, ceilingBps]));
    return this.#endpoints.flatMap((endpoint, at) => {
      const { name } = endpoint;
      if (endpoint.host.name !== host) return [];
      const others = this.#endpoints.filter((other) => other !== endpoint);
      const paths = new Map(others.map((other) => [other.name, path(epoch, name, other.name)]));
      const wanted = [...paths].flatMap(([to, found]) => {
        if (!found) return [];
        const rate = Math.min(ceilings.get(`${name} ${to}`) ?? found.bandwidth, found.bandwidth);
        return [`${to} ${wholeBytesPerSecond(rate)} B/s`];
      });
      const has = this.#read(endpoint, at).filter(({ to }) => !paths.has(to) || paths.get(to));
      const lines = has.map(({ to, bytesPerSecond }) => `${to} ${bytesPerSecond} B/s`);
      return differences(`classes of ${name}`, lines, wanted);
    });
  }

  #read({ interface: { index } }: PlannedEndpoint, at: number): { to: string; bytesPerSecond: number }[] {
    return listClasses(this.#sockets[at]!, index, OWN_MAJOR).map(({ minor, bytesPerSecond }) => ({
      to: this.#endpoints[minor - 1]?.name ?? `class ${minor}`,
      bytesPerSecond,
    }));
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
