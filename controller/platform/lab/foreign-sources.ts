/** Nobody in a lab sends with an address that is not his: for IPv6, what the router's settings are for IPv4. */
import { constants } from 'node:os';
import { NETLINK_NETFILTER, refusal } from '../../../agent/kernel/netlink/netlink-socket.ts';
import { dropForeignSources } from '../../../agent/kernel/netlink/nftables.ts';
import { withNetlink } from '../../../agent/kernel/netlink/with-netlink.ts';

/** As the kernel's own check: before connection tracking (NF_IP_PRI_RAW). */
const CHAIN = { table: 'netfold-sources', chain: 'sources', priority: -300 };
const { ENOENT, EOPNOTSUPP } = constants.errno;

/**
 * In the namespace of a host, which no application is in. Not on a kernel without nftables' `fib`
 * (CONFIG_NFT_FIB_INET): docs/security.md says what is possible then. Throws `KernelError`.
 */
export function refuseForeignSources(namespace: string): void {
  const failed = withNetlink(namespace, NETLINK_NETFILTER, (socket) =>
    socket.batch(dropForeignSources(CHAIN)).find(({ errno }) => errno !== 0),
  );
  if (failed && failed.errno !== ENOENT && failed.errno !== EOPNOTSUPP) throw refusal(failed);
}
