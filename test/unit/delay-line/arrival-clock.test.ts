import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalClock } from '../../../agent/linux/delay-line/arrival-clock.ts';
import { WakeLead } from '../../../agent/linux/delay-line/wake/wake-lead.ts';
import { SeededRandom } from '../../../topology/model/random.ts';

/** As the BPF program computes it, from nanoseconds of the monotonic clock. */
function markAt(nanoseconds: bigint): number {
  return Number(((nanoseconds / 1000n) & 0x7fffffffn) | 0x80000000n);
}

describe('the age of a packet', () => {
  it('is what has passed since it was marked, also across the end of the count', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.integer({ min: 0, max: 999_000 }),
        (uptimeMs, ageMicros) => {
          const offsetMs = uptimeMs / 3;
          const arrived = BigInt(uptimeMs) * 1_000_000n;
          const nowMs = uptimeMs + ageMicros / 1000 - offsetMs;
          const age = new ArrivalClock(offsetMs).ageMs(markAt(arrived), nowMs);
          expect(age).toBeCloseTo(ageMicros / 1000, 2);
        },
      ),
    );
    const end = 2 ** 31;
    expect(new ArrivalClock(0).ageMs(markAt(BigInt(end - 10) * 1000n), (end + 20) / 1000)).toBe(0.03);
  });

  it("is unknown where the mark is not the program's", () => {
    const clock = new ArrivalClock(0);
    expect(clock.ageMs(0, 5000)).toBe(-1);
    expect(clock.ageMs(0x7fffffff, 5000)).toBe(-1);
    expect(clock.ageMs(markAt(1_000_000_000n), 5000)).toBe(-1);
  });
});

/** Kinds of sleeps. */
const [SHORT, LONG] = [1, 5];

describe('the lead of the wake-up', () => {
  it('becomes what the thread is late by', () => {
    const lead = new WakeLead();
    for (let i = 0; i < 100; i++) lead.observe(0.2, LONG);
    expect(lead.at(0, LONG)).toBeCloseTo(0.2, 2);
    for (let i = 0; i < 100; i++) lead.observe(0.01, LONG);
    expect(lead.at(0, LONG)).toBeCloseTo(0.01, 2);
  });

  it('is what nine sleeps of ten do not exceed, and another for other sleeps', () => {
    const lead = new WakeLead();
    const random = new SeededRandom(7);
    for (let i = 0; i < 2000; i++) lead.observe(0.1 + 0.2 * random.next(), LONG);
    expect(lead.at(0, LONG)).toBeGreaterThan(0.24);
    expect(lead.at(0, LONG)).toBeLessThan(0.32);
    for (let i = 0; i < 100; i++) lead.observe(0.02, SHORT);
    expect(lead.at(0, SHORT)).toBeLessThan(0.04);
    expect(lead.at(0, LONG)).toBeGreaterThan(0.24);
  });

  it('is neither moved much by one pause nor ever negative', () => {
    const lead = new WakeLead();
    for (let i = 0; i < 100; i++) lead.observe(0.02, LONG);
    lead.observe(500, LONG);
    expect(lead.at(0, LONG)).toBeLessThan(0.05);
    for (let i = 0; i < 200; i++) lead.observe(-1, LONG);
    expect(lead.at(0, LONG)).toBeGreaterThanOrEqual(0);
  });

  it('costs a fiftieth of the time at most, and a little more after a pause', () => {
    const lead = new WakeLead();
    for (let i = 0; i < 100; i++) lead.observe(0.2, LONG);
    let spun = 0;
    let now = 0;
    for (; now < 10_000; now += 0.4) {
      const early = lead.at(now, LONG);
      lead.spend(early);
      spun += early;
    }
    expect(spun).toBeGreaterThan(190);
    expect(spun).toBeLessThan(221);
    expect(lead.at(now, LONG)).toBeLessThan(0.05);
    expect(lead.at(now + 1000, LONG)).toBeCloseTo(0.2, 2);
  });
});
