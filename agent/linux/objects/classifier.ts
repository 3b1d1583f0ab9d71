/** The BPF program that finds the class of each outgoing packet. */
import type { Request } from '../../kernel/netlink/netlink-socket.ts';
import { handle, setBpfFilter } from '../../kernel/netlink/tc-messages.ts';
import { FILTER_NAME } from './names.ts';

/** netfold's root has no other filters. */
const PRIORITY = 1;

/** Attaches the program to the root qdisc with this major number. */
export function setClassifier(ifindex: number, major: number, programFd: number): Request {
  return setBpfFilter(ifindex, {
    parent: handle(major, 0),
    priority: PRIORITY,
    programFd,
    name: FILTER_NAME,
    what: 'set the BPF classifier',
  });
}
