/** The links of a local lab: veth pairs between fabric, hosts and endpoints, their addresses, routes and neighbours. */
import { isIP, isIPv4 } from 'node:net';
import { NETLINK_ROUTE, NetlinkSocket, type Request } from '../../../agent/kernel/netlink/netlink-socket.ts';
import {
  addAddress,
  addRoute,
  addVeth,
  setNeighbour,
  setNoLinkLocal,
  setUp,
  type VethEnd,
} from '../../../agent/kernel/netlink/rtnetlink.ts';
import { disableIpv6, enableIpv6 } from '../../../agent/kernel/netns/ip-settings.ts';
import { namespacePath } from '../../../agent/kernel/netns/namespace-files.ts';
import { within } from '../../../agent/kernel/netns/namespaces.ts';
import { close, open } from '../../../agent/kernel/sys/descriptors.ts';
import { fabricNamespace } from './lab-names.ts';
import {
  BROADCAST,
  ENDPOINT_INTERFACE,
  FABRIC_INTERFACE,
  FIRST_PORT,
  GATEWAY,
  GATEWAY6,
  type LabEndpoint,
  type LabFamilies,
  type LabHost,
  type LabPlan,
  macOf,
} from './lab-plan.ts';

const LOOPBACK = 1;
/** Connects all hosts with the fabric. */
export function connectHosts(plan: LabPlan): void {
  inNamespace(fabricNamespace(plan.experiment), (socket) => {
    // Also for the kernel's table of local addresses; without it, the kernel takes every gateway for a broadcast
    // address.
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
          ...up(port.index, plan),
          addRoute({ destination: host.address, prefixLength: 32, interfaceIndex: port.index }),
          ...host.networks.flatMap(({ prefix, length, gateway }) => [
            setNeighbour(port.index, gateway, peer.mac),
            addRoute({
              destination: prefix,
              prefixLength: length,
              interfaceIndex: port.index,
              gateway,
            }),
          ]),
        ];
      });
    });
    socket.run(requests);
  });
  for (const host of plan.hosts) {
    inNamespace(host.namespace, (socket) =>
      socket.run(
        uplink(FABRIC_INTERFACE.index, [host.address], macOf('fabric', host.index), { ...plan, ipv4: true }),
      ),
    );
  }
}

/** Connects endpoints of one host with it; their namespaces exist already. */
export function connectEndpoints(endpoints: readonly LabEndpoint[], host: LabHost, plan: LabFamilies): void {
  const setIpv6 = plan.ipv6 ? enableIpv6 : disableIpv6;
  for (const { namespace } of endpoints) setIpv6(namespacePath(namespace));
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
          ...up(port.index, plan),
          ...endpoint.addresses.flatMap((address) => [
            setNeighbour(port.index, address, peer.mac),
            addRoute({
              destination: address,
              prefixLength: isIP(address) === 6 ? 128 : 32,
              interfaceIndex: port.index,
            }),
          ]),
        ];
      });
    });
    socket.run(requests);
  });
  for (const { number, namespace, addresses } of endpoints) {
    inNamespace(namespace, (socket) =>
      socket.run(uplink(ENDPOINT_INTERFACE.index, addresses, macOf('host', number), plan)),
    );
  }
}

/** One interface with its addresses; everything goes through the gateway. */
function uplink(
  index: number,
  addresses: readonly string[],
  gatewayMac: Uint8Array,
  { ipv4, ipv6 }: LabFamilies,
): Request[] {
  const routes = [
    ...(ipv4 ? [{ destination: '0.0.0.0', gateway: GATEWAY }] : []),
    ...(ipv6 ? [{ destination: '::', gateway: GATEWAY6 }] : []),
  ];
  return [
    setUp(LOOPBACK),
    ...up(index, { ipv6 }),
    ...addresses.map((address) => addAddress(index, address, isIPv4(address) ? BROADCAST : undefined)),
    ...routes.flatMap(({ destination, gateway }) => [
      setNeighbour(index, gateway, gatewayMac),
      addRoute({ destination, prefixLength: 0, interfaceIndex: index, gateway }),
    ]),
  ];
}

/** With no addresses but those of the plan. */
function up(index: number, { ipv6 }: Pick<LabFamilies, 'ipv6'>): Request[] {
  return ipv6 ? [setNoLinkLocal(index), setUp(index)] : [setUp(index)];
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
