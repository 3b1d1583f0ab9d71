/** netfold's filters at clsact and ingress, among those of other programs. */

import { readAttributes, readString } from '../../kernel/netlink/netlink-message.ts';
import type { NetlinkSocket, Request } from '../../kernel/netlink/netlink-socket.ts';
import {
  addClsact,
  deleteClsact,
  HOOK_PARENTS,
  type Hook,
  handle as handleOf,
  header,
  RTM,
  setHookFilter,
  TCA_BPF,
  TCA_KIND,
} from '../../kernel/netlink/tc-messages.ts';
import { FILTER_NAME, OWN_CLSACT_FILTER_NAME } from '../objects/names.ts';
import { listQdiscs } from '../tc/tc-dumps.ts';
import { isHeading } from './filter-kinds.ts';
import type { TreeFilter } from './model.ts';
import { readFilters } from './qdisc-tree.ts';

const nameOf = ({ options }: TreeFilter): string =>
  readString(readAttributes(Buffer.from(options ?? '', 'base64')).get(TCA_BPF.NAME));

const isOwn = (filter: TreeFilter): boolean =>
  filter.kind === 'bpf' && [FILTER_NAME, OWN_CLSACT_FILTER_NAME].includes(nameOf(filter));

/** The interface's qdisc for filters, if there is one; `ingress` has no hook for outgoing packets. */
function entrance(socket: NetlinkSocket, ifindex: number): 'clsact' | 'ingress' | undefined {
  for (const { kind } of listQdiscs(socket, ifindex))
    if (kind === 'clsact' || kind === 'ingress') return kind;
  return undefined;
}

function filtersOf(socket: NetlinkSocket, ifindex: number): TreeFilter[] {
  const kind = entrance(socket, ifindex);
  if (kind === undefined) return [];
  const hooks = kind === 'clsact' ? Object.values(HOOK_PARENTS) : [HOOK_PARENTS.ingress];
  return hooks.flatMap((parent) => readFilters(socket, ifindex, parent));
}

/** netfold's filters on the interface, by their names: at one hook, or at both. */
export function ownFilters(socket: NetlinkSocket, ifindex: number, hook?: Hook): TreeFilter[] {
  return filtersOf(socket, ifindex).filter((filter) => isOwn(filter) && isAt(filter, hook));
}

const isAt = ({ parent }: TreeFilter, hook: Hook | undefined): boolean =>
  hook === undefined || parent === HOOK_PARENTS[hook];

/**
 * Runs the program for every packet at the hook, behind filters of other programs, in place of one of an earlier agent.
 * Where there is no clsact, it is added in the same send as the filter, so that a kill can't come in between: the names
 * of netfold's filters say that netfold has added the clsact. False where the interface has no such hook: the qdisc
 * `ingress` of somebody else is in the place of clsact.
 */
export function installFilter(
  socket: NetlinkSocket,
  ifindex: number,
  hook: Hook,
  programFd: number,
): boolean {
  const kind = entrance(socket, ifindex);
  if (kind === undefined) {
    const settings = { name: OWN_CLSACT_FILTER_NAME, priority: 1 };
    socket.run([addClsact(ifindex), setHookFilter(ifindex, hook, programFd, settings)]);
    return true;
  }
  if (kind === 'ingress' && hook === 'egress') return false;
  const filters = filtersOf(socket, ifindex);
  const here = filters.filter((filter) => isAt(filter, hook));
  const own = here.find(isOwn);
  const taken = new Set(here.map(({ priority }) => priority));
  let priority = own?.priority ?? 1;
  while (!own && taken.has(priority)) priority++;
  const name = filters.some(ownsClsact) ? OWN_CLSACT_FILTER_NAME : FILTER_NAME;
  socket.run([setHookFilter(ifindex, hook, programFd, { name, priority })]);
  return true;
}

/** Whether this program is installed at the hook, or can't be, since there is no such hook. */
export function isInstalled(socket: NetlinkSocket, ifindex: number, hook: Hook, program: number): boolean {
  if (hook === 'egress' && entrance(socket, ifindex) === 'ingress') return true;
  return ownFilters(socket, ifindex, hook).some(({ options }) => {
    const id = readAttributes(Buffer.from(options ?? '', 'base64')).get(TCA_BPF.ID);
    return id?.readUInt32LE(0) === program;
  });
}

const ownsClsact = (filter: TreeFilter): boolean =>
  isOwn(filter) && nameOf(filter) === OWN_CLSACT_FILTER_NAME;

/**
 * Removes netfold's filters at one hook, or at both. A clsact that was added for them is removed in the same step, if
 * nothing else is attached to it: a later run could not recognise it without the filter.
 */
export function removeOwnFilters(socket: NetlinkSocket, ifindex: number, hook?: Hook): void {
  const filters = filtersOf(socket, ifindex).filter((filter) => !isHeading(filter));
  const leaving = filters.filter((filter) => isOwn(filter) && isAt(filter, hook));
  if (leaving.length === filters.length && leaving.some(ownsClsact)) socket.run([deleteClsact(ifindex)]);
  else socket.run(leaving.map((filter) => deleteFilter(ifindex, filter)));
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
