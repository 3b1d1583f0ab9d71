/**
 * Whether netfold's rule has an effect at all: a datagram is sent inside of each endpoint, and has to be counted by the root qdisc of its
 * interface. Routes over another interface, and drivers or network plugins that pass tc by, would leave all as it was without a word.
 */
import { isIP } from 'node:net';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import type { Timers } from '../../clock/clock.ts';
import { addressText, familyBytes } from '../../kernel/netlink/addresses.ts';
import { NETLINK_ROUTE } from '../../kernel/netlink/netlink-socket.ts';
import { TC_H_ROOT } from '../../kernel/netlink/tc-messages.ts';
import { withNetlink } from '../../kernel/netlink/with-netlink.ts';
import { within } from '../../kernel/netns/namespaces.ts';
import { close } from '../../kernel/sys/descriptors.ts';
import { connectedUdp, ownAddress } from '../../kernel/sys/inet-sockets.ts';
import { send } from '../../kernel/sys/sockets.ts';
import { listQdiscs } from '../tc/tc-dumps.ts';

/** The service that discards what it gets (RFC 863); where nobody listens, the kernel answers that. */
const DISCARD = 9;
const MARK = Buffer.from('netfold path trial');
/** The address of the next hop has to be found first, which takes some packets of its own. */
const LOOKS = 40;
const LOOK_MS = 25;
/** So many endpoints at a time, so that their datagrams do not arrive all at once. */
const AT_ONCE = 16;

interface Sent {
  readonly endpoint: LocalEndpoint;
  readonly to: LocalEndpoint;
  readonly before: number;
}

/** Name of an endpoint → why its rule has no effect. One that is alone here can't be tried. Throws `KernelError`. */
export async function tryPaths(
  endpoints: readonly LocalEndpoint[],
  timers: Timers,
): Promise<ReadonlyMap<string, string>> {
  const problems = new Map<string, string>();
  let waiting: Sent[] = [];
  for (const [index, endpoint] of endpoints.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await pause(timers);
    const to = endpoints[(index + 1) % endpoints.length]!;
    const address = to.addresses.find((one) => endpoint.addresses.some((own) => isIP(own) === isIP(one)));
    if (to === endpoint || address === undefined) continue;
    const before = counted(endpoint);
    // Nothing is to be enforced there.
    if (before === undefined) continue;
    const problem = within(endpoint.namespace, () => sendTo(address, endpoint));
    if (problem === undefined) waiting.push({ endpoint, to, before });
    else problems.set(endpoint.name, `on the way to ${to.name}, ${problem}`);
  }
  for (let look = 0; look < LOOKS && waiting.length > 0; look++) {
    await pause(timers);
    waiting = waiting.filter(({ endpoint, before }) => counted(endpoint) === before);
  }
  for (const { endpoint, to } of waiting)
    problems.set(
      endpoint.name,
      `a datagram to ${to.name} has not met netfold's queueing discipline on ${endpoint.ifname}; a network plugin or driver leads it by: use another network (bridge, overlay, veth)`,
    );
  return problems;
}

const pause = (timers: Timers): Promise<void> => new Promise((resolve) => timers.after(LOOK_MS, resolve));

/** Sends from the namespace of the calling thread. Returns why the datagram does not leave by the endpoint's interface. */
function sendTo(address: string, { addresses, ifname }: LocalEndpoint): string | undefined {
  let fd: number;
  try {
    fd = connectedUdp(familyBytes(address), DISCARD);
  } catch (error) {
    return `there is no route to ${address}: ${(error as Error).message}`;
  }
  try {
    const source = addressText(ownAddress(fd));
    if (!addresses.includes(source))
      return `the route to ${address} begins at ${source}, which is not on ${ifname}: remove that route, or shape the other network (--network)`;
    send(fd, MARK);
    return undefined;
  } finally {
    close(fd);
  }
}

/** What netfold's root has got: sent, dropped or still in its queues. `undefined`: there is none. */
function counted({ namespace, ifindex }: LocalEndpoint): number | undefined {
  const root = withNetlink(namespace, NETLINK_ROUTE, (socket) =>
    listQdiscs(socket, ifindex).find(({ parent, kind }) => parent === TC_H_ROOT && kind === 'htb'),
  );
  return root && root.packets.sent + root.packets.dropped + root.packets.waiting;
}
