/** What every `DelayBackend` must do: run against the fake in test/unit/, and against the kernel in test/kernel/. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DelayBackend, DemandedPath, ImpairedPath } from '../../../agent/enforce/ports.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { type PacketImpairment, packetImpairment } from '../../../proto/impairment.ts';
import { fromMillis, ratio } from '../../../proto/units.ts';

export interface OpenedDelay {
  readonly delay: DelayBackend;
  readonly source: LocalEndpoint;
  /** What arrives here is the backend's. */
  readonly destination: LocalEndpoint;
  /** How long a packet takes from source to destination, in milliseconds; `undefined`: it is lost. */
  send(): Promise<number | undefined>;
  /** After `stop`. */
  close(): void | Promise<void>;
}

const latency = (milliseconds: number): PacketImpairment =>
  packetImpairment({ latency: fromMillis(milliseconds) });
const LOSES_ALL = packetImpairment({ loss: ratio(1) });
/** A machine that is busy is so much late. */
const LATE_MS = 60;
const IMPAIRED = packetImpairment({
  latency: fromMillis(5),
  jitter: fromMillis(0.01),
  loss: ratio(0.5),
  distribution: 'pareto',
});

export function delayBackendContract(open: () => OpenedDelay | Promise<OpenedDelay>): void {
  let opened: OpenedDelay;
  let delay: DelayBackend;
  let source: LocalEndpoint;
  let destination: LocalEndpoint;
  /** Whether paths are delayed when packets arrive, and not by the queues of their classes. */
  let isAtArrival: boolean;

  beforeEach(async () => {
    opened = await open();
    ({ delay, source, destination } = opened);
    isAtArrival = delay.inQueue(IMPAIRED).latency === 0;
    await delay.attach(destination, false);
  });

  afterEach(async () => {
    await delay.stop();
    await opened.close();
  });

  const impaired = (what: PacketImpairment): ImpairedPath => ({
    ...what,
    source: source.addresses,
    destination: destination.addresses,
  });
  const demanded = (path?: PacketImpairment): DemandedPath => ({
    destination: destination.number,
    source: source.number,
    addresses: source.addresses,
    ...(path && { path }),
  });
  /** A packet is held for so long, or lost; where queues do that, it isn't held here. */
  const expectHeld = async (milliseconds: number | undefined): Promise<void> => {
    const held = await opened.send();
    if (isAtArrival && milliseconds === undefined) {
      expect(held).toBeUndefined();
      return;
    }
    const wanted = isAtArrival ? milliseconds! : 0;
    expect(held).toBeGreaterThan(wanted - 0.5);
    expect(held).toBeLessThan(wanted + LATE_MS);
  };

  test('queues do all of an impairment, or nothing of it', () => {
    const queued = delay.inQueue(IMPAIRED);
    if (isAtArrival) expect(queued).toMatchObject({ latency: 0, jitter: 0, loss: 0 });
    else expect(queued).toMatchObject(IMPAIRED);
    expect(delay.pairs.fromTheStart).toBeGreaterThan(0);
    expect(delay.pairs.atMost).toBeGreaterThanOrEqual(delay.pairs.fromTheStart);
  });

  test('nothing is held before anybody has said so', async () => {
    await expectHeld(0);
    expect(delay.failure).toBeUndefined();
    expect(delay.counters()).toMatchObject({ held: 0 });
  });

  describe('paths that are set', () => {
    test('are held, each time anew; one that is not named any more is not', async () => {
      await delay.set(destination, [impaired(latency(120))]);
      await expectHeld(120);
      await delay.set(destination, [impaired(latency(240))]);
      await expectHeld(240);
      await delay.set(destination, []);
      await expectHeld(0);
    });

    test('are taken from whatever can be gone through once', async () => {
      await delay.set(destination, new Set([impaired(latency(120))]).values());
      await expectHeld(120);
      await delay.change(new Set([demanded(latency(240))]).values());
      await expectHeld(240);
    });

    test('are changed one by one, and lose everything where there is none any more', async () => {
      await delay.set(destination, [impaired(latency(120))]);
      await delay.change([]);
      await expectHeld(120);
      await delay.change([demanded()]);
      await expectHeld(undefined);
      await delay.change([demanded(latency(240))]);
      await expectHeld(240);
    });

    test('may lose everything', async () => {
      await delay.set(destination, [impaired(LOSES_ALL)]);
      await expectHeld(undefined);
    });
  });

  describe('an endpoint that is detached', () => {
    test('is let go of, twice as once, and what is said of it afterwards counts for nothing', async () => {
      await delay.set(destination, [impaired(latency(120))]);
      await delay.detach(destination);
      await expectHeld(0);
      await delay.detach(destination);
      await delay.change([demanded(latency(120))]);
      await expectHeld(0);
    });

    test('comes back with nothing of what it had', async () => {
      await delay.set(destination, [impaired(latency(120))]);
      await delay.detach(destination);
      await delay.attach(destination, false);
      await expectHeld(0);
      await delay.set(destination, [impaired(latency(240))]);
      await expectHeld(240);
    });

    test('may never have been attached', async () => {
      await delay.detach(source);
      await delay.set(destination, [impaired(latency(120))]);
      await expectHeld(120);
    });
  });

  describe('on demand', () => {
    let asked: number;
    let path: PacketImpairment | undefined;
    const begin = (): Promise<void> =>
      delay.onDemand({
        endpoints: [source, destination],
        idleMs: 60_000,
        ask: () => {
          asked++;
          return demanded(path);
        },
        forget: () => {},
      });

    beforeEach(() => {
      asked = 0;
      path = latency(120);
    });

    test('a path is asked for by its first packet, or all must be set from the start', async () => {
      if (!isAtArrival) {
        await expect(begin()).rejects.toMatchObject({ code: 'TOO_MANY_PAIRS' });
        return;
      }
      await begin();
      await expectHeld(120);
      await expectHeld(120);
      expect(asked).toBe(1);
      await delay.change([demanded()]);
      await expectHeld(undefined);
    });

    test('an endpoint that comes back asks again', async () => {
      if (!isAtArrival) return;
      await begin();
      await expectHeld(120);
      await delay.detach(destination);
      await expectHeld(0);
      path = latency(240);
      await delay.attach(destination, false);
      await begin();
      await expectHeld(240);
      expect(asked).toBe(2);
    });
  });

  test('nothing is held any more after the end', async () => {
    await delay.set(destination, [impaired(latency(120))]);
    await delay.stop();
    await expectHeld(0);
    await delay.stop();
  });
}
