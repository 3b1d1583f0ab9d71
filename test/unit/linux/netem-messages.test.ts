import { describe, expect, test } from 'vitest';
import type { NetemQueue } from '../../../agent/enforce/interface-state.ts';
import { readAttributes } from '../../../agent/kernel/netlink/netlink-message.ts';
import { readNetem, setNetem } from '../../../agent/linux/tc/netem-messages.ts';
import { annotated, sent, words } from '../../support/kernel/annotated-bytes.ts';

const NF = 0x4e46;
const PLAIN: NetemQueue = {
  kind: 'netem',
  limit: 10_417,
  latencyNs: 10_000_000,
  jitterNs: 0,
  distribution: 'none',
  loss: 0x40000000 / 0xffffffff,
  slowest: 0,
};

/** What follows the header, struct tcmsg and TCA_KIND. */
function options(queue: NetemQueue): Buffer {
  return readAttributes(sent(setNetem(7, NF, 3, queue)), 16 + 20).get(2)!;
}

test('tc qdisc replace dev 7 parent 4e46:3 handle 3: netem limit 10417 delay 10ms loss 25% rate 8000gbit', () => {
  const expected = annotated(
    `84000000 2400 0505 00000000 00000000  # RTM_NEWQDISC, REPLACE | CREATE
     00000000 07000000 00000300 0300464e 00000000
     0a00 0100 6e6574656d00 0000           # TCA_KIND "netem"
     5400 0200                             # TCA_OPTIONS
       5a620200 b1280000 00000040          # struct tc_netem_qopt: 156,250 ticks, 10,417 packets, loss 2^30
       00000000 00000000 00000000          # gap, duplicate, jitter
       0c00 0a00 8096980000000000          # TCA_NETEM_LATENCY64 10,000,000 ns
       0c00 0b00 0000000000000000          # TCA_NETEM_JITTER64
       1400 0600 ffffffff 00000000 00000000 00000000  # TCA_NETEM_RATE: more than 32 bits
       0c00 0800 0010a5d4e8000000          # TCA_NETEM_RATE64 10^12 bytes/s`,
  );
  expect(words(sent(setNetem(7, NF, 3, PLAIN)))).toEqual(words(expected));
});

test('… rate 8mbit, where a link is that slow', () => {
  const attributes = readAttributes(options({ ...PLAIN, slowest: 1_000_000 }), 24);
  expect(attributes.get(6)?.toString('hex')).toBe('40420f00000000000000000000000000');
  expect(attributes.has(8)).toBe(false);
});

test('… rate 8mbit 18 48 5: a packet has 18 bytes more, and passes in cells of 48 bytes and 5', () => {
  const framed = { ...PLAIN, slowest: 1_000_000, framing: '18 48 5' };
  const attributes = readAttributes(options(framed), 24);
  expect(attributes.get(6)?.toString('hex')).toBe('40420f00120000003000000005000000');
});

test('jitter comes with the table of its distribution, and without jitter there is none', () => {
  const table = readAttributes(options({ ...PLAIN, jitterNs: 1_500_000, distribution: 'pareto' }), 24).get(
    2,
  )!;
  const values = new Int16Array(table.buffer.slice(table.byteOffset, table.byteOffset + table.length));
  expect(values.length).toBeGreaterThanOrEqual(1024);
  // Skewed to the right: more than half of the values lie below the mean.
  expect(values.filter((value) => value < 0).length / values.length).toBeGreaterThan(0.55);
  expect(readAttributes(options(PLAIN), 24).has(2)).toBe(false);
});

test('… corrupt 1% reorder 25%: the gap of 1 makes netem reorder', () => {
  const all = options({ ...PLAIN, corrupt: 42_949_673 / 0xffffffff, reorder: 0x40000000 / 0xffffffff });
  expect(all.readUInt32LE(12)).toBe(1);
  const attributes = readAttributes(all, 24);
  expect(attributes.get(4)!.toString('hex')).toBe('295c8f0200000000');
  expect(attributes.get(3)!.toString('hex')).toBe('0000004000000000');
});

test('… loss gemodel 1% 20% 90% 1%: p, r, h and 1 − k', () => {
  const lossModel = 'gemodel 42949673 858993459 429496730 42949673';
  const attributes = readAttributes(options({ ...PLAIN, loss: 0, lossModel }), 24);
  // NETEM_LOSS_GE: struct tc_netem_gemodel.
  expect(attributes.get(5)!.toString('hex')).toBe('14000200295c8f02333333339a999919295c8f02');
});

test('… loss state 1% 30% 10% 50% 2%: p13, p31, p32, p14, p23, in the order of the struct', () => {
  const attributes = readAttributes(options({ ...PLAIN, loss: 0, lossModel: 'state 1 2 3 4 5' }), 24);
  expect(attributes.get(5)!.toString('hex')).toBe('180001000100000002000000030000000400000005000000');
});

test('… slot 2ms 4ms', () => {
  const attributes = readAttributes(options({ ...PLAIN, slots: '2000000 4000000' }), 24);
  expect(attributes.get(12)!.toString('hex')).toBe(`80841e000000000000093d0000000000${'0'.repeat(48)}`);
});

describe('what is set is read back', () => {
  test.each([
    PLAIN,
    { ...PLAIN, corrupt: 43 / 0xffffffff, reorder: 1, slots: '2000000 4000000' },
    { ...PLAIN, loss: 0, lossModel: 'gemodel 1 2 3 4294967295' },
    { ...PLAIN, loss: 0, lossModel: 'state 1 2 3 4 5' },
    { ...PLAIN, latencyNs: 0, loss: 1 },
    { ...PLAIN, slowest: 1_000_000 },
    { ...PLAIN, slowest: 1_000_000, framing: '24 0 0' },
    { ...PLAIN, slowest: 1_000_000, framing: '18 48 5' },
    { ...PLAIN, latencyNs: 5_000_000_000, limit: 1_000_000 },
    { ...PLAIN, latencyNs: 299_792_458, loss: 43 / 0xffffffff },
  ])('%o', (queue) => {
    expect(readNetem(options(queue))).toEqual(queue);
  });

  test('but for the distribution of jitter', () => {
    expect(readNetem(options({ ...PLAIN, jitterNs: 1_500_250, distribution: 'normal' }))).toEqual({
      ...PLAIN,
      jitterNs: 1_500_250,
      distribution: 'unknown',
    });
  });

  test('in ticks where a kernel knows no others', () => {
    const old = annotated('5a620200 b1280000 00000040 00000000 00000000 02000000');
    expect(readNetem(old)).toMatchObject({ latencyNs: 10_000_000, jitterNs: 128 });
  });
});
