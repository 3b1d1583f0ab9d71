/** What an experiment must not leave on the machine: namespaces, interfaces, processes, files. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { listLinks } from '../../agent/kernel/netlink/links.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../agent/kernel/netlink/netlink-socket.ts';
import { THREAD_NAMESPACE_FILE } from '../../agent/kernel/netns/namespace-files.ts';
import { listNamespaces, namespacePath, within } from '../../agent/kernel/netns/namespaces.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { experimentFolder } from '../../controller/names.ts';
import { experimentOf, NETNS_ETC_FOLDER } from '../../controller/platform/lab/lab-names.ts';
import { DATES_PREFIX } from './host-dates.ts';

export class Traces {
  readonly #experiment: string;
  readonly #interfaces: ReadonlySet<string>;
  /** Of the experiment, as /proc names them: a process may outlive the name of its namespace. */
  readonly #namespaces: ReadonlySet<string>;

  /** `experiment`: its name; it runs. */
  constructor(experiment: string) {
    this.#experiment = experiment;
    this.#interfaces = new Set(interfaces());
    this.#namespaces = new Set(
      this.#named().map((name) => within(namespacePath(name), () => readlinkSync(THREAD_NAMESPACE_FILE))),
    );
  }

  /** A line for each item that remains. Call it when the experiment has ended. */
  left(): string[] {
    const name = this.#experiment;
    const inside = processes().filter(({ namespace }) => this.#namespaces.has(namespace));
    return [
      ...this.#named().map((namespace) => `namespace ${namespace}`),
      ...interfaces().flatMap((one) => (this.#interfaces.has(one) ? [] : [`interface ${one}`])),
      ...new Set([...inside.map(({ pid }) => pid), ...agentsOf(name)].map((pid) => `process ${pid}`)),
      ...(existsSync(experimentFolder(name)) ? [experimentFolder(name)] : []),
      ...list(NETNS_ETC_FOLDER).filter((one) => experimentOf(one) === name),
      ...list(tmpdir()).filter((one) => one.startsWith(`${DATES_PREFIX}${process.pid}-`)),
    ];
  }

  #named(): string[] {
    return listNamespaces().filter((namespace) => experimentOf(namespace) === this.#experiment);
  }
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** Of the machine itself. */
function interfaces(): string[] {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    return listLinks(socket).map(({ ifname }) => ifname);
  } finally {
    socket.close();
  }
}

function processes(): { pid: number; namespace: string }[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      return [{ pid: Number(entry), namespace: readlinkSync(`/proc/${entry}/ns/net`) }];
    } catch {
      return [];
    }
  });
}
