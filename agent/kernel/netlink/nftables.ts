/**
 * One nftables table of netfold's own that hands what arrives to a queue (linux/netfilter/nf_tables.h,
 * nf_tables_compat.h). The queue is the xtables target NFQUEUE, because kernels without nftables' own `queue`
 * expression exist and all that have NFQUEUE take it this way.
 *
 *   table inet netfold { chain arrivals { type filter hook prerouting priority -450;
 *     iifname "eth0" meta priority != 4e46:5547 xt target NFQUEUE num 0 bypass } }
 */
import { UNGUARDED_PRIORITY } from '../bpf/bpf-layout.ts';
import { within } from '../netns/namespaces.ts';
import { type MessageWriter, NLM_F_CREATE, readAttributes, readString } from './netlink-message.ts';
import { NETLINK_NETFILTER, NetlinkSocket, type Request } from './netlink-socket.ts';

export const TABLE_NAME = 'netfold';
const CHAIN_NAME = 'arrivals';
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFPROTO_INET = 1;
const MSG = {
  NEWTABLE: 0,
  GETTABLE: 1,
  DELTABLE: 2,
  NEWCHAIN: 3,
  NEWRULE: 6,
  GETRULE: 7,
  DELRULE: 8,
} as const;
const NF_INET_PRE_ROUTING = 0;
/**
 * Ahead of connection tracking (-200), so that what is held is not tracked yet; and ahead of its putting together of
 * fragments (-400), so that each is delayed and lost as the frame that it is. NF_IP_PRI_RAW_BEFORE_DEFRAG.
 */
const PRIORITY = -450;
const NFT_META_PRIORITY = 2;
const NFT_META_IIFNAME = 6;
const NFT_REG_1 = 1;
const NFT_CMP_EQ = 0;
const NFT_CMP_NEQ = 1;
const IFNAMSIZ = 16;
/** Without a listener packets pass: an agent that died must not cut the network. */
const NFQ_FLAG_BYPASS = 1;
const NFQUEUE_REVISION = 3;
const ENOENT = 2;
/** struct nfgenmsg */
const NFGENMSG_SIZE = 4;

/** struct nfgenmsg: family, version, resource id in network order. */
function header(writer: MessageWriter, family: number, resource: number): MessageWriter {
  return writer.u8(family).u8(0).u16be(resource);
}

function edge(type: number): Request {
  return {
    type,
    flags: 0,
    silent: true,
    what: 'frame a transaction',
    body: (w) => header(w, 0, NFNL_SUBSYS_NFTABLES),
  };
}

function request(
  message: number,
  flags: number,
  what: string,
  body: (writer: MessageWriter) => void,
): Request {
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | message,
    flags,
    what,
    body: (w) => body(header(w, NFPROTO_INET, 0)),
  };
}

function transaction(requests: readonly Request[]): Request[] {
  return [edge(NFNL_MSG_BATCH_BEGIN), ...requests, edge(NFNL_MSG_BATCH_END)];
}

function expression(writer: MessageWriter, name: string, data: (writer: MessageWriter) => void): void {
  writer.nested(1, (element) => element.attributeString(1, name).nested(2, data));
}

const addTable = (): Request =>
  request(MSG.NEWTABLE, NLM_F_CREATE, 'add the nftables table netfold', (w) =>
    w.attributeString(1, TABLE_NAME),
  );

const deleteTable = (): Request =>
  request(MSG.DELTABLE, 0, 'delete the nftables table netfold', (w) => w.attributeString(1, TABLE_NAME));

/**
 * Hands what arrives at `ifname`, and was not told to pass by, to queue `queue` of this namespace. `isReplacement`: netfold's
 * table may be there, and goes in the same transaction. It is added before it is deleted, so that deleting it can't fail;
 * and only where it is needed, since the kernel waits for a grace period (20 ms) after a deletion, and 8 ms and more after a
 * transaction that fails.
 */
export function queueArrivals(ifname: string, queue: number, isReplacement: boolean): Request[] {
  const name = Buffer.alloc(IFNAMSIZ);
  name.write(ifname);
  return transaction([
    ...(isReplacement ? [addTable(), deleteTable()] : []),
    addTable(),
    request(MSG.NEWCHAIN, NLM_F_CREATE, 'add the chain of arrivals', (w) =>
      w
        .attributeString(1, TABLE_NAME)
        .attributeString(3, CHAIN_NAME)
        .nested(4, (hook) => hook.attributeU32be(1, NF_INET_PRE_ROUTING).attributeU32be(2, PRIORITY))
        .attributeString(7, 'filter'),
    ),
    request(MSG.NEWRULE, NLM_F_CREATE, `queue what arrives at ${ifname}`, (w) =>
      w
        .attributeString(1, TABLE_NAME)
        .attributeString(2, CHAIN_NAME)
        .nested(4, (list) => {
          expression(list, 'meta', (e) => e.attributeU32be(1, NFT_REG_1).attributeU32be(2, NFT_META_IIFNAME));
          expression(list, 'cmp', (e) =>
            e
              .attributeU32be(1, NFT_REG_1)
              .attributeU32be(2, NFT_CMP_EQ)
              .nested(3, (data) => data.attributeBytes(1, name)),
          );
          expression(list, 'meta', (e) =>
            e.attributeU32be(1, NFT_REG_1).attributeU32be(2, NFT_META_PRIORITY),
          );
          expression(list, 'cmp', (e) =>
            e
              .attributeU32be(1, NFT_REG_1)
              .attributeU32be(2, NFT_CMP_NEQ)
              .nested(3, (data) => data.attributeU32(1, UNGUARDED_PRIORITY)),
          );
          expression(list, 'target', (e) =>
            e
              .attributeString(1, 'NFQUEUE')
              .attributeU32be(2, NFQUEUE_REVISION)
              // struct xt_NFQ_info_v3, padded to eight bytes as XT_ALIGN does.
              .attribute(3, (info) => info.u16(queue).u16(1).u16(NFQ_FLAG_BYPASS).u16(0)),
          );
        }),
    ),
  ]);
}

/** Takes the rule out of the chain. The chain stays: with it the kernel would drop what is queued. */
export function passArrivals(): Request[] {
  return transaction([
    request(MSG.DELRULE, 0, 'delete the rule that queues what arrives', (w) =>
      w.attributeString(1, TABLE_NAME).attributeString(2, CHAIN_NAME),
    ),
  ]);
}

/** How many rules netfold's table has. `nft list table inet netfold` */
export function countRules(socket: NetlinkSocket): number {
  const list = request(MSG.GETRULE, 0, 'list the rules of the nftables table netfold', (w) =>
    w.attributeString(1, TABLE_NAME),
  );
  return socket.dump(list, () => true).length;
}

/** Whether there is a table of netfold's. `nft list tables` */
export function hasTable(socket: NetlinkSocket): boolean {
  const list = request(MSG.GETTABLE, 0, 'list nftables tables', () => {});
  const names = socket.dump(list, (body) => readString(readAttributes(body, NFGENMSG_SIZE).get(1)));
  return names.includes(TABLE_NAME);
}

/** Removes netfold's table; true when there was one. */
export function removeTable(socket: NetlinkSocket): boolean {
  const verdict = socket.batch(transaction([deleteTable()]))[0];
  return verdict?.errno !== ENOENT;
}

/** The same in the namespace at this path. */
export function removeTableIn(namespace: string): boolean {
  const socket = within(namespace, () => new NetlinkSocket(NETLINK_NETFILTER));
  try {
    return removeTable(socket);
  } finally {
    socket.close();
  }
}
