/** What the kernel has of classes, beside what shares and paths ask for: nothing of the dead may be left over. */
import { toBytesPerSecond } from '../../agent/enforce/desired-interface.ts';
import { OWN_MAJOR } from '../../agent/enforce/interface-state.ts';
import { within } from '../../agent/kernel/namespaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../agent/kernel/netlink-socket.ts';
import { listClasses } from '../../agent/kernel/tc-dumps.ts';
import type { LabEndpoint } from '../../controller/lab/lab-plan.ts';
import { pathOfNamespace } from '../../controller/lab/names.ts';
import type { AgentView } from '../../proto/view.ts';
import type { Path } from '../../topology/model.ts';
import { differences } from './agreement.ts';

type Paths = (epoch: number, from: string, to: string) => Path | undefined;

export class Classes {
  readonly #endpoints: readonly LabEndpoint[];
  readonly #sockets: readonly NetlinkSocket[];

  constructor(endpoints: readonly LabEndpoint[]) {
    this.#endpoints = endpoints;
    this.#sockets = endpoints.map(({ namespace }) =>
      within(pathOfNamespace(namespace), () => new NetlinkSocket(NETLINK_ROUTE)),
    );
  }

  /**
   * A line for each class that is too many, or missing. `view`: of the agent that has the endpoints; what changed since then
   * is no breach. Every path here has a bandwidth.
   */
  wrong({ host, shares, epoch }: AgentView, path: Paths): string[] {
    const ceilings = new Map(shares.map(({ from, to, ceilingBps }) => [`${from} ${to}`, ceilingBps]));
    return this.#endpoints.flatMap((endpoint, at) => {
      const { name } = endpoint;
      if (endpoint.host.name !== host) return [];
      const wanted = this.#endpoints.flatMap((other) => {
        const found = other === endpoint ? undefined : path(epoch, name, other.name);
        if (!found) return [];
        const rate = Math.min(ceilings.get(`${name} ${other.name}`) ?? found.bandwidth, found.bandwidth);
        return [line(other.name, toBytesPerSecond(rate))];
      });
      return differences(`classes of ${name}`, this.#read(endpoint, at), wanted);
    });
  }

  #read({ interface: { index } }: LabEndpoint, at: number): string[] {
    return listClasses(this.#sockets[at]!, index, OWN_MAJOR).map(({ minor, bytesPerSecond }) =>
      line(this.#endpoints[minor - 1]?.name ?? `class ${minor}`, bytesPerSecond),
    );
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

const line = (to: string, bytesPerSecond: number): string => `${to} ${bytesPerSecond} B/s`;
