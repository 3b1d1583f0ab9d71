import { beforeEach, describe, expect, test } from 'vitest';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { untouched } from '../../../agent/enforce/interface-state.ts';
import type { TreeKeeper } from '../../../agent/enforce/ports.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import { fromMillis, ratio } from '../../../proto/units.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { enforce } from '../../support/enforce.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';
import { FakeTc } from '../../support/fakes/fake-tc.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { CLIENT, desired, endpoint, SERVER, SLOW, SLOW_TEXT, shaped } from '../../support/slow-interface.ts';

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

describe('the desired state', () => {
  beforeEach(async () => {
    await enforcer.attach(CLIENT);
    await enforcer.attach(SERVER);
    tc.tried.length = 0;
  });

  test('is installed on its interface, and on no other', () => {
    tc.install(SERVER, untouched('noqueue'));
    expect(enforce(enforcer, CLIENT, SLOW)).toEqual([]);
    expect(tc.toString()).toBe(`client.0:\n${SLOW_TEXT}\nserver.0:\n  gso_max_segs 0\n  qdisc noqueue`);
  });

  test('does nothing the second time, and nothing is left to verify', () => {
    enforce(enforcer, CLIENT, SLOW);
    expect(enforcer.verify(CLIENT)).toEqual([]);
    tc.tried.length = 0;
    expect(enforce(enforcer, CLIENT, desired(1, shaped(5, 125_000), shaped(4, 16_000)))).toEqual([]);
    expect(tc.tried).toEqual([]);
  });

  test('changes only what differs', () => {
    enforce(enforcer, CLIENT, SLOW);
    tc.tried.length = 0;
    enforce(enforcer, CLIENT, desired(1, shaped(4, 16_001), shaped(5, 125_000)));
    expect(tc.tried.map(({ op }) => op)).toEqual(['set-class']);
    expect(tc.toString()).toContain('class 4e46:4 rate 128008bit');
  });

  test('is not planned against what another interface has', () => {
    enforce(enforcer, CLIENT, SLOW);
    enforce(enforcer, SERVER, desired(8, shaped(1, 1000)));
    expect(tc.toString()).toBe(`client.0:
${SLOW_TEXT}
server.0:
  class 4e46:1 rate 8000bit burst 1514 bfifo limit 24224
  filter bpf netfold
  gso_max_segs 8
  qdisc htb 4e46:
  target 10.2.0.1 4e46:1
  target 10.9.0.9 drop`);
  });

  test('needs an interface that was attached', () => {
    expect(() => enforce(enforcer, endpoint(9, 'stranger.0'), SLOW)).toThrow('stranger.0');
  });
});

describe('a step that fails', () => {
  beforeEach(() => enforcer.attach(CLIENT));

  test('is given back with its error, and tried again with the next call, alone', () => {
    tc.fail = (op) => (op.op === 'set-queue' && op.minor === 5 ? 'EINVAL' : undefined);
    const [first, ...others] = enforce(enforcer, CLIENT, SLOW);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ op: { op: 'set-queue', minor: 5 }, error: { message: 'EINVAL' } });
    expect(enforcer.verify(CLIENT)).toMatchObject([{ op: 'set-queue', minor: 5 }]);

    tc.tried.length = 0;
    tc.fail = () => undefined;
    expect(enforce(enforcer, CLIENT, SLOW)).toEqual([]);
    expect(tc.tried).toMatchObject([{ op: 'set-queue', minor: 5 }]);
    expect(tc.toString()).toBe(`client.0:\n${SLOW_TEXT}`);
  });

  test('takes those with it that need it; all are tried again', () => {
    tc.fail = (op) => (op.op === 'set-root' ? 'EPERM' : undefined);
    const failed = enforce(enforcer, CLIENT, SLOW).map(({ op }) => op.op);
    expect(failed).toContain('set-root');
    expect(failed).toContain('add-classifier');
    tc.fail = () => undefined;
    expect(enforce(enforcer, CLIENT, SLOW)).toEqual([]);
    expect(tc.toString()).toBe(`client.0:\n${SLOW_TEXT}`);
  });

  test('whichever steps fail, and however often: in the end everything is as desired', () => {
    const random = new SeededRandom(12);
    const states = [
      SLOW,
      desired(8, shaped(4, 16_000)),
      desired(44),
      desired(1, shaped(1, 99), shaped(5, 1000)),
    ];
    for (let round = 0; round < 200; round++) {
      const next = states[random.below(states.length)]!;
      tc.fail = () => (random.next() < 0.3 ? 'EBUSY' : undefined);
      for (let attempt = 0; attempt < 3; attempt++) enforce(enforcer, CLIENT, next);
      tc.fail = () => undefined;
      expect(enforce(enforcer, CLIENT, next)).toEqual([]);
      expect(enforcer.verify(CLIENT)).toEqual([]);
    }
  });

  test('what somebody else takes away is seen by verify', () => {
    enforce(enforcer, CLIENT, SLOW);
    tc.apply(CLIENT, [{ op: 'delete-target', destination: '10.2.0.4', reason: 'somebody else' }]);
    expect(enforcer.verify(CLIENT)).toMatchObject([{ op: 'set-target', destination: '10.2.0.4', minor: 4 }]);
  });
});

describe('taking an interface over', () => {
  test.each(['none', 'noqueue', 'pfifo_fast', 'fq_codel', 'fq', 'mq'])(
    "the kernel's default %s is replaced, with no step before it is needed",
    async (kind) => {
      tc.install(CLIENT, untouched(kind));
      await enforcer.attach(CLIENT);
      expect(tc.tried).toEqual([]);
      enforce(enforcer, CLIENT, SLOW);
      expect(tc.tried).toContainEqual({ op: 'set-root', reason: `in place of ${kind}` });
    },
  );

  test.each(['tbf', 'htb', 'cake', 'prio'])('a root qdisc %s that somebody set is refused', async (kind) => {
    tc.install(CLIENT, untouched(kind));
    const error = await enforcer.attach(CLIENT).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NetfoldError);
    expect(error).toMatchObject({ code: 'QDISC_FOREIGN', blame: 'machine' });
    const { message, remedy } = error as NetfoldError;
    expect(message).toContain(`"${kind}"`);
    expect(message).toContain('eth0 of client.0');
    expect(remedy).toContain('tc qdisc del dev eth0 root');
    expect(tc.tried).toEqual([]);
    expect([...tc.attached]).toEqual([]);
    expect(delay.toString()).toBe('');
    expect(() => enforce(enforcer, CLIENT, SLOW)).toThrow('not attached');
  });

  test('what an earlier agent left stays in force until there is something to set, and then only differences change', async () => {
    tc.install(CLIENT, { ...desired(1, shaped(4, 16_000), shaped(40, 7)), targets: new Map() });
    await enforcer.attach(CLIENT);
    expect(tc.tried).toEqual([]);
    enforce(enforcer, CLIENT, SLOW);
    expect(tc.tried.map((op) => ('minor' in op ? `${op.op} ${op.minor}` : op.op))).toEqual([
      'set-class',
      'set-queue 5',
      'set-target 4294967295',
      'set-target 4',
      'set-target 5',
      'delete-class 40',
    ]);
    expect(tc.toString()).toBe(`client.0:\n${SLOW_TEXT}`);
  });

  test('the GSO size that an interface had is given back; where nobody knows it, what the device takes', async () => {
    tc.install(CLIENT, untouched('noqueue', 65));
    tc.install(SERVER, { ...desired(1), targets: new Map() });
    await enforcer.attach(CLIENT);
    await enforcer.attach(SERVER);
    enforce(enforcer, CLIENT, SLOW);
    enforce(enforcer, SERVER, SLOW);
    await enforcer.stop();
    expect(tc.toString()).toBe(
      'client.0:\n  gso_max_segs 65\n  qdisc noqueue\nserver.0:\n  gso_max_segs 0\n  qdisc noqueue',
    );
  });

  test('the delay backend is attached too, and told of delays', async () => {
    await enforcer.attach(CLIENT);
    expect(delay.toString()).toBe('client.0');
    await enforcer.delay.set(CLIENT, [
      {
        ...{ source: ['10.2.0.4'], destination: ['10.1.0.1'] },
        ...{ latency: fromMillis(20), jitter: fromMillis(2), loss: ratio(0.25) },
      },
    ]);
    expect(delay.toString()).toBe('client.0\nclient.0: 10.2.0.4 > 10.1.0.1 delay 20000us 2000us loss 25%');
    expect(enforcer.delay).toBe(delay);
  });
});

test('stopping gives all interfaces back, and ends the delays', async () => {
  await enforcer.attach(CLIENT);
  await enforcer.attach(SERVER);
  enforce(enforcer, CLIENT, SLOW);
  tc.tried.length = 0;
  await enforcer.stop();
  expect(tc.tried.map(({ op }) => op)).toEqual([
    'delete-target',
    'delete-target',
    'delete-target',
    'set-gso',
    'delete-root',
  ]);
  expect(tc.toString()).not.toMatch(/class|target|filter|htb/);
  expect([...tc.attached]).toEqual([]);
  expect(delay.toString()).toBe('');
});

test('stopping before a removal leaves what is removed as it is, and gives back what stays', async () => {
  const stays = { ...SERVER, outlivesAgent: true };
  await enforcer.attach(CLIENT);
  await enforcer.attach(stays);
  enforce(enforcer, CLIENT, SLOW);
  enforce(enforcer, stays, SLOW);
  tc.tried.length = 0;
  await enforcer.stop(true);
  expect(tc.tried.filter(({ op }) => op === 'delete-root')).toHaveLength(1);
  const [client, server] = tc.toString().split('server.0:');
  expect(client).toBe(`client.0:\n${SLOW_TEXT}\n`);
  expect(server).not.toMatch(/class|target|filter|htb/);
  expect(delay.toString()).toBe('');
});

describe('repairing', () => {
  beforeEach(async () => {
    await enforcer.attach(CLIENT);
    enforce(enforcer, CLIENT, SLOW);
    tc.tried.length = 0;
  });

  test('puts back what somebody took away, and says what it was', () => {
    expect(enforcer.reconcile(CLIENT, 'asked').steps).toEqual([]);
    tc.apply(CLIENT, [{ op: 'delete-target', destination: '10.2.0.4', reason: 'somebody else' }]);
    expect(enforcer.reconcile(CLIENT, 'asked').steps).toMatchObject([
      { op: 'set-target', destination: '10.2.0.4' },
    ]);
    expect(enforcer.verify(CLIENT)).toEqual([]);
  });

  test("leaves somebody's root alone, also in the end", async () => {
    tc.install(CLIENT, untouched('tbf 8001:'));
    expect(() => enforcer.reconcile(CLIENT, 'asked')).toThrow(
      expect.objectContaining({ code: 'QDISC_FOREIGN' }),
    );
    expect(enforcer.reconcile(CLIENT)).toEqual({ steps: [], failed: [] });
    await enforcer.stop();
    expect(tc.tried.map(({ op }) => op)).not.toContain('delete-root');
    expect(tc.toString()).toContain('qdisc tbf 8001:');
  });

  test('says what can not be put back', () => {
    tc.apply(CLIENT, [{ op: 'delete-target', destination: '10.2.0.4', reason: 'somebody else' }]);
    tc.fail = () => 'ENODEV';
    expect(enforcer.reconcile(CLIENT, 'asked').failed).toMatchObject([{ error: { message: 'ENODEV' } }]);
  });
});

describe('an interface that outlives the agent', () => {
  const LASTING: LocalEndpoint = { ...CLIENT, outlivesAgent: true };
  /** Remembers what it was asked, and puts the tree back as a journal would. */
  class Keeper implements TreeKeeper {
    readonly asked: string[] = [];
    keep({ name }: LocalEndpoint): boolean {
      this.asked.push(`keep ${name}`);
      return true;
    }
    putBack(endpoint: LocalEndpoint): void {
      this.asked.push(`put back ${endpoint.name}`);
      tc.install(endpoint, untouched('tbf 7:'));
    }
  }

  test("with somebody's root is refused, unless it may be taken over", async () => {
    tc.install(LASTING, untouched('tbf 7:'));
    const keeper = new Keeper();
    const careful = new Enforcer({ tc, delay, keeper, clock, timers: clock });
    await expect(careful.attach(LASTING)).rejects.toMatchObject({ code: 'QDISC_FOREIGN' });
    expect(keeper.asked).toEqual([]);
  });

  test('is taken over with what it had kept, and gets that back', async () => {
    tc.install(LASTING, untouched('tbf 7:'));
    const keeper = new Keeper();
    const bold = new Enforcer({ tc, delay, keeper, takeOver: true, clock, timers: clock });
    await bold.attach(LASTING);
    expect(keeper.asked).toEqual(['keep client.0']);
    enforce(bold, LASTING, SLOW);
    expect(tc.tried).toContainEqual({ op: 'set-root', reason: 'in place of tbf 7:' });
    await bold.stop();
    expect(keeper.asked).toEqual(['keep client.0', 'put back client.0']);
    expect(tc.toString()).toContain('qdisc tbf 7:');
  });

  test('is not touched where what it has can not be kept', async () => {
    tc.install(LASTING, untouched('tbf 7:'));
    const keeper = new Keeper();
    keeper.keep = () => {
      throw new Error('QDISC_NOT_RESTORABLE');
    };
    const bold = new Enforcer({ tc, delay, keeper, takeOver: true, clock, timers: clock });
    await expect(bold.attach(LASTING)).rejects.toThrow('QDISC_NOT_RESTORABLE');
    expect(tc.tried).toEqual([]);
    expect([...tc.attached]).toEqual([]);
  });

  test('lets what comes pass by, and what waits go, before its root goes', async () => {
    const one = new Enforcer({ tc, delay, clock, timers: clock });
    await one.attach(LASTING);
    enforce(one, LASTING, SLOW);
    tc.tried.length = 0;
    const waiting = [2, 1, 0];
    tc.stats = () => ({ waiting: waiting.shift() ?? 0, held: 0, passed: 0, lost: 0, overflowed: 0 });
    const stopped = one.stop();
    await clock.advance(10);
    await stopped;
    expect(waiting).toEqual([]);
    expect(tc.tried.map(({ op }) => op)).toEqual([
      'delete-target',
      'delete-target',
      'delete-target',
      'set-gso',
      'delete-root',
    ]);
  });
});
