/** Reads existing interfaces: index and addresses. */

import { addressesOf, listLinks } from '../../../agent/kernel/netlink/links.ts';
import { namespacePath } from '../../../agent/kernel/netns/namespace-files.ts';
import { onInterface } from '../../../agent/linux/take-over/take-over.ts';
import type { Placement, Surveyed } from './site-plan.ts';

/** Throws `NAMESPACE_MISSING` if there is no such namespace. */
export function surveyInterface({ ifname, namespace }: Placement): Surveyed {
  return onInterface({ namespace: namespacePath(namespace), ifindex: 0 }, (socket) => {
    const link = listLinks(socket).find((one) => one.ifname === ifname);
    return { link, addresses: link ? addressesOf(socket, link.ifindex) : [] };
  });
}
