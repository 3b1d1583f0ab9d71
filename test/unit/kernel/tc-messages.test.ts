/** Goldens are written from the layouts in linux/netlink.h, rtnetlink.h, pkt_sched.h and pkt_cls.h, little endian. */
import { describe, expect, test } from 'vitest';
import type { Request } from '../../../agent/kernel/netlink/netlink-socket.ts';
import {
  addClsact,
  deleteClass,
  deleteClsact,
  deleteQueue,
  deleteRoot,
  formatHandle,
  handle,
  queueHandle,
  setFifo,
  setHookFilter,
  setHtbClass,
  setHtbRoot,
  TC_H_ROOT,
} from '../../../agent/kernel/netlink/tc-messages.ts';
import { setClassifier } from '../../../agent/linux/objects/classifier.ts';
import { annotated, sent, words } from '../../support/kernel/annotated-bytes.ts';

const NF = 0x4e46;

function expectBytes(request: Request, golden: string): void {
  expect(words(sent(request))).toEqual(words(annotated(golden)));
}

test('handles are major and minor number, as tc prints them', () => {
  expect(handle(NF, 0x1a)).toBe(0x4e46001a);
  expect(handle(0xffff, 1)).toBe(0xffff0001);
  expect([handle(NF, 0), handle(NF, 0x1a), TC_H_ROOT].map(formatHandle)).toEqual([
    '4e46:',
    '4e46:1a',
    'root',
  ]);
});

describe('queueing disciplines', () => {
  test('tc qdisc replace dev 7 root handle 4e46: htb default 0 direct_qlen 1000', () => {
    expectBytes(
      setHtbRoot(7, NF, 1000),
      `50000000 2400 0505 00000000 00000000  # RTM_NEWQDISC, REQUEST | ACK | REPLACE | CREATE
       00 000000                             # AF_UNSPEC
       07000000                              # interface
       0000464e                              # handle 4e46:
       ffffffff                              # parent: TC_H_ROOT
       00000000                              # info
       0800 0100 68746200                    # TCA_KIND "htb"
       2400 0280                             # TCA_OPTIONS, nested
         1800 0200                           # TCA_HTB_INIT, struct tc_htb_glob
           03000000                          # version 3
           0a000000                          # rate2quantum 10
           00000000                          # default class: none
           00000000                          # debug
           00000000                          # direct packets
         0800 0500 e8030000                  # TCA_HTB_DIRECT_QLEN 1000`,
    );
  });

  test('tc qdisc del dev 7 root', () => {
    expectBytes(
      deleteRoot(7),
      `24000000 2500 0500 00000000 00000000  # RTM_DELQDISC
       00000000 07000000 00000000 ffffffff 00000000`,
    );
  });

  test('tc qdisc replace dev 9 parent 4e46:1f4 handle 1f4: bfifo limit 24224', () => {
    expectBytes(
      setFifo(9, NF, 500, { kind: 'bfifo', limit: 24224 }),
      `38000000 2400 0505 00000000 00000000
       00000000 09000000
       0000f401                              # handle 1f4:, as the class's minor number
       f401464e                              # parent 4e46:1f4
       00000000
       0a00 0100 626669666f00 0000           # TCA_KIND "bfifo"
       0800 0200 a05e0000                    # TCA_OPTIONS, struct tc_fifo_qopt: 24,224 bytes`,
    );
  });

  test('tc qdisc replace dev 9 parent 4e46:2 handle 2: pfifo limit 200', () => {
    expectBytes(
      setFifo(9, NF, 2, { kind: 'pfifo', limit: 200 }),
      `38000000 2400 0505 00000000 00000000
       00000000 09000000 00000200 0200464e 00000000
       0a00 0100 706669666f00 0000           # TCA_KIND "pfifo"
       0800 0200 c8000000`,
    );
  });

  test('tc qdisc del dev 9 parent 4e46:1f4', () => {
    expectBytes(
      deleteQueue(9, NF, 500),
      `24000000 2500 0500 00000000 00000000
       00000000 09000000 00000000 f401464e 00000000`,
    );
  });

  test("every queue's handle tells its class, but for those of root and clsact", () => {
    const handles = [1, 500, NF - 1, NF, NF + 1, 0xfffe, 0xffff].map((minor) => queueHandle(NF, minor));
    expect(handles.map(formatHandle)).toEqual(['1:', '1f4:', '4e45:', '0:', '4e47:', 'fffe:', '0:']);
  });

  test('tc qdisc add dev 3 clsact', () => {
    expectBytes(
      addClsact(3),
      `30000000 2400 0506 00000000 00000000  # EXCL | CREATE
       00000000 03000000
       0000ffff                              # handle ffff:
       f1ffffff                              # parent: TC_H_CLSACT
       00000000
       0b00 0100 636c7361637400 00           # TCA_KIND "clsact"`,
    );
  });

  test('tc qdisc del dev 3 clsact', () => {
    expectBytes(
      deleteClsact(3),
      `30000000 2500 0500 00000000 00000000
       00000000 03000000 00000000 f1ffffff 00000000
       0b00 0100 636c7361637400 00`,
    );
  });
});

/** A class request up to its struct tc_htb_opt, for messages without 64-bit rates. */
const CLASS_HEAD = `
  60000000 2800 0504 00000000 00000000  # RTM_NEWTCLASS, REQUEST | ACK | CREATE
  00000000 07000000
  2c01464e                              # handle 4e46:12c
  0000464e                              # parent 4e46:
  00000000
  0800 0100 68746200                    # TCA_KIND "htb"
  3400 0280                             # TCA_OPTIONS, nested
    3000 0100                           # TCA_HTB_PARMS: 44 bytes`;

/** The same above 34 Gb/s. */
const FAST_CLASS_HEAD = CLASS_HEAD.replace('60000000', '78000000').replace('3400 0280', '4c00 0280');

describe('classes', () => {
  test('tc class replace dev 7 parent 4e46: classid 4e46:12c htb rate 8kbit burst 1514 quantum 1514', () => {
    expectBytes(
      setHtbClass(7, NF, 300, { bytesPerSecond: 1000, burstBytes: 1514 }, 1514),
      `${CLASS_HEAD}
       00 01 0000 ffff 0000 e8030000         # rate: cell_log 0, ethernet, overhead 0, cell_align -1, mpu 0, 1,000 B/s
       00 01 0000 ffff 0000 e8030000         # ceil
       3af76801                              # 1,514 B at 1,000 B/s = 1.514 s = 23,656,250 ticks of 64 ns
       3af76801                              # the same for ceil
       ea050000                              # quantum 1514
       00000000                              # level
       00000000                              # prio`,
    );
  });

  test('htb rate 8kbit burst 1514 quantum 1514 overhead 18 linklayer atm, or overhead 24 alone', () => {
    const rate = { bytesPerSecond: 1000, burstBytes: 1514 };
    expectBytes(
      setHtbClass(7, NF, 300, { ...rate, overheadBytes: 18, inCells: true }, 1514),
      `${CLASS_HEAD}
       00 02 1200 ffff 0000 e8030000         # rate: cell_log 0, atm, overhead 18, cell_align -1, mpu 0, 1,000 B/s
       00 02 1200 ffff 0000 e8030000         # ceil
       3af76801 3af76801 ea050000 00000000 00000000`,
    );
    expectBytes(
      setHtbClass(7, NF, 300, { ...rate, overheadBytes: 24 }, 1514),
      `${CLASS_HEAD}
       00 01 1800 ffff 0000 e8030000
       00 01 1800 ffff 0000 e8030000
       3af76801 3af76801 ea050000 00000000 00000000`,
    );
  });

  test('htb rate 34359738360bit: the most that the 32-bit field holds', () => {
    expectBytes(
      setHtbClass(7, NF, 300, { bytesPerSecond: 4294967295, burstBytes: 8589935 }, 60000),
      `${CLASS_HEAD}
       00 01 0000 ffff 0000 ffffffff
       00 01 0000 ffff 0000 ffffffff
       137a0000 137a0000                     # 2.0000001 ms, rounded up: 31,251 ticks
       60ea0000 00000000 00000000`,
    );
  });

  test('htb rate 34359738368bit: the first that needs TCA_HTB_RATE64', () => {
    expectBytes(
      setHtbClass(7, NF, 300, { bytesPerSecond: 4294967296, burstBytes: 8589935 }, 60000),
      `${FAST_CLASS_HEAD}
       00 01 0000 ffff 0000 ffffffff         # all ones: see the 64-bit rate
       00 01 0000 ffff 0000 ffffffff
       137a0000 137a0000
       60ea0000 00000000 00000000
       0c00 0600 00000000 01000000           # TCA_HTB_RATE64
       0c00 0700 00000000 01000000           # TCA_HTB_CEIL64`,
    );
  });

  test('htb rate 100gbit burst 25000000', () => {
    expectBytes(
      setHtbClass(7, NF, 300, { bytesPerSecond: 12_500_000_000, burstBytes: 25_000_000 }, 1514),
      `${FAST_CLASS_HEAD}
       00 01 0000 ffff 0000 ffffffff
       00 01 0000 ffff 0000 ffffffff
       127a0000 127a0000                     # 2 ms: 31,250 ticks
       ea050000 00000000 00000000
       0c00 0600 00dd0ee9 02000000           # 12,500,000,000 B/s = 0x2_e90edd00
       0c00 0700 00dd0ee9 02000000`,
    );
  });

  test('a burst of more than 274 s is the longest that fits', () => {
    const message = sent(setHtbClass(7, NF, 1, { bytesPerSecond: 1, burstBytes: 1514 }, 1514));
    // Behind message header, tcmsg, kind, two attribute headers and two rates.
    expect(words(message).slice((16 + 20 + 8 + 8 + 24) / 4, (16 + 20 + 8 + 8 + 32) / 4)).toEqual([
      'ffffffff',
      'ffffffff',
    ]);
  });

  test('tc class del dev 7 classid 4e46:12c', () => {
    expectBytes(
      deleteClass(7, NF, 300),
      `24000000 2900 0500 00000000 00000000  # RTM_DELTCLASS
       00000000 07000000 2c01464e 00000000 00000000`,
    );
  });
});

describe('filters', () => {
  test('tc filter replace dev 7 parent 4e46: protocol all prio 1 handle 1 bpf direct-action fd 21 name netfold', () => {
    expectBytes(
      setClassifier(7, NF, 21),
      `54000000 2c00 0505 00000000 00000000  # RTM_NEWTFILTER, REPLACE | CREATE
       00000000 07000000
       01000000                              # handle 1
       0000464e                              # parent 4e46:
       0003 0100                             # ETH_P_ALL in network order, priority 1
       0800 0100 62706600                    # TCA_KIND "bpf"
       2800 0280                             # TCA_OPTIONS, nested
         0800 0300 0000464e                  # TCA_BPF_CLASSID 4e46:
         0800 0600 15000000                  # TCA_BPF_FD 21
         0c00 0700 6e6574666f6c6400          # TCA_BPF_NAME "netfold"
         0800 0800 01000000                  # TCA_BPF_FLAGS: direct action`,
    );
  });

  test('tc filter replace dev 7 ingress protocol all prio 3 handle 1 bpf direct-action fd 22 name netfold', () => {
    expectBytes(
      setHookFilter(7, 'ingress', 22, { name: 'netfold', priority: 3 }),
      `54000000 2c00 0505 00000000 00000000
       00000000 07000000 01000000
       f2ffffff                              # parent ffff:fff2, ingress of clsact
       0003 0300
       0800 0100 62706600
       2800 0280
         0800 0300 0000ffff
         0800 0600 16000000
         0c00 0700 6e6574666f6c6400
         0800 0800 01000000`,
    );
  });
});
