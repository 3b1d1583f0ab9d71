/** Goldens are written from linux/netfilter/nfnetlink.h, nf_tables.h and xt_NFQUEUE.h; attributes are in network order. */
import { expect, test } from 'vitest';
import type { NetlinkSocket, Request, Verdict } from '../../../agent/kernel/netlink/netlink-socket.ts';
import { dropForeignSources } from '../../../agent/kernel/netlink/nftables.ts';
import { passArrivals, queueArrivals, removeTable } from '../../../agent/linux/objects/arrival-table.ts';
import { annotated, sent, words } from '../../support/kernel/annotated-bytes.ts';

const BEGIN = `
  14000000 1000 0100 00000000 00000000   # NFNL_MSG_BATCH_BEGIN, not acknowledged
  00 00 000a                             # AF_UNSPEC, version 0, subsystem 10: nftables`;
const END = `
  14000000 1100 0100 00000000 00000000   # NFNL_MSG_BATCH_END
  00 00 000a`;

test('nft: table inet netfold, chain arrivals at prerouting -450, iif 2 meta priority != 4e46:5547 xt target NFQUEUE num 3 bypass', () => {
  const golden = `${BEGIN}
    20000000 000a 0504 00000000 00000000   # NFT_MSG_NEWTABLE, REQUEST | ACK | CREATE
    01 00 0000                             # NFPROTO_INET
    0c00 0100 6e6574666f6c6400             # NFTA_TABLE_NAME "netfold"

    20000000 020a 0500 00000000 00000000   # NFT_MSG_DELTABLE: with what was in it before
    01 00 0000
    0c00 0100 6e6574666f6c6400

    20000000 000a 0504 00000000 00000000   # NFT_MSG_NEWTABLE
    01 00 0000
    0c00 0100 6e6574666f6c6400

    50000000 030a 0504 00000000 00000000   # NFT_MSG_NEWCHAIN
    01 00 0000
    0c00 0100 6e6574666f6c6400             # NFTA_CHAIN_TABLE
    0d00 0300 6172726976616c7300 000000    # NFTA_CHAIN_NAME "arrivals"
    1400 0480                              # NFTA_CHAIN_HOOK, nested
      0800 0100 00000000                   # NF_INET_PRE_ROUTING
      0800 0200 fffffe3e                   # priority -450
    0b00 0700 66696c74657200 00            # NFTA_CHAIN_TYPE "filter"

    08010000 060a 0504 00000000 00000000   # NFT_MSG_NEWRULE
    01 00 0000
    0c00 0100 6e6574666f6c6400             # NFTA_RULE_TABLE
    0d00 0200 6172726976616c7300 000000    # NFTA_RULE_CHAIN
    d800 0480                              # NFTA_RULE_EXPRESSIONS, nested
      2400 0180                            # NFTA_LIST_ELEM
        0900 0100 6d65746100 000000        # NFTA_EXPR_NAME "meta"
        1400 0280                          # NFTA_EXPR_DATA
          0800 0100 00000001               # NFTA_META_DREG: register 1
          0800 0200 00000004               # NFTA_META_KEY: iif
      2c00 0180
        0800 0100 636d7000                 # "cmp"
        2000 0280
          0800 0100 00000001               # NFTA_CMP_SREG: register 1
          0800 0200 00000000               # NFTA_CMP_OP: equal
          0c00 0380                        # NFTA_CMP_DATA, nested
            0800 0100 02000000             # interface 2, host order
      2400 0180
        0900 0100 6d65746100 000000
        1400 0280
          0800 0100 00000001
          0800 0200 00000002               # NFTA_META_KEY: priority
      2c00 0180
        0800 0100 636d7000
        2000 0280
          0800 0100 00000001
          0800 0200 00000001               # NFTA_CMP_OP: not equal
          0c00 0380
            0800 0100 4755464e             # what the arrival program gives when the lease has run out, host order
      3400 0180
        0b00 0100 74617267657400 00        # "target"
        2400 0280
          0c00 0100 4e46515545554500       # NFTA_TARGET_NAME "NFQUEUE"
          0800 0200 00000003               # NFTA_TARGET_REV 3
          0c00 0300                        # NFTA_TARGET_INFO, struct xt_NFQ_info_v3, host order
            0300 0100 0100 0000            # queue 3, one queue, bypass
    ${END}`;
  expect(words(sent(...queueArrivals(2, 3, true)))).toEqual(words(annotated(golden)));
});

test('without an earlier table nothing is deleted, for which the kernel would wait', () => {
  const types = (isReplacement: boolean): number[] =>
    queueArrivals(2, 3, isReplacement).map(({ type }) => type & 0xff);
  expect(types(true)).toEqual([16, 0, 2, 0, 3, 6, 17]);
  expect(types(false)).toEqual([16, 0, 3, 6, 17]);
});

test('nft flush chain inet netfold arrivals, which leaves the chain', () => {
  const golden = `${BEGIN}
    30000000 080a 0500 00000000 00000000   # NFT_MSG_DELRULE, without a handle: all of the chain
    01 00 0000
    0c00 0100 6e6574666f6c6400             # NFTA_RULE_TABLE
    0d00 0200 6172726976616c7300 000000    # NFTA_RULE_CHAIN
    ${END}`;
  expect(words(sent(...passArrivals()))).toEqual(words(annotated(golden)));
});

test('nft delete rule inet netfold arrivals handle 7, which leaves those of other interfaces', () => {
  const golden = `${BEGIN}
    3c000000 080a 0500 00000000 00000000   # NFT_MSG_DELRULE
    01 00 0000
    0c00 0100 6e6574666f6c6400
    0d00 0200 6172726976616c7300 000000
    0c00 0300 00000000 00000007            # NFTA_RULE_HANDLE
    ${END}`;
  const handle = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7);
  expect(words(sent(...passArrivals(handle)))).toEqual(words(annotated(golden)));
});

/** Says `errno` to every request that wants an answer. */
function answering(errno: number): { socket: NetlinkSocket; seen: Request[] } {
  const seen: Request[] = [];
  const fake: Pick<NetlinkSocket, 'batch'> = {
    batch: (requests) => {
      seen.push(...requests);
      return requests
        .filter(({ silent }) => !silent)
        .map(({ what }): Verdict => ({ what, errno, message: '' }));
    },
  };
  return { socket: fake as NetlinkSocket, seen };
}

test('nft delete table inet netfold', () => {
  const { socket, seen } = answering(0);
  expect(removeTable(socket)).toBe(true);
  const golden = `${BEGIN}
    20000000 020a 0500 00000000 00000000   # NFT_MSG_DELTABLE
    01 00 0000
    0c00 0100 6e6574666f6c6400
    ${END}`;
  expect(words(sent(...seen))).toEqual(words(annotated(golden)));
});

test('a table that does not exist was not removed', () => {
  expect(removeTable(answering(2).socket)).toBe(false);
});

test('nft: meta nfproto ipv6 fib saddr . iif oif missing drop, at prerouting -300', () => {
  const golden = `${BEGIN}
    20000000 000a 0504 00000000 00000000   # NFT_MSG_NEWTABLE
    01 00 0000
    0c00 0100 6e6574666f6c6400

    4c000000 030a 0504 00000000 00000000   # NFT_MSG_NEWCHAIN
    01 00 0000
    0c00 0100 6e6574666f6c6400
    0c00 0300 736f757263657300             # NFTA_CHAIN_NAME "sources"
    1400 0480
      0800 0100 00000000                   # NF_INET_PRE_ROUTING
      0800 0200 fffffed4                   # priority -300
    0b00 0700 66696c74657200 00

    04010000 060a 0504 00000000 00000000   # NFT_MSG_NEWRULE
    01 00 0000
    0c00 0100 6e6574666f6c6400
    0c00 0200 736f757263657300
    d800 0480                              # NFTA_RULE_EXPRESSIONS
      2400 0180
        0900 0100 6d65746100 000000        # "meta"
        1400 0280
          0800 0100 00000001
          0800 0200 0000000f               # NFTA_META_KEY: nfproto
      2c00 0180
        0800 0100 636d7000
        2000 0280
          0800 0100 00000001
          0800 0200 00000000
          0c00 0380
            0500 0100 0a 000000            # NFPROTO_IPV6, one byte
      2800 0180
        0800 0100 66696200                 # "fib"
        1c00 0280
          0800 0100 00000001               # NFTA_FIB_DREG
          0800 0200 00000001               # NFTA_FIB_RESULT: oif
          0800 0300 00000009               # NFTA_FIB_FLAGS: saddr, iif
      2c00 0180
        0800 0100 636d7000
        2000 0280
          0800 0100 00000001
          0800 0200 00000000
          0c00 0380
            0800 0100 00000000             # no interface
      3000 0180
        0e00 0100 696d6d65646961746500 0000   # "immediate"
        1c00 0280
          0800 0100 00000000               # NFTA_IMMEDIATE_DREG: the verdict
          1000 0280
            0c00 0280                      # NFTA_DATA_VERDICT
              0800 0100 00000000           # NF_DROP
    ${END}`;
  const chain = { table: 'netfold', chain: 'sources', priority: -300 };
  expect(words(sent(...dropForeignSources(chain)))).toEqual(words(annotated(golden)));
});
