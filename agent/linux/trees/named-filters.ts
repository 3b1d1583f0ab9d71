/** netfold's filters at clsact and ingress, among those of other programs. */

import { readAttributes, readString } from '../../kernel/netlink/netlink-message.ts';
import type { NetlinkSocket, Request } from '../../kernel/netlink/netlink-socket.ts';
import {
  deleteClsact,
  handle as handleOf,
  header,
  INGRESS,
  RTM,
  TCA_BPF,
  TCA_KIND,
} from '../../kernel/netlink/tc-messages.ts';
import { FILTER_NAME, OWN_CLSACT_FILTER_NAME } from '../objects/names.ts';
import { isHeading } from './filter-kinds.ts';
import type { TreeFilter } from './model.ts';
import { readFilters } from './qdisc-tree.ts';

/** Parent of filters for outgoing packets, at clsact. */
const EGRESS = 0xfffffff3;

export const nameOf = ({ options }: TreeFilter): string =>
  readString(readAttributes(Buffer.from(options ?? '', 'base64')).get(TCA_BPF.NAME));

/** The filters at the interface's qdisc of this kind. `ingress` has none for outgoing packets. */
export function filtersOf(socket: NetlinkSocket, ifindex: number, kind: string): TreeFilter[] {
  const parents = kind === 'clsact' ? [INGRESS, EGRESS] : [INGRESS];
  return parents.flatMap((parent) => readFilters(socket, ifindex, parent));
}

/** netfold's filters, by their names, at the interface's qdisc of this kind. */
export function ownFilters(socket: NetlinkSocket, ifindex: number, kind: string): TreeFilter[] {
  return filtersOf(socket, ifindex, kind).filter(
    (filter) => filter.kind === 'bpf' && [FILTER_NAME, OWN_CLSACT_FILTER_NAME].includes(nameOf(filter)),
  );
}

/**
 * Removes netfold's filters. A clsact that was added for them is removed in the same step, if nothing else is attached to
 * it: a later run could not recognise it without the filter.
 */
export function removeOwnFilters(socket: NetlinkSocket, ifindex: number, kind: string): void {
  const own = ownFilters(socket, ifindex, kind);
  const others = filtersOf(socket, ifindex, kind).filter((filter) => !isHeading(filter)).length - own.length;
  const isOwnClsact = kind === 'clsact' && own.some((filter) => nameOf(filter) === OWN_CLSACT_FILTER_NAME);
  if (isOwnClsact && others === 0) socket.run([deleteClsact(ifindex)]);
  else socket.run(own.map((filter) => deleteFilter(ifindex, filter)));
}

/** `tc filter del dev IF parent PARENT protocol PROTO prio N handle H bpf`: only this filter, not all of its priority. */
function deleteFilter(ifindex: number, { handle, parent, priority, protocol, kind }: TreeFilter): Request {
  const swapped = ((protocol & 0xff) << 8) | (protocol >>> 8);
  return {
    type: RTM.DELTFILTER,
    flags: 0,
    what: `delete netfold's filter of priority ${priority}`,
    body: (w) =>
      header(w, ifindex, handle, parent, handleOf(priority, swapped)).attributeString(TCA_KIND, kind),
  };
}
