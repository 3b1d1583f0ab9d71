/** The end of an endpoint's life, with processes that don't want to end. */
import { describe, expect, test } from 'vitest';
import { FormerLife, type LifePort } from '../../../agent/endpoints/former-life.ts';
import { endpoint } from '../../support/fakes/agent-lab.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const HOME = endpoint(0, 'a.0', '10.1.0.1');

/** Processes that start others at two of three looks, until they are stopped. */
class FakeLives implements LifePort {
  readonly done: string[] = [];
  readonly running = new Set<number>();
  readonly stopped = new Set<number>();
  isForking = false;
  isImmortal = false;
  obeys = false;
  sockets: () => void = () => {};
  #last = 0;
  #looks = 0;

  add(count: number): this {
    for (let i = 0; i < count; i++) this.running.add(++this.#last);
    return this;
  }

  async find(): Promise<number[]> {
    const found = [...this.running, ...this.stopped];
    if (this.isForking && this.running.size > 0 && ++this.#looks % 3 > 0) this.add(1);
    return found;
  }

  signal(_: unknown, pids: Iterable<number>, signal: NodeJS.Signals): void {
    const all = [...pids];
    if (all.length > 0 && this.done.at(-1) !== signal) this.done.push(signal);
    for (const pid of all) {
      if (signal === 'SIGSTOP' && this.running.delete(pid)) this.stopped.add(pid);
      const isEnded = (signal === 'SIGKILL' && !this.isImmortal) || (signal === 'SIGTERM' && this.obeys);
      if (isEnded) for (const set of [this.running, this.stopped]) set.delete(pid);
    }
  }

  destroySockets(): void {
    this.done.push('sockets');
    this.sockets();
  }
}

/** The result, and how long it has taken, ms. */
async function within<T>(clock: ManualClock, work: Promise<T>): Promise<{ result: T; ms: number }> {
  const began = clock.now();
  let finished: { result: T; ms: number } | undefined;
  void work.then((result) => {
    finished = { result, ms: clock.now() - began };
  });
  for (let step = 0; step < 1000 && !finished; step++) await clock.advance(10);
  if (!finished) throw new Error('it never ends');
  return finished;
}

describe('a former life', () => {
  const clock = new ManualClock();
  const end = (lives: FakeLives) => within(clock, new FormerLife(lives, clock).kill(HOME));

  test('is stopped, loses its sockets while they have a process, and is killed', async () => {
    const lives = new FakeLives().add(3);
    expect((await end(lives)).result).toBeUndefined();
    expect(lives.done).toEqual(['SIGSTOP', 'sockets', 'SIGKILL', 'sockets']);
  });

  test('that starts processes all the time is ended whole', async () => {
    const lives = new FakeLives().add(1);
    lives.isForking = true;
    expect((await end(lives)).result).toBeUndefined();
    expect([...lives.running, ...lives.stopped]).toEqual([]);
  });

  test('that can not be killed is told, after some time', async () => {
    const lives = new FakeLives().add(2);
    lives.isImmortal = true;
    const { result, ms } = await end(lives);
    expect(result).toBe("a.0: 2 of its processes can't be killed: 1 2");
    expect(ms).toBeLessThan(5000);
  });

  test('whose sockets the kernel can not destroy is told, and its processes are killed', async () => {
    const lives = new FakeLives().add(1);
    lives.sockets = () => {
      throw new Error('EOPNOTSUPP');
    };
    expect((await end(lives)).result).toMatch(/^a\.0: sockets of its former life may remain: EOPNOTSUPP/);
    expect(lives.stopped.size).toBe(0);
  });

  test('ends by itself when it is asked, or is waited for two seconds', async () => {
    const polite = new FakeLives().add(2);
    polite.obeys = true;
    const ask = (lives: FakeLives) => within(clock, new FormerLife(lives, clock).ask(HOME));
    expect((await ask(polite)).result).toBe(0);
    const stubborn = new FakeLives().add(2);
    const { result, ms } = await ask(stubborn);
    expect(result).toBe(2);
    expect(ms).toBeGreaterThanOrEqual(2000);
    expect(stubborn.done).toEqual(['SIGTERM']);
  });
});
