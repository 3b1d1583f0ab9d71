/** The one verb of enforcement: what is planned depends on what was edited, and on what is taken for installed. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { enforce } from '../../support/enforce.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';
import { FakeTc } from '../../support/fakes/fake-tc.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { CLIENT, endpoint, SERVER, SLOW, SLOW_TEXT, shaped } from '../../support/slow-interface.ts';

let tc: FakeTc;
let delay: FakeDelay;
let enforcer: Enforcer;
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
  tc = new FakeTc();
  delay = new FakeDelay();
  enforcer = new Enforcer({ tc, delay, clock, timers: clock });
});

test('what is told again is told whole, and changes nothing', async () => {
  await enforcer.attach(CLIENT);
  enforce(enforcer, CLIENT, SLOW);
  const before = tc.toString();
  tc.tried.length = 0;
  expect(enforcer.reconcile(CLIENT, 'forgotten').failed).toEqual([]);
  expect(tc.tried.map(({ op }) => op)).toEqual([
    ...['set-class', 'set-queue', 'set-class', 'set-queue'],
    ...['set-target', 'set-target', 'set-target'],
  ]);
  expect(tc.toString()).toBe(before);
  tc.tried.length = 0;
  enforce(enforcer, CLIENT, SLOW);
  expect(tc.tried).toEqual([]);
});

describe('what is edited', () => {
  beforeEach(async () => {
    await enforcer.attach(CLIENT);
    enforce(enforcer, CLIENT, SLOW);
    tc.tried.length = 0;
  });

  test('is planned alone; nothing is read, and nothing else is compared', () => {
    let reads = 0;
    const { read } = tc;
    tc.read = (one) => {
      reads++;
      return read.call(tc, one);
    };
    enforcer.desired(CLIENT).setClass(shaped(4, 99));
    expect(enforcer.reconcile(CLIENT)).toMatchObject({ steps: [{ op: 'set-class' }], failed: [] });
    expect(enforcer.reconcile(CLIENT)).toEqual({ steps: [], failed: [] });
    // The fake's own, at each step.
    expect(reads).toBe(1);
    expect(enforcer.verify(CLIENT)).toEqual([]);
  });

  test('and has failed is tried again with the next call, whatever that is for', () => {
    for (const installed of ['remembered', 'forgotten', 'asked'] as const) {
      enforcer.desired(CLIENT).deleteTarget('10.2.0.5');
      enforcer.desired(CLIENT).deleteClass(5);
      tc.fail = ({ op }) => (op === 'delete-class' ? 'EBUSY' : undefined);
      expect(enforcer.reconcile(CLIENT).failed).toHaveLength(1);
      tc.fail = () => undefined;
      expect(enforcer.reconcile(CLIENT, installed).failed).toEqual([]);
      expect(enforcer.verify(CLIENT)).toEqual([]);
      expect(tc.toString()).not.toContain('4e46:5');
      enforce(enforcer, CLIENT, SLOW);
    }
  });

  test('goes along where the kernel is told again all that stays', () => {
    enforcer.desired(CLIENT).deleteTarget('10.2.0.5');
    enforcer.desired(CLIENT).deleteClass(5);
    expect(enforcer.reconcile(CLIENT, 'forgotten').steps.map(({ op }) => op)).toEqual([
      ...['set-class', 'set-queue', 'set-target', 'set-target'],
      ...['delete-target', 'delete-class'],
    ]);
    expect(enforcer.verify(CLIENT)).toEqual([]);
  });
});

test('an interface that is detached is given back alone; its number may be another one’s', async () => {
  await enforcer.attach(CLIENT);
  await enforcer.attach(SERVER);
  enforce(enforcer, CLIENT, SLOW);
  enforce(enforcer, SERVER, SLOW);
  await enforcer.detach(CLIENT);
  expect(tc.toString()).toBe(`client.0:\n  gso_max_segs 0\n  qdisc noqueue\nserver.0:\n${SLOW_TEXT}`);
  expect(delay.toString()).toBe('server.0');
  expect(() => enforcer.reconcile(CLIENT)).toThrow('not attached');
  await enforcer.detach(CLIENT);
  const other = { ...endpoint(0, 'client.1'), ifindex: 9 };
  await enforcer.attach(other);
  expect(enforcer.installedClasses(other).size).toBe(0);
  expect(enforcer.reconcile(other)).toEqual({ steps: [], failed: [] });
});
