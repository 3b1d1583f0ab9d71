/** The models against their theory: seeded, so that each run sees the same packets. Bounds are four deviations or more. */
import { describe, expect, test } from 'vitest';
import { Jitter } from '../../../agent/linux/delay-line/jitter.ts';
import { Random } from '../../../agent/linux/delay-line/random.ts';
import { flipBit, isUnreadable } from '../../../agent/linux/delay-line/treatment/kept-content.ts';
import { lossProcess } from '../../../agent/linux/delay-line/treatment/loss-process.ts';
import { SlotClock } from '../../../agent/linux/delay-line/treatment/slot-clock.ts';
import {
  LONGEST_ASIDE_MS,
  type Treatment,
  treatmentOf,
} from '../../../agent/linux/delay-line/treatment/treatment.ts';
import { lossModelOf, meanLoss, parseLossModel } from '../../../proto/models.ts';

const PACKETS = 400_000;

function losses(model: string, packets = PACKETS, seed = 7): Uint8Array {
  const process = lossProcess(parseLossModel(model));
  const random = new Random(seed);
  return Uint8Array.from({ length: packets }, () => Number(process.isLost(random)));
}

const share = (lost: Uint8Array): number => lost.reduce((sum, one) => sum + one, 0) / lost.length;

/** Lengths of runs of losses. */
function runs(lost: Uint8Array): number[] {
  const found: number[] = [];
  let length = 0;
  for (const one of lost) {
    if (one === 1) length++;
    else if (length > 0) {
      found.push(length);
      length = 0;
    }
  }
  return found;
}

function autocorrelation(lost: Uint8Array, lag: number): number {
  const mean = share(lost);
  let [covariance, variance] = [0, 0];
  for (let at = 0; at < lost.length; at++) {
    variance += (lost[at]! - mean) ** 2;
    if (at >= lag) covariance += (lost[at]! - mean) * (lost[at - lag]! - mean);
  }
  return covariance / variance;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('models of loss', () => {
  test.each([
    'bursts 1% of 5 packets',
    'correlated 2% 40%',
    'gilbert-elliott p=2% r=10% h=30% k=99.5%',
    'markov p13=1% p31=30% p32=20% p23=40% p14=0.5%',
  ])('%s loses its mean', (model) => {
    const expected = meanLoss(lossModelOf(parseLossModel(model)));
    // Runs of losses are some 5 packets long, so that there are fewer independent ones.
    expect(Math.abs(share(losses(model)) / expected - 1)).toBeLessThan(0.08);
  });

  test('the lengths of bursts are geometric with the mean that was asked for', () => {
    const lengths = runs(losses('bursts 2% of 4 packets'));
    expect(mean(lengths)).toBeGreaterThan(3.7);
    expect(mean(lengths)).toBeLessThan(4.3);
    // More than k: (3/4)^k of them.
    for (const k of [1, 4, 8]) {
      const longer = lengths.filter((length) => length > k).length / lengths.length;
      expect(Math.abs(longer - 0.75 ** k)).toBeLessThan(4 * Math.sqrt(0.25 / lengths.length));
    }
  });

  test('the autocorrelation falls by its factor with each packet', () => {
    const lost = losses('correlated 10% 60%');
    for (const lag of [1, 2, 3, 6])
      expect(Math.abs(autocorrelation(lost, lag) - 0.6 ** lag)).toBeLessThan(0.02);
  });

  test('a correlation of 0% is independent loss', () => {
    expect(Math.abs(autocorrelation(losses('correlated 10% 0%'), 1))).toBeLessThan(0.01);
  });

  test('losses alone have no neighbours; within bursts some packets pass', () => {
    expect(Math.max(...runs(losses('markov p13=0% p31=0% p14=20%')))).toBe(1);
    const inBursts = losses('markov p13=1% p31=10% p32=20% p23=50%');
    // State 3 is left with 30 %.
    expect(mean(runs(inBursts))).toBeGreaterThan(3.1);
    expect(mean(runs(inBursts))).toBeLessThan(3.6);
  });

  test('every n-th is exactly that', () => {
    const lost = losses('every 7 packets', 70);
    expect([...lost.entries()].filter(([, one]) => one === 1).map(([at]) => at)).toEqual(
      Array.from({ length: 10 }, (_, n) => 7 * n + 6),
    );
  });

  test('they are reproducible', () => {
    expect(losses('bursts 5% of 3 packets', 1000)).toEqual(losses('bursts 5% of 3 packets', 1000));
    expect(losses('bursts 5% of 3 packets', 1000, 8)).not.toEqual(losses('bursts 5% of 3 packets', 1000));
  });
});

describe('slots', () => {
  test('packets leave at instants that are as far apart as was asked for, and never before they are due', () => {
    const clock = new SlotClock('2ms..4ms');
    const random = new Random(3);
    const dues = Array.from({ length: 40_000 }, (_, index) => index * 0.25);
    const leaves = dues.map((due) => clock.after(due, random));
    expect(leaves.every((at, index) => at >= dues[index]! && at - dues[index]! <= 4)).toBe(true);
    const instants = [...new Set(leaves)];
    const gaps = instants.slice(1).map((at, index) => at - instants[index]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2 - 1e-9);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(4 + 1e-9);
    expect(Math.abs(mean(gaps) - 3)).toBeLessThan(4 * (2 / Math.sqrt(12) / Math.sqrt(gaps.length)));
  });

  test('a long pause takes no longer than a short one, and leaves no packet behind', () => {
    const clock = new SlotClock('1ms');
    const random = new Random(3);
    clock.after(0, random);
    const after = clock.after(1e12, random);
    expect(after).toBeGreaterThanOrEqual(1e12);
    expect(after - 1e12).toBeLessThanOrEqual(1);
  });
});

describe('reordering', () => {
  const made = (settings: Parameters<typeof treatmentOf>[0]): Treatment => treatmentOf(settings, undefined)!;

  /** The numbers of packets in the order in which they leave, as the thread uses a treatment: 1 ms apart, 10 ms of delay. */
  function order(treatment: Treatment, packets: number, gapMs = 1): number[] {
    const random = new Random(5);
    const leaving: { at: number; order: number; packet: number }[] = [];
    const push = (at: number, packet: number): void => {
      leaving.push({ at, order: leaving.length, packet });
    };
    for (let packet = 1; packet <= packets; packet++) {
      const arrived = packet * gapMs;
      if (treatment.isReordered(random)) {
        push(treatment.displace(packet, 0, arrived, arrived + 10), packet);
        continue;
      }
      push(arrived + 10, packet);
      if (!treatment.isOvertaken(arrived + 10)) continue;
      push(arrived + 10, treatment.asideId);
      treatment.asideId = -1;
    }
    leaving.sort((a, b) => a.at - b.at || a.order - b.order);
    return [...new Set(leaving.map(({ packet }) => packet))];
  }

  /** Of RFC 4737, 4.2.2: how many later packets had left before a packet that left late; 0 for those in order. */
  function extents(left: readonly number[]): number[] {
    return left.map((packet, at) => {
      const earlier = left.slice(Math.max(0, at - 100), at);
      const first = earlier.findIndex((other) => other > packet);
      return first < 0 ? 0 : earlier.length - first;
    });
  }

  test('each reordered packet is overtaken by exactly the distance', () => {
    const left = order(made({ reorder: 0.1, reorderDistance: 3 }), 20_000);
    const late = extents(left).filter((extent) => extent > 0);
    expect(new Set(late)).toEqual(new Set([3]));
    // A packet in 1/r + d.
    expect(Math.abs(late.length / 20_000 - 0.1 / 1.3)).toBeLessThan(0.01);
  });

  test('without a distance it is not delayed, and overtakes what is held', () => {
    const left = order(made({ reorder: 0.05 }), 20_000);
    const early = left.filter((packet, at) => left.slice(at + 1, at + 30).some((other) => other < packet));
    expect(Math.abs(early.length / 20_000 - 0.05)).toBeLessThan(0.01);
  });

  test('with too few others it is late by its bound, and nothing is lost', () => {
    const treatment = made({ reorder: 1, reorderDistance: 3 });
    expect(treatment.isReordered(new Random(1))).toBe(true);
    expect(treatment.displace(1, 0, 0, 10)).toBe(10 + LONGEST_ASIDE_MS);
    expect(treatment.isOvertaken(10 + LONGEST_ASIDE_MS)).toBe(false);
    expect(treatment.isReordered(new Random(1))).toBe(true);
  });
});

describe('a treatment', () => {
  test('is there where something is to be done, and goes on where nothing has changed', () => {
    expect(treatmentOf({}, undefined)).toBeUndefined();
    const first = treatmentOf({ lossModel: 'every 3 packets' }, undefined)!;
    const random = new Random(1);
    expect([first.isLost(random), first.isLost(random)]).toEqual([false, false]);
    const second = treatmentOf({ lossModel: 'every 3 packets' }, first)!;
    expect(second.isLost(random)).toBe(true);
    expect(treatmentOf({ lossModel: 'every 3 packets', corrupt: 0.1 }, first)).not.toBe(first);
  });

  test('says what of the packets it needs', () => {
    const needs = (settings: Parameters<typeof treatmentOf>[0]): boolean[] => {
      const { needsFrames, needsContent, holds } = treatmentOf(settings, undefined)!;
      return [needsFrames, needsContent, holds];
    };
    expect(needs({ lossModel: 'every 3 packets' })).toEqual([true, false, false]);
    expect(needs({ duplicate: 0.1 })).toEqual([true, true, false]);
    expect(needs({ corrupt: 0.1 })).toEqual([true, true, false]);
    expect(needs({ reorder: 0.1 })).toEqual([true, false, false]);
    expect(needs({ reorder: 0.1, reorderDistance: 2 })).toEqual([true, false, true]);
    expect(needs({ slots: '5ms' })).toEqual([false, false, true]);
  });

  test('flips one bit, any of them', () => {
    const random = new Random(9);
    const seen = new Uint32Array(32);
    for (let n = 0; n < 20_000; n++) {
      const packet = new Uint8Array(4);
      const at = flipBit(packet, random);
      expect(packet[at]).not.toBe(0);
      const bits = [...packet].flatMap((byte, at) =>
        Array.from({ length: 8 }, (_, bit) => [8 * at + bit, (byte >> bit) & 1] as const),
      );
      const set = bits.filter(([, value]) => value === 1);
      expect(set).toHaveLength(1);
      seen[set[0]![0]]!++;
    }
    for (const count of seen) expect(Math.abs(count - 625)).toBeLessThan(5 * Math.sqrt(625));
  });
});

test('a flipped bit in the header of IPv4 is found by its checksum, of IPv6 in version and length', () => {
  const unreadable = (first: number, bytes: number): number[] =>
    Array.from({ length: bytes }, (_, at) => at).filter((at) => isUnreadable(first, at));
  expect(unreadable(0x45, 60)).toEqual(Array.from({ length: 20 }, (_, at) => at));
  expect(unreadable(0x46, 60)).toHaveLength(24);
  expect(unreadable(0x60, 60)).toEqual([0, 4, 5]);
});

describe('jitter that is drawn for each packet', () => {
  const sample = (
    correlation: number,
    shape: Parameters<typeof Jitter.prototype.at>[0] | string = 'normal',
  ): number[] => {
    const jitter = new Jitter(2, shape as 'normal', new Random(4), correlation);
    return Array.from({ length: 100_000 }, () => jitter.at(0));
  };
  const neighbours = (values: readonly number[]): number =>
    mean(values.slice(1).map((value, at) => value * values[at]!)) / mean(values.map((value) => value ** 2));

  test.each([0, 0.25, 0.9])('has the deviation, and a correlation of %d to its neighbours', (correlation) => {
    const values = sample(correlation);
    expect(Math.abs(neighbours(values) - correlation)).toBeLessThan(0.015);
    const deviation = Math.sqrt(mean(values.map((value) => value ** 2)) - mean(values) ** 2);
    expect(Math.abs(deviation / 2 - 1)).toBeLessThan(0.03);
  });

  test('has the shape that was asked for', () => {
    const values = sample(0.5, 'uniform');
    expect(Math.max(...values.slice(0, 50_000)) / 2).toBeLessThan(Math.sqrt(3) + 1e-3);
  });
});
