import { describe, expect, test } from 'vitest';
import { ControllerError } from '../../../controller/errors.ts';
import {
  FIRST_DELAY_MS,
  MOST_RESTARTS,
  RestartPolicy,
  supervise,
  WITHIN_MS,
} from '../../../controller/experiment/supervisor.ts';
import type { PlannedHost } from '../../../controller/platform/port/plan.ts';

describe('when an agent is started again', () => {
  test('each time after twice as long, and then no more', () => {
    const policy = new RestartPolicy();
    const waits = Array.from({ length: MOST_RESTARTS + 1 }, (_, index) => policy.next(index * 10));
    expect(waits).toEqual([100, 200, 400, 800, 1600, undefined]);
    expect(FIRST_DELAY_MS).toBe(100);
  });

  test('at once again where the others were long ago', () => {
    const policy = new RestartPolicy();
    for (let at = 0; at < 20; at++) expect(policy.next(at * WITHIN_MS)).toBe(FIRST_DELAY_MS);
  });
});

interface Fake {
  readonly host: PlannedHost;
  readonly exited: Promise<string>;
  failure(what?: string): ControllerError;
}

const host = { name: 'host1' } as PlannedHost;
const agent = (exited: Promise<string>): Fake => ({
  host,
  exited,
  failure: (what) => new ControllerError('AGENT_FAILED', `the agent of host1 ${what}`),
});
const dead = (): Fake => agent(Promise.resolve('was ended by SIGKILL'));

/** Supervises an agent that ends at once; `ending` after so many starts. */
async function run(endingAfter: number) {
  const told: string[] = [];
  const waits: number[] = [];
  let starts = 0;
  const result = supervise(dead(), {
    start: () => {
      starts++;
      return dead();
    },
    isEnding: () => starts >= endingAfter,
    tell: (line) => told.push(line),
    now: () => 1000,
    sleep: async (ms) => waits.push(ms),
  });
  const error = await result.then(
    () => undefined,
    (failure: Error) => failure,
  );
  return { told, waits, starts, error };
}

describe('a supervised agent', () => {
  test('that ends by itself is restarted, and the user sees how it ended', async () => {
    const { told, waits, starts, error } = await run(2);
    expect({ waits, starts, error }).toEqual({ waits: [100, 200], starts: 2, error: undefined });
    expect(told[0]).toBe('the agent of host1 was ended by SIGKILL; it is started again');
  });

  test('that ends again and again is given up, with a reason', async () => {
    const { starts, error } = await run(Number.POSITIVE_INFINITY);
    expect(starts).toBe(MOST_RESTARTS);
    expect(error).toMatchObject({
      code: 'AGENT_FAILED',
      message: expect.stringContaining('6 times within 60 s'),
    });
  });

  test('that ends on purpose stays ended', async () => {
    expect(await run(0)).toEqual({ told: [], waits: [], starts: 0, error: undefined });
  });
});
