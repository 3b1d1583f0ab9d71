/** Makes and removes the namespaces and links of a local lab. */
import { mkdirSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { close, open } from '../../agent/kernel/libc.ts';
import {
  createNamespaces,
  listNamespaces,
  namespacePath,
  removeNamespace,
  within,
} from '../../agent/kernel/namespaces.ts';
import { NETLINK_ROUTE, NetlinkSocket, type Request } from '../../agent/kernel/netlink-socket.ts';
import {
  addAddress,
  addRoute,
  addVeth,
  setNeighbour,
  setUp,
  type VethEnd,
} from '../../agent/kernel/rtnetlink.ts';
import {
  ENDPOINT_INTERFACE,
  FABRIC_INTERFACE,
  GATEWAY,
  hostsFileText,
  type LabEndpoint,
  type LabHost,
  type LabPlan,
  macOf,
} from './lab-plan.ts';
import { experimentOf, fabricNamespace, hostsFile, NETNS_ETC_FOLDER } from './names.ts';

const LOOPBACK = 1;
/** Interface indices in hosts and fabric are chosen, so that nothing has to be looked up. */
const FIRST_PORT = 10;

/** Creates the whole lab, or nothing: what was made is removed when a step fails. */
export function createLab(plan: LabPlan): void {
  const fabric = fabricNamespace(plan.experiment);
  const names = [
    fabric,
    ...plan.hosts.map(({ namespace }) => namespace),
    ...plan.endpoints.map(({ namespace }) => namespace),
  ];
  createNamespaces(names);
  try {
    writeNameFiles(plan);
    connectHosts(plan, fabric);
    for (const host of plan.hosts)
      connectEndpoints(
        plan.endpoints.filter((endpoint) => endpoint.host === host),
        host,
      );
  } catch (error) {
    removeLab(plan.experiment);
    throw error;
  }
}

/** Removes every namespace of an experiment, also those that no state file knows; returns how many there were. */
export function removeLab(experiment: string): number {
  const names = listNamespaces().filter((name) => experimentOf(name) === experiment);
  for (const name of names) {
    removeNamespace(name);
    rmSync(join(NETNS_ETC_FOLDER, name), { recursive: true, force: true });
  }
  removeIfEmpty(NETNS_ETC_FOLDER);
  return names.length;
}

export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT' && code !== 'EBUSY') throw error;
  }
}

/** `ip netns exec` mounts these over /etc/hosts, so that the topology's names resolve; all are one file. */
function writeNameFiles(plan: LabPlan): void {
  const file = hostsFile(plan.experiment);
  writeFileSync(file, hostsFileText(plan));
  for (const { namespace } of plan.endpoints) {
    const folder = join(NETNS_ETC_FOLDER, namespace);
    mkdirSync(folder, { recursive: true });
    symlinkSync(file, join(folder, 'hosts'));
  }
}

function connectHosts(plan: LabPlan, fabric: string): void {
  asRouter(fabric);
  inNamespace(fabric, (socket) => {
    // Also for the kernel's table of local addresses, without which it takes every gateway for a broadcast address.
    socket.run([setUp(LOOPBACK)]);
    const requests = plan.hosts.flatMap((host) => {
      const port: VethEnd = {
        index: FIRST_PORT + host.index,
        name: host.name,
        mac: macOf('fabric', host.index),
      };
      const peer: VethEnd = { ...FABRIC_INTERFACE, mac: macOf('host', host.index) };
      return withNamespaceFd(host.namespace, (fd): Request[] => {
        socket.run([addVeth(port, peer, fd)]);
        return [
          setUp(port.index),
          setNeighbour(port.index, host.address, peer.mac),
          addRoute({ destination: host.address, prefixLength: 32, interfaceIndex: port.index }),
          addRoute({
            destination: `10.${host.index + 1}.0.0`,
            prefixLength: 16,
            interfaceIndex: port.index,
            gateway: host.address,
          }),
        ];
      });
    });
    socket.run(requests);
  });
  for (const host of plan.hosts) {
    asRouter(host.namespace);
    inNamespace(host.namespace, (socket) =>
      socket.run(uplink(FABRIC_INTERFACE.index, host.address, macOf('fabric', host.index))),
    );
  }
}

function connectEndpoints(endpoints: readonly LabEndpoint[], host: LabHost): void {
  inNamespace(host.namespace, (socket) => {
    const requests = endpoints.flatMap((endpoint) => {
      const port: VethEnd = {
        index: FIRST_PORT + endpoint.number,
        name: `e${endpoint.number}`,
        mac: macOf('host', endpoint.number),
      };
      const peer: VethEnd = { ...ENDPOINT_INTERFACE, mac: macOf('endpoint', endpoint.number) };
      return withNamespaceFd(endpoint.namespace, (fd): Request[] => {
        socket.run([addVeth(port, peer, fd)]);
        return [
          setUp(port.index),
          setNeighbour(port.index, endpoint.address, peer.mac),
          addRoute({ destination: endpoint.address, prefixLength: 32, interfaceIndex: port.index }),
        ];
      });
    });
    socket.run(requests);
  });
  for (const { number, namespace, address } of endpoints) {
    inNamespace(namespace, (socket) =>
      socket.run(uplink(ENDPOINT_INTERFACE.index, address, macOf('host', number))),
    );
  }
}

/** One interface, one address, everything through the gateway. */
function uplink(index: number, address: string, gatewayMac: Uint8Array): Request[] {
  return [
    setUp(LOOPBACK),
    addAddress(index, address),
    setUp(index),
    setNeighbour(index, GATEWAY, gatewayMac),
    addRoute({ destination: '0.0.0.0', prefixLength: 0, interfaceIndex: index, gateway: GATEWAY }),
  ];
}

/** What a router must do, and what it must not: check that answers would take the same way. */
function asRouter(namespace: string): void {
  const settings = { ip_forward: '1', 'conf/all/rp_filter': '0', 'conf/default/rp_filter': '0' };
  within(namespacePath(namespace), () => {
    for (const [name, value] of Object.entries(settings)) writeFileSync(`/proc/sys/net/ipv4/${name}`, value);
  });
}

function inNamespace(name: string, action: (socket: NetlinkSocket) => void): void {
  const socket = within(namespacePath(name), () => new NetlinkSocket(NETLINK_ROUTE));
  try {
    action(socket);
  } finally {
    socket.close();
  }
}

function withNamespaceFd<T>(name: string, action: (fd: number) => T): T {
  const fd = open(namespacePath(name));
  try {
    return action(fd);
  } finally {
    close(fd);
  }
}
