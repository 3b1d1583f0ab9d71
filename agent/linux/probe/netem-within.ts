/**
 * Whether packets that a netem has passed to a netem within it still count as its own. Linux before 6.13, and stable kernels
 * before December 2024, forget them ("net/sched: netem: account for backlog updates from child qdisc"): HTB then takes the class
 * for empty, and they leave when the next packet comes, or never.
 */
import { NLM_F_CREATE, NLM_F_EXCL } from '../../kernel/netlink/netlink-message.ts';
import { NETLINK_ROUTE, NetlinkSocket, type Request } from '../../kernel/netlink/netlink-socket.ts';
import { setUp } from '../../kernel/netlink/rtnetlink.ts';
import {
  handle,
  header,
  NANOSECONDS_PER_TICK,
  RTM,
  TC_H_ROOT,
  TCA_KIND,
  TCA_OPTIONS,
} from '../../kernel/netlink/tc-messages.ts';
import { inScratchNamespace, LOOPBACK } from '../../kernel/netns/scratch-namespace.ts';
import { sendTo } from '../../kernel/sys/datagrams.ts';
import { close } from '../../kernel/sys/descriptors.ts';
import { connectedUdp, socketAddress } from '../../kernel/sys/inet-sockets.ts';
import { listQdiscs } from '../tc/tc-dumps.ts';

const OUTER = 1;
const WITHIN = 2;
const HOME = new Uint8Array([127, 0, 0, 1]);
/** Discard (RFC 863): nobody listens. */
const PORT = 9;
/** Longer than anybody looks. */
const HELD_NS = 60e9;

/** False also where it can't be tried, and where there is no netem. */
export function countsWithin(): boolean {
  try {
    return inScratchNamespace(() => {
      const socket = new NetlinkSocket(NETLINK_ROUTE);
      try {
        socket.run([
          setUp(LOOPBACK),
          addNetem(OUTER, TC_H_ROOT, 0),
          addNetem(WITHIN, handle(OUTER, 1), HELD_NS),
        ]);
        sendOne();
        const outer = listQdiscs(socket, LOOPBACK).find(({ parent }) => parent === TC_H_ROOT);
        return outer?.packets.waiting === 1;
      } finally {
        socket.close();
      }
    });
  } catch {
    return false;
  }
}

/** Until the namespace goes, the packet is in the queues. */
function sendOne(): void {
  const fd = connectedUdp(HOME, PORT);
  try {
    sendTo(fd, HOME, HOME.length, socketAddress(HOME, PORT));
  } finally {
    close(fd);
  }
}

/** `tc qdisc add dev lo parent PARENT handle MAJOR: netem limit 10 delay D` */
function addNetem(major: number, parent: number, latencyNs: number): Request {
  return {
    type: RTM.NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    what: 'add a qdisc netem',
    body: (w) =>
      header(w, LOOPBACK, handle(major, 0), parent)
        .attributeString(TCA_KIND, 'netem')
        // struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter.
        .attribute(TCA_OPTIONS, (o) =>
          o
            .u32(Math.round(latencyNs / NANOSECONDS_PER_TICK))
            .u32(10)
            .u32(0)
            .u32(0)
            .u32(0)
            .u32(0),
        ),
  };
}
