/** What is read is written here from the layouts in linux/rtnetlink.h and pkt_sched.h, little endian. */
import { describe, expect, test } from 'vitest';
import { setHtbClass, TC_H_ROOT } from '../../../agent/kernel/netlink/tc-messages.ts';
import { listClasses, listClassifiers, listQdiscs } from '../../../agent/linux/tc/tc-dumps.ts';
import { annotated, dumpingSocket, sent, words } from '../../support/kernel/annotated-bytes.ts';

const NF = 0x4e46;

describe('what the kernel shows', () => {
  const root = `00 000000 07000000 0000464e ffffffff 02000000
    0800 0100 68746200
    1c00 0280 1800 0200 03000000 0a000000 00000000 00000000 05000000`;
  const leaf = (interfaceIndex: string): string => `00 000000 ${interfaceIndex} 00800a80 0300464e 01000000
    0a00 0100 626669666f00 0000
    0800 0200 a05e0000
    2c00 0300 1027000000000000 07000000 02000000 09000000 00000000 00000000 03000000 c0110000 00000000`;

  test('qdiscs of one interface: kind, handle, parent, packets, and the limit of a fifo', () => {
    const { socket, requests } = dumpingSocket(
      annotated(root),
      annotated(leaf('07000000')),
      annotated(leaf('08000000')),
    );
    expect(listQdiscs(socket, 7)).toEqual([
      { kind: 'htb', handle: 0x4e460000, parent: TC_H_ROOT, packets: { sent: 0, dropped: 0, waiting: 0 } },
      {
        kind: 'bfifo',
        handle: 0x800a8000,
        parent: 0x4e460003,
        queue: { kind: 'bfifo', limit: 24224 },
        packets: { sent: 7, dropped: 2, waiting: 3 },
      },
    ]);
    expect(requests.map(({ type }) => type)).toEqual([38]);
  });

  const seenClass = (own: string, rates = '', optionsLength = '3400'): Buffer =>
    annotated(`00 000000 07000000 ${own} ffffffff 00000000
      0800 0100 68746200
      ${optionsLength} 0280
        3000 0100
        00 01 0000 ffff 0000 48e80100   # 125,000 B/s
        00 01 0000 ffff 0000 48e80100
        42e30200 42e30200 ea050000 00000000 00000000
        ${rates}`);

  test('classes of one major number: minor, rate, burst in bytes', () => {
    const { socket, requests } = dumpingSocket(seenClass('2c01464e'), seenClass('01000100'));
    expect(listClasses(socket, 7, NF)).toEqual([
      // 189,250 ticks of 64 ns at 125,000 B/s.
      { minor: 300, bytesPerSecond: 125_000, burstBytes: 1514 },
    ]);
    expect(requests.map(({ type }) => type)).toEqual([42]);
    expect(words(sent(requests[0]!)).slice(4)).toEqual([
      '00000000',
      '07000000',
      '00000000',
      '00000000',
      '00000000',
    ]);
  });

  test('a 64-bit rate comes before the 32-bit one', () => {
    const seen = seenClass('0200464e', '0c00 0600 00dd0ee9 02000000', '4000');
    expect(listClasses(dumpingSocket(seen).socket, 7, NF)).toMatchObject([
      { minor: 2, bytesPerSecond: 12_500_000_000 },
    ]);
  });

  test('BPF filters: the ids of their programs, other filters not', () => {
    const filter = (kind: string, options: string): Buffer =>
      annotated(`00 000000 07000000 01000000 0000464e 0003 0100 0800 0100 ${kind} ${options}`);
    const { socket, requests } = dumpingSocket(
      filter('62706600', '0c00 0280 0800 0b00 39300000'), // TCA_BPF_ID 12,345
      filter('75333200', '0c00 0280 0800 0b00 05000000'), // u32
      filter('62706600', ''),
    );
    expect(listClassifiers(socket, 7, NF)).toEqual([12345]);
    expect(requests.map(({ type }) => type)).toEqual([46]);
    expect(words(sent(requests[0]!)).slice(4, 8)).toEqual(['00000000', '07000000', '00000000', '0000464e']);
  });
});

describe('what is set is read back', () => {
  test.each([1000, 125_000, 16_000_000, 4294967295, 4294967296, 12_500_000_000])(
    '%d B/s',
    (bytesPerSecond) => {
      const burstBytes = Math.max(1514, Math.ceil(bytesPerSecond * 0.002));
      const message = sent(setHtbClass(7, NF, 9, { bytesPerSecond, burstBytes }, 1514));
      const [seen] = listClasses(dumpingSocket(message.subarray(16)).socket, 7, NF);
      expect(seen).toMatchObject({ minor: 9, bytesPerSecond });
      // Rounded up to a tick of 64 ns.
      expect(seen!.burstBytes).toBeGreaterThanOrEqual(burstBytes);
      expect(seen!.burstBytes).toBeLessThanOrEqual(burstBytes + 1 + bytesPerSecond * 64e-9);
    },
  );
});
