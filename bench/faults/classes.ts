/** What the kernel has of classes, beside what shares and paths ask for: nothing of the dead may be left over. */
import { toBytesPerSecond } from '../../agent/enforce/desired-interface.ts';
import { OWN_MAJOR } from '../../agent/enforce/interface-state.ts';
import { within } from '../../agent/kernel/namespaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../agent/kernel/netlink-socket.ts';
import { listClasses } from '../../agent/kernel/tc-dumps.ts';
import type { LabEndpoint } from '../../controller/lab/lab-plan.ts';
import { pathOfNamespace } from '../../controller/lab/names.ts';
import type { ViewShare } from '../../proto/view.ts';
import type { Path } from '../../topology/model.ts';

export class Classes {
  readonly #endpoints: readonly LabEndpoint[];
  readonly #sockets: readonly NetlinkSocket[];

  constructor(endpoints: readonly LabEndpoint[]) {
    this.#endpoints = endpoints;
    this.#sockets = endpoints.map(({ namespace }) =>
      within(pathOfNamespace(namespace), () => new NetlinkSocket(NETLINK_ROUTE)),
    );
  }

  /** By endpoint, a line for each class: the destination's name and what it may carry, sorted. */
  read(): string[] {
    return this.#endpoints.map(({ name, interface: { index } }, at) => {
      const classes = listClasses(this.#sockets[at]!, index, OWN_MAJOR).map(({ minor, bytesPerSecond }) =>
        line(this.#endpoints[minor - 1]?.name ?? `class ${minor}`, bytesPerSecond),
      );
      return textOf(name, classes);
    });
  }

  /** The same as it should be. Every path here has a bandwidth. */
  wanted(shares: readonly ViewShare[], path: (from: string, to: string) => Path | undefined): string[] {
    const ceilings = new Map(shares.map(({ from, to, ceilingBps }) => [`${from} ${to}`, ceilingBps]));
    return this.#endpoints.map(({ name }) => {
      const classes = this.#endpoints.flatMap((other) => {
        const found = other.name === name ? undefined : path(name, other.name);
        if (!found) return [];
        const rate = Math.min(ceilings.get(`${name} ${other.name}`) ?? found.bandwidth, found.bandwidth);
        return [line(other.name, toBytesPerSecond(rate))];
      });
      return textOf(name, classes);
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

const line = (to: string, bytesPerSecond: number): string => `${to} ${bytesPerSecond} B/s`;
const textOf = (from: string, classes: readonly string[]): string =>
  `${from} > ${[...classes].sort().join(', ')}`;
