/**
 * An nftables table that hands what arrives at an interface to a queue (linux/netfilter/nf_tables.h, nf_tables_compat.h). The
 * queue is the xtables target NFQUEUE, because kernels without nftables' own `queue` expression exist and all that have
 * NFQUEUE take it this way.
 */
import { constants } from 'node:os';
import { type MessageWriter, NLM_F_CREATE, readAttributes, readString } from './netlink-message.ts';
import { type NetlinkSocket, type Request, refusal } from './netlink-socket.ts';

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
const NFT_META_PRIORITY = 2;
const NFT_META_IIF = 4;
const NFT_META_NFPROTO = 15;
const NFPROTO_IPV6 = 10;
const NFT_FIB_RESULT_OIF = 1;
/** NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF */
const NFT_FIB_SOURCE_AND_INTERFACE = 1 | 8;
const NFT_REG_VERDICT = 0;
const NF_DROP = 0;
const NFT_REG_1 = 1;
const NFT_CMP_EQ = 0;
const NFT_CMP_NEQ = 1;
/** Without a listener packets pass: a process that has died must not cut the network. */
const NFQ_FLAG_BYPASS = 1;
const NFQUEUE_REVISION = 3;
const { ENOENT, EOPNOTSUPP } = constants.errno;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_HANDLE = 3;
const NFTA_RULE_EXPRESSIONS = 4;
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

const addTable = (table: string): Request =>
  request(MSG.NEWTABLE, NLM_F_CREATE, `add the nftables table ${table}`, (w) => w.attributeString(1, table));

const deleteTable = (table: string): Request =>
  request(MSG.DELTABLE, 0, `delete the nftables table ${table}`, (w) => w.attributeString(1, table));

/** A chain of a table of its own, and the one rule in it. */
export interface QueueingChain {
  readonly table: string;
  readonly chain: string;
  /** Of the hook `prerouting` (enum nf_ip_hook_priorities, linux/netfilter_ipv4.h). */
  readonly priority: number;
  /** Packets of this priority (`skb->priority`) are not queued. */
  readonly exemptPriority: number;
}

/**
 * Hands what arrives at the interface, whatever its name is then, and is not exempt, to queue `queue` of this namespace:
 *
 *   table inet TABLE { chain CHAIN { type filter hook prerouting priority PRIORITY;
 *     iif IFINDEX meta priority != EXEMPT xt target NFQUEUE num QUEUE bypass } }
 *
 * `isReplacement`: the table may exist, and is deleted in the same transaction. The transaction first adds it, so that
 * deleting it can't fail. Only where it is needed: the kernel waits for a grace period (20 ms) after a deletion, and 8 ms or
 * more after a transaction that fails.
 */
export function queueArriving(
  { table, chain, priority, exemptPriority }: QueueingChain,
  ifindex: number,
  queue: number,
  isReplacement: boolean,
): Request[] {
  return transaction([
    ...(isReplacement ? [addTable(table), deleteTable(table)] : []),
    addTable(table),
    addChain(table, chain, priority),
    request(MSG.NEWRULE, NLM_F_CREATE, `queue what arrives at interface ${ifindex}`, (w) =>
      w
        .attributeString(1, table)
        .attributeString(2, chain)
        .nested(4, (list) => {
          expression(list, 'meta', (e) => e.attributeU32be(1, NFT_REG_1).attributeU32be(2, NFT_META_IIF));
          compare(list, NFT_CMP_EQ, (data) => data.attributeU32(1, ifindex));
          expression(list, 'meta', (e) =>
            e.attributeU32be(1, NFT_REG_1).attributeU32be(2, NFT_META_PRIORITY),
          );
          compare(list, NFT_CMP_NEQ, (data) => data.attributeU32(1, exemptPriority));
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

function compare(list: MessageWriter, operator: number, value: (writer: MessageWriter) => void): void {
  expression(list, 'cmp', (e) => e.attributeU32be(1, NFT_REG_1).attributeU32be(2, operator).nested(3, value));
}

/**
 * Drops IPv6 packets from where answers to them would not go, as the strict reverse path filter of IPv4:
 *
 *   table inet TABLE { chain CHAIN { type filter hook prerouting priority PRIORITY;
 *     meta nfproto ipv6 fib saddr . iif oif missing drop } }
 */
export function dropForeignSources({
  table,
  chain,
  priority,
}: Omit<QueueingChain, 'exemptPriority'>): Request[] {
  return transaction([
    addTable(table),
    addChain(table, chain, priority),
    request(MSG.NEWRULE, NLM_F_CREATE, 'drop what comes from where answers would not go', (w) =>
      w
        .attributeString(1, table)
        .attributeString(2, chain)
        .nested(4, (list) => {
          expression(list, 'meta', (e) => e.attributeU32be(1, NFT_REG_1).attributeU32be(2, NFT_META_NFPROTO));
          compare(list, NFT_CMP_EQ, (data) => data.attributeBytes(1, Buffer.from([NFPROTO_IPV6])));
          expression(list, 'fib', (e) =>
            e
              .attributeU32be(1, NFT_REG_1)
              .attributeU32be(2, NFT_FIB_RESULT_OIF)
              .attributeU32be(3, NFT_FIB_SOURCE_AND_INTERFACE),
          );
          compare(list, NFT_CMP_EQ, (data) => data.attributeU32(1, 0));
          expression(list, 'immediate', (e) =>
            e
              .attributeU32be(1, NFT_REG_VERDICT)
              .nested(2, (data) => data.nested(2, (verdict) => verdict.attributeU32be(1, NF_DROP))),
          );
        }),
    ),
  ]);
}

function addChain(table: string, chain: string, priority: number): Request {
  return request(MSG.NEWCHAIN, NLM_F_CREATE, `add the chain of ${chain}`, (w) =>
    w
      .attributeString(1, table)
      .attributeString(3, chain)
      .nested(4, (hook) => hook.attributeU32be(1, NF_INET_PRE_ROUTING).attributeU32be(2, priority))
      .attributeString(7, 'filter'),
  );
}

/**
 * Deletes one rule of the chain, or all of them. The chain stays: when a chain is deleted, the kernel drops all queued packets of
 * the namespace.
 */
export function stopQueueing(
  { table, chain }: Pick<QueueingChain, 'table' | 'chain'>,
  handle?: Uint8Array,
): Request[] {
  return transaction([
    request(MSG.DELRULE, 0, 'delete the rule that queues what arrives', (w) => {
      w.attributeString(1, table).attributeString(2, chain);
      if (handle) w.attributeBytes(NFTA_RULE_HANDLE, handle);
    }),
  ]);
}

export interface Rule {
  /** By which the kernel knows it, 8 bytes. */
  readonly handle: Uint8Array;
  /** What it does, as the kernel writes it: chain and expressions. */
  readonly text: string;
}

/** The rules of the table, none where there is no table. `nft -a list table inet TABLE` */
export function listRules(socket: NetlinkSocket, table: string): Rule[] {
  const list = request(MSG.GETRULE, 0, `list the rules of the nftables table ${table}`, (w) =>
    w.attributeString(1, table),
  );
  return socket.dump(list, (body) => {
    const attributes = readAttributes(body, NFGENMSG_SIZE);
    const expressions = attributes.get(NFTA_RULE_EXPRESSIONS) ?? Buffer.alloc(0);
    return {
      handle: Uint8Array.from(attributes.get(NFTA_RULE_HANDLE) ?? []),
      text: `${readString(attributes.get(NFTA_RULE_CHAIN))} ${expressions.toString('hex')}`,
    };
  });
}

/** `nft list tables inet` */
export function hasTable(socket: NetlinkSocket, table: string): boolean {
  const list = request(MSG.GETTABLE, 0, 'list nftables tables', () => {});
  const names = socket.dump(list, (body) => readString(readAttributes(body, NFGENMSG_SIZE).get(1)));
  return names.includes(table);
}

/** True when there was one; a kernel without nftables has none. Throws `KernelError` where it can't be removed. */
export function removeTable(socket: NetlinkSocket, table: string): boolean {
  const [verdict] = socket.batch(transaction([deleteTable(table)]));
  if (!verdict || verdict.errno === 0) return true;
  if (verdict.errno === ENOENT || verdict.errno === EOPNOTSUPP) return false;
  throw refusal(verdict);
}
