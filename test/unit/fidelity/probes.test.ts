/** Probes: when they are sent, what they may cost, and what follows from what they meet. */
import { describe, expect, test } from 'vitest';
import { ProbeOutcomes } from '../../../agent/fidelity/probe-outcomes.ts';
import {
  type Echo,
  type EchoPort,
  PROBE_FRAME_BYTES,
  Probing,
  type Target,
  TURN_MS,
} from '../../../agent/fidelity/probing.ts';
import { UnderlayLoss } from '../../../agent/fidelity/underlay-loss.ts';
import { checksumOf, messageOf, PROBE_IDENTIFIER, tokenIn } from '../../../agent/linux/probe/echo-probes.ts';
import { bps, fromMillis, micros, ratio } from '../../../proto/units.ts';
import type { Path } from '../../../topology/model/model.ts';

const TRIP = { latencyMs: 40, jitterMs: 0, transmissionMs: 0, isQuiet: true };

function judged(
  outcomes: readonly (number | undefined)[],
  changes: Partial<typeof TRIP> = {},
  loss = 0,
): string[] {
  const probes = new ProbeOutcomes();
  for (const one of outcomes) probes.note(one);
  return probes.symptoms('a.0 > b.0', { trip: { ...TRIP, ...changes }, loss }).map(({ code }) => code);
}

describe('what probes meet', () => {
  test('as the path says, and a little more, is no symptom', () => {
    expect(judged([40.2, 40.4, 41, 44, 39.5])).toEqual([]);
  });
  test('two that are too short are', () => {
    expect(judged([0.1])).toEqual([]);
    expect(judged([40, 0.1, 0.1])).toEqual(['RTT_SHORT']);
    expect(judged([0.1, 40])).toEqual([]);
    expect(judged([0.1, 0.1], { jitterMs: 15 })).toEqual([]);
  });
  test('four that are too long are, unless a queue may have formed', () => {
    expect(judged([90, 90, 90])).toEqual([]);
    expect(judged([90, 40, 90, 90, 90])).toEqual([]);
    expect(judged([90, 95, 92, 91])).toEqual(['RTT_LONG']);
    expect(judged([90, 95, 92, 91], { isQuiet: false })).toEqual([]);
    expect(judged([90, 95, 92, 91], { transmissionMs: 60 })).toEqual([]);
  });
  test('what was before the path was quiet says nothing of queues', () => {
    const probes = new ProbeOutcomes();
    for (const one of [90, 95, 92, 91, undefined]) probes.note(one);
    probes.forgetQueued();
    probes.note(93);
    expect(probes.symptoms('a.0 > b.0', { trip: TRIP, loss: 0 })).toEqual([]);
  });
  test('those that no longer come back are, if the path should not lose so many', () => {
    const none = [undefined, undefined, undefined, undefined] as const;
    expect(judged([40, ...none.slice(1)])).toEqual([]);
    expect(judged([40, ...none])).toEqual(['PROBES_LOST']);
    expect(judged([40, ...none], { isQuiet: false })).toEqual([]);
    // A firewall in the endpoint.
    expect(judged([...none, ...none])).toEqual([]);
    // 20 % of both directions: eight in a row are not rare enough.
    expect(judged([40, ...none, ...none], {}, 0.36)).toEqual([]);
    expect(judged([40, ...Array.from({ length: 14 }, () => undefined)], {}, 0.36)).toEqual(['PROBES_LOST']);
    expect(judged([40, ...Array.from({ length: 30 }, () => undefined)], {}, 1)).toEqual([]);
  });
  test('they are counted', () => {
    const probes = new ProbeOutcomes();
    for (const one of [40, undefined, 41]) probes.note(one);
    expect(probes.told).toEqual({ sent: 3, lost: 1, latestMs: 41 });
  });
});

class FakeEchoes implements EchoPort {
  readonly measuresBack = true;
  readonly sent: { address: string; token: number }[] = [];
  answers: Echo[] = [];
  send(_: unknown, address: string, token: number): boolean {
    this.sent.push({ address, token });
    return true;
  }
  collect(): Echo[] {
    return this.answers.splice(0);
  }
  keep(): void {}
  close(): void {}
}

const pathWith = (bandwidthBps: number, latencyMs = 20): Path =>
  ({
    ...{ from: 0, to: 1, hops: 1, links: [0], loss: ratio(0), jitter: micros(0) },
    ...{ bandwidth: bps(bandwidthBps), latency: fromMillis(latencyMs) },
  }) as unknown as Path;

const targetOf = (key: number, bandwidthBps: number, latencyMs = 20): Target => ({
  ...{ key, name: `path ${key}`, address: `10.0.0.${key}`, bandwidthBps, loss: 0 },
  from: { number: 0 } as Target['from'],
  ways: [pathWith(bandwidthBps, latencyMs), pathWith(bandwidthBps, latencyMs)],
  trip: { ...TRIP, latencyMs: 2 * latencyMs },
  waitMs: 2 * latencyMs,
});

/** Turns from `from` on, for a time. */
function turns(probing: Probing, from: number, ms: number): void {
  for (let now = from; now < from + ms; now += TURN_MS) probing.turn(now);
}

describe('when probes are sent', () => {
  test('twice a second, and on slow paths so that they use a two-thousandth of it', () => {
    const echoes = new FakeEchoes();
    const probing = new Probing(echoes);
    probing.look(0, [targetOf(1, 10e6), targetOf(2, 50e3)], []);
    for (let now = 0, answered = 0; now < 60_000; now += TURN_MS) {
      probing.turn(now);
      echoes.answers = echoes.sent.slice(answered).map(({ token }) => ({ token, roundTripMicros: 40_000 }));
      answered = echoes.sent.length;
    }
    const count = (address: string): number => echoes.sent.filter((one) => one.address === address).length;
    expect(count('10.0.0.1')).toBeGreaterThan(100);
    expect(count('10.0.0.1')).toBeLessThan(130);
    expect((count('10.0.0.2') * PROBE_FRAME_BYTES * 8) / 60 / 50e3).toBeLessThan(0.0006);
    expect(count('10.0.0.2')).toBeGreaterThan(1);
  });

  test('after a lost one sooner, so that a path that is cut is a symptom within three seconds', () => {
    const echoes = new FakeEchoes();
    const probing = new Probing(echoes);
    const target = targetOf(1, 10e6);
    const cutAt = 5400;
    let named = Number.NaN;
    for (let now = 0; now < 20_000 && Number.isNaN(named); now += TURN_MS) {
      probing.turn(now);
      const answers = echoes.sent.splice(0).map(({ token }) => ({ token, roundTripMicros: 40_000 }));
      echoes.answers = now < cutAt ? answers : [];
      if (now % 1000 !== 0) continue;
      const codes = probing.look(now, [target], []).map(({ code }) => code);
      if (codes.includes('PROBES_LOST')) named = now;
    }
    expect(named - cutAt).toBeLessThanOrEqual(3000);
  });

  test('of very many paths, 200 a second, and each has its turn', () => {
    const echoes = new FakeEchoes();
    const probing = new Probing(echoes);
    probing.look(
      0,
      Array.from({ length: 600 }, (_, key) => targetOf(key, 1e9)),
      [],
    );
    turns(probing, 1000, 3000);
    expect(echoes.sent).toHaveLength(600);
    expect(new Set(echoes.sent.map(({ address }) => address)).size).toBe(600);
  });

  test('a bypassed path is a symptom within three seconds of the flow', () => {
    const echoes = new FakeEchoes();
    const probing = new Probing(echoes);
    const target = targetOf(1, 10e6);
    const symptoms: string[] = [];
    let now = 0;
    for (; symptoms.length === 0 && now < 10_000; now += TURN_MS) {
      probing.turn(now);
      echoes.answers = echoes.sent.splice(0).map(({ token }) => ({ token, roundTripMicros: 90 }));
      if (now % 1000 === 0) symptoms.push(...probing.look(now, [target], []).map(({ code }) => code));
    }
    expect(symptoms).toEqual(['RTT_SHORT']);
    expect(now).toBeLessThanOrEqual(3000);
  });

  test('an answer that comes too late, or of a path that was another, does not count', () => {
    const echoes = new FakeEchoes();
    const probing = new Probing(echoes);
    probing.look(0, [targetOf(1, 10e6)], []);
    probing.turn(600);
    const { token } = echoes.sent[0]!;
    probing.look(700, [targetOf(1, 10e6, 50)], []);
    echoes.answers = [{ token, roundTripMicros: 40_000 }];
    probing.turn(700);
    expect(probing.ofPath(1)).toEqual({ sent: 0, lost: 0, latestMs: null });
    turns(probing, 1200, 100);
    turns(probing, 4000, 100);
    expect(probing.ofPath(1)).toEqual({ sent: 1, lost: 1, latestMs: null });
    expect(probing.counted.sent).toBe(3);
  });
});

test('a probe is an echo request that is known as netfold’s', () => {
  const message = messageOf(0xabcd1234);
  expect([message[0], message[1], message.readUInt16BE(4)]).toEqual([8, 0, PROBE_IDENTIFIER]);
  expect(checksumOf(message)).toBe(0);
  expect(message.toString('latin1')).toContain('netfold probe');
  // Ethernet and IPv4 before it.
  expect(14 + 20 + message.length).toBe(PROBE_FRAME_BYTES);
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  expect(tokenIn(Buffer.concat([header, message]))).toBe(0xabcd1234);
  expect(tokenIn(Buffer.concat([header, message.subarray(0, 31)]))).toBeUndefined();
  expect(tokenIn(Buffer.alloc(0))).toBeUndefined();
  expect(tokenIn(Buffer.alloc(60))).toBeUndefined();
});

describe('losses of the real network', () => {
  const look = (watch: UnderlayLoss, at: number, sent: number, lost: number) =>
    watch.look(at, [{ host: 'host1', sent, lost }]).map(({ code, host }) => `${code} ${host}`);

  test('count from three in fifty on, above 2 %', () => {
    const watch = new UnderlayLoss();
    expect(look(watch, 0, 1000, 90)).toEqual([]);
    expect(look(watch, 1000, 1040, 93)).toEqual([]);
    expect(look(watch, 2000, 1060, 92)).toEqual([]);
    expect(look(watch, 3000, 1060, 93)).toEqual(['UNDERLAY_LOSSY host1']);
    expect(look(watch, 4000, 1300, 93)).toEqual([]);
  });
  test('what is old does not count, nor a connection that began anew', () => {
    const watch = new UnderlayLoss();
    look(watch, 0, 0, 0);
    expect(look(watch, 1000, 100, 5)).toEqual(['UNDERLAY_LOSSY host1']);
    expect(look(watch, 22_000, 200, 5)).toEqual([]);
    expect(look(watch, 23_000, 10, 4)).toEqual([]);
  });
});
