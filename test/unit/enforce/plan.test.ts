import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type InterfaceChange,
  type InterfaceState,
  NO_PATH,
  type ShapedClass,
  untouched,
} from '../../../agent/enforce/interface-state.ts';
import { applyToState, planChange, planTc, type TcOp } from '../../../agent/enforce/plan.ts';
import { formatPlan } from '../../../agent/enforce/plan-text.ts';
import { formatState, refusalOf } from '../../support/fakes/fake-tc.ts';

const shaped = (minor: number, bytesPerSecond: number, limit = 24224): ShapedClass => ({
  minor,
  bytesPerSecond,
  burstBytes: Math.max(1514, bytesPerSecond / 500),
  queue: { kind: 'bfifo', limit },
  bufferBytes: 0,
});

function state(
  classes: readonly ShapedClass[],
  targets: readonly (readonly [string, number])[],
  gsoSegments = 8,
): InterfaceState {
  return {
    foreignRoot: undefined,
    classifier: true,
    gsoSegments,
    classes: new Map(classes.map((one) => [one.minor, one])),
    targets: new Map(targets),
  };
}

/** 128 kb/s to the first, 100 Mb/s to the second, which has two addresses, and no way to the third. */
const CLASSES = [shaped(2, 16_000), shaped(11, 12_500_000, 1_125_000)] as const;
const TARGETS = [
  ['10.1.0.2', 2],
  ['10.2.0.1', 11],
  ['fd00::b', 11],
  ['10.2.0.9', NO_PATH],
] as const;
const NORMAL = state(CLASSES, TARGETS);

function plan(installed: InterfaceState, desired: InterfaceState): string {
  return formatPlan('eth0', planTc(installed, desired));
}

describe('the plan', () => {
  test('of a first installation', () => {
    expect(plan(untouched('noqueue'), NORMAL)).toBe(
      `tc qdisc replace dev eth0 root handle 4e46: htb default 0  # in place of noqueue
ip link set dev eth0 gso_max_segs 8  # the slowest path bounds the burst
tc class replace dev eth0 parent 4e46: classid 4e46:2 htb rate 128000bit burst 1514  # new destination
tc qdisc replace dev eth0 parent 4e46:2 handle 2: bfifo limit 24224  # from rate, round trip and impairment
tc class replace dev eth0 parent 4e46: classid 4e46:b htb rate 100000000bit burst 25000  # new destination
tc qdisc replace dev eth0 parent 4e46:b handle b: bfifo limit 1125000  # from rate, round trip and impairment
bpf map classes: 10.1.0.2 -> 4e46:2  # new destination
bpf map classes: 10.2.0.1 -> 4e46:b  # new destination
bpf map classes: fd00::b -> 4e46:b  # new destination
bpf map classes: 10.2.0.9 -> drop  # no path
tc filter add dev eth0 parent 4e46: protocol all prio 1 bpf direct-action name netfold  # destinations find their class`,
    );
  });

  test('of a rate that changes is that one class', () => {
    const faster = state(
      [CLASSES[0], { ...CLASSES[1], bytesPerSecond: 2_222_000, burstBytes: 4444 }],
      TARGETS,
    );
    expect(plan(NORMAL, faster)).toBe(
      'tc class replace dev eth0 parent 4e46: classid 4e46:b htb rate 17776000bit burst 4444  # rate was 100000000 b/s',
    );
  });

  test('of an impairment that changes is that one queue; of a buffer, its class', () => {
    const queue = {
      kind: 'netem',
      limit: 900,
      latencyNs: 10_000_000,
      jitterNs: 1_500_250,
      distribution: 'uniform',
      loss: 0.25,
      slowest: 0,
    } as const;
    const impaired: ShapedClass = { ...CLASSES[0], queue, bufferBytes: 24_224 };
    const before = state([impaired, CLASSES[1]], TARGETS);
    const changed = (changes: Partial<typeof queue> | { latencyNs: number }): string =>
      plan(before, state([{ ...impaired, queue: { ...queue, ...changes } }, CLASSES[1]], TARGETS));
    expect(changed({})).toBe('');
    expect(changed({ latencyNs: 20_000_000 })).toBe(
      'tc qdisc replace dev eth0 parent 4e46:2 handle 2: netem limit 900 delay 20000000ns 1500250ns distribution uniform loss 25%  # from rate, round trip and impairment',
    );
    for (const one of [{ jitterNs: 1 }, { distribution: 'pareto' }, { loss: 0.3 }, { limit: 901 }])
      expect(changed(one as Partial<typeof queue>)).toMatch(/^tc qdisc replace [^\n]*$/);
    expect(changed({ lossModel: 'gemodel 1 2 3 4' } as object)).toMatch(
      /^tc qdisc replace .* loss gemodel 1 2 3 4 /,
    );
    // netem keeps these when it is changed to have none.
    const rare = state(
      [{ ...impaired, queue: { ...queue, slots: '1 2', corrupt: 0.5 } }, CLASSES[1]],
      TARGETS,
    );
    expect(plan(rare, before)).toMatch(/^tc qdisc del .*\ntc qdisc replace [^\n]*$/);
    expect(plan(before, rare)).toMatch(/^tc qdisc replace .* corrupt 50% slot 1ns 2ns /);
    expect(plan(before, state([{ ...impaired, bufferBytes: 99 }, CLASSES[1]], TARGETS))).toBe(
      'tc class replace dev eth0 parent 4e46: classid 4e46:2 htb rate 128000bit burst 1514; bpf map buffers: 99 bytes  # buffer was 24224 bytes',
    );
  });

  test('of links that follow is a queue within the one before for each, and nothing else', () => {
    const queue = {
      kind: 'netem',
      limit: 900,
      latencyNs: 0,
      jitterNs: 0,
      distribution: 'none',
      loss: 0,
      slowest: 16_000,
    } as const;
    const following = (furtherLinks: number, furtherRate: number): InterfaceState =>
      state([{ ...CLASSES[0], queue: { ...queue, furtherLinks, furtherRate } }, CLASSES[1]], TARGETS);
    const alone = state([{ ...CLASSES[0], queue }, CLASSES[1]], TARGETS);
    const first =
      'tc qdisc replace dev eth0 parent 2:1 handle ffea: netem limit 900 rate 160000bit  # a link that follows';
    const second =
      'tc qdisc replace dev eth0 parent ffea:1 handle ffe9: netem limit 900 rate 160000bit  # a link that follows';
    expect(plan(alone, following(2, 20_000))).toBe(`${first}\n${second}`);
    expect(plan(following(1, 20_000), following(2, 20_000))).toBe(second);
    expect(plan(following(2, 16_000), following(1, 20_000))).toBe(
      `${first}\ntc qdisc del dev eth0 parent ffea:1  # fewer links follow`,
    );
    expect(plan(following(2, 20_000), alone)).toBe('tc qdisc del dev eth0 parent 2:1  # fewer links follow');
    // They go with the queue that they are in.
    expect(plan(following(2, 20_000), NORMAL)).toMatch(/^tc qdisc del [^\n]*\ntc qdisc replace [^\n]*$/);
  });

  test('of a queue that changes is that one queue', () => {
    const packets: ShapedClass = { ...CLASSES[0], queue: { kind: 'pfifo', limit: 24224 } };
    expect(plan(NORMAL, state([packets, CLASSES[1]], TARGETS))).toBe(
      `tc qdisc del dev eth0 parent 4e46:2  # was bfifo
tc qdisc replace dev eth0 parent 4e46:2 handle 2: pfifo limit 24224  # from rate, round trip and impairment`,
    );
    expect(plan(NORMAL, state([CLASSES[0], shaped(11, 12_500_000, 1_125_001)], TARGETS))).toBe(
      'tc qdisc replace dev eth0 parent 4e46:b handle b: bfifo limit 1125001  # from rate, round trip and impairment',
    );
  });

  test('of a burst that changes is that one class', () => {
    const bursty = state([{ ...CLASSES[0], burstBytes: 3028 }, CLASSES[1]], TARGETS);
    expect(plan(NORMAL, bursty)).toBe(
      'tc class replace dev eth0 parent 4e46: classid 4e46:2 htb rate 128000bit burst 3028  # rate was 128000 b/s',
    );
  });

  test('of another GSO size is that', () => {
    expect(plan(NORMAL, state(CLASSES, TARGETS, 1))).toBe(
      'ip link set dev eth0 gso_max_segs 1  # the slowest path bounds the burst',
    );
  });

  test('of a classifier that is missing is to add it', () => {
    expect(plan({ ...NORMAL, classifier: false }, NORMAL)).toBe(
      'tc filter add dev eth0 parent 4e46: protocol all prio 1 bpf direct-action name netfold  # destinations find their class',
    );
  });

  test('of a new destination', () => {
    const desired = state([...CLASSES, shaped(5, 1000)], [...TARGETS, ['10.1.0.5', 5]]);
    expect(plan(NORMAL, desired)).toBe(
      `tc class replace dev eth0 parent 4e46: classid 4e46:5 htb rate 8000bit burst 1514  # new destination
tc qdisc replace dev eth0 parent 4e46:5 handle 5: bfifo limit 24224  # from rate, round trip and impairment
bpf map classes: 10.1.0.5 -> 4e46:5  # new destination`,
    );
  });

  test('of a destination that is gone', () => {
    expect(plan(NORMAL, state([CLASSES[0]], [TARGETS[0], TARGETS[3]]))).toBe(
      `bpf map classes: delete 10.2.0.1  # destination is gone
bpf map classes: delete fd00::b  # destination is gone
tc class del dev eth0 classid 4e46:b  # destination is gone`,
    );
  });

  const cut = state([CLASSES[1]], [['10.1.0.2', NO_PATH], ...TARGETS.slice(1)]);

  test('of a path that is lost drops before it takes the class away', () => {
    expect(plan(NORMAL, cut)).toBe(
      `bpf map classes: 10.1.0.2 -> drop  # no path
tc class del dev eth0 classid 4e46:2  # destination is gone`,
    );
  });

  test('of a path that comes back makes the class before it is used', () => {
    expect(plan(cut, NORMAL)).toBe(
      `tc class replace dev eth0 parent 4e46: classid 4e46:2 htb rate 128000bit burst 1514  # new destination
tc qdisc replace dev eth0 parent 4e46:2 handle 2: bfifo limit 24224  # from rate, round trip and impairment
bpf map classes: 10.1.0.2 -> 4e46:2  # path is back`,
    );
  });

  test('of giving the interface back', () => {
    expect(plan(NORMAL, untouched('default'))).toBe(
      `bpf map classes: delete 10.1.0.2  # the interface is given back
bpf map classes: delete 10.2.0.1  # the interface is given back
bpf map classes: delete fd00::b  # the interface is given back
bpf map classes: delete 10.2.0.9  # the interface is given back
ip link set dev eth0 gso_max_segs most  # the interface is given back
tc qdisc del dev eth0 root  # the interface is given back`,
    );
  });

  test('of giving back what was never taken is empty', () => {
    expect(plan(untouched('fq_codel'), untouched('default'))).toBe('');
  });

  test('is empty for the same state, in whatever order its maps are', () => {
    const turned = state([...CLASSES].reverse(), [...TARGETS].reverse());
    expect(plan(NORMAL, turned)).toBe('');
    expect(formatState(NORMAL)).toBe(formatState(turned));
  });
});

describe('a burst read back from the kernel', () => {
  // At 12.5 GB/s a tick of 64 ns is 800 bytes.
  const fast: ShapedClass = { ...shaped(3, 12_500_000_000), burstBytes: 25_000_000 };
  const readBack = (burstBytes: number): string =>
    plan(state([{ ...fast, burstBytes }], []), state([fast], []));

  test('is the same when it differs by less than a tick', () => {
    expect(readBack(25_000_800)).toBe('');
    expect(readBack(24_999_200)).toBe('');
  });

  test('is another when it differs by more', () => {
    expect(readBack(25_000_802)).toContain('burst 25000000');
    expect(readBack(24_999_198)).toContain('burst 25000000');
  });
});

const MORE_LINKS = [2, 5].map((furtherLinks) => ({ furtherLinks, furtherRate: 1_000_000 }));
const MINORS = [1, 2, 3, 4, 5, 0xffff];
const arbitraryOwnState = fc
  .record({
    gsoSegments: fc.integer({ min: 1, max: 44 }),
    classifier: fc.boolean(),
    classes: fc.uniqueArray(
      fc.record({
        minor: fc.constantFrom(...MINORS),
        bytesPerSecond: fc.constantFrom(1, 1000, 16_000, 12_500_000, 12_500_000_000),
        burstBytes: fc.constantFrom(1514, 25_000, 25_000_000),
        queue: fc.oneof(
          fc.record({
            kind: fc.constantFrom('bfifo' as const, 'pfifo' as const),
            limit: fc.constantFrom(50, 24_224, 1_125_000),
          }),
          fc
            .record({
              kind: fc.constant('netem' as const),
              limit: fc.constantFrom(50, 24_224),
              latencyNs: fc.constantFrom(0, 10_000_000),
              jitterNs: fc.constantFrom(0, 1_500_250),
              distribution: fc.constantFrom('normal' as const, 'pareto' as const, 'none' as const),
              loss: fc.constantFrom(0, 0.5),
              slowest: fc.constantFrom(0, 1_000_000),
              ...{ slots: fc.constantFrom(undefined, '1 2'), corrupt: fc.constantFrom(undefined, 0.5) },
              further: fc.constantFrom({}, { furtherLinks: 1, furtherRate: 9 }, ...MORE_LINKS),
            })
            .map(({ further, ...queue }) => ({ ...queue, ...further })),
        ),
        bufferBytes: fc.constantFrom(0, 302_800),
      }),
      { selector: ({ minor }) => minor },
    ),
    pointers: fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 6 }),
    skipped: fc.nat(3),
  })
  .map(({ gsoSegments, classifier, classes, pointers, skipped }): InterfaceState => {
    const minors = classes.map(({ minor }) => minor);
    const targets = pointers.map((pointer, index): [string, number] => {
      const none = pointer === undefined || minors.length === 0;
      return [`10.0.0.${index + skipped}`, none ? NO_PATH : minors[pointer % minors.length]!];
    });
    return {
      foreignRoot: undefined,
      classifier,
      gsoSegments,
      classes: new Map(classes.map((one) => [one.minor, one])),
      targets: new Map(targets),
    };
  });
const arbitraryState = fc.oneof(
  { weight: 5, arbitrary: arbitraryOwnState },
  { weight: 1, arbitrary: fc.constantFrom('none', 'noqueue', 'fq_codel').map((kind) => untouched(kind)) },
);
/** What desired states are: netfold's own are complete. */
const arbitraryDesired = arbitraryState.map((one) =>
  one.foreignRoot === undefined ? { ...one, classifier: true } : one,
);

describe('between any two states', () => {
  test('the plan leads from one to the other, and from there nothing is left to do', () => {
    fc.assert(
      fc.property(arbitraryState, arbitraryDesired, (installed, desired) => {
        const reached = applyToState(installed, planTc(installed, desired));
        expect(planTc(reached, desired)).toEqual([]);
        if (desired.foreignRoot !== undefined) {
          expect({ ...reached, foreignRoot: 'any' }).toEqual(untouched('any'));
        } else {
          expect({ ...reached, classes: [...reached.classes.keys()].sort() }).toEqual({
            ...desired,
            classes: [...desired.classes.keys()].sort(),
          });
        }
      }),
      { seed: 8, numRuns: 1000 },
    );
  });

  test('each step is possible when its turn comes', () => {
    fc.assert(
      fc.property(arbitraryState, arbitraryDesired, (installed, desired) => {
        let now = installed;
        for (const op of planTc(installed, desired)) {
          expect(refusalOf(now, op), op.op).toBeUndefined();
          now = applyToState(now, [op]);
        }
      }),
      { seed: 9, numRuns: 1000 },
    );
  });

  test('no target ever points to a class without its queue', () => {
    fc.assert(
      fc.property(arbitraryState, arbitraryOwnState, (installed, desired) => {
        let now = installed;
        for (const op of planTc(installed, desired)) {
          now = applyToState(now, [op]);
          // The next step gives it another.
          if (op.op === 'delete-queue') continue;
          for (const minor of now.targets.values())
            if (minor !== NO_PATH) expect(now.classes.get(minor)?.queue.limit).toBeGreaterThan(0);
        }
      }),
      { seed: 10, numRuns: 1000 },
    );
  });

  test('every step has a reason, and a line of its own', () => {
    fc.assert(
      fc.property(arbitraryState, arbitraryDesired, (installed, desired) => {
        const ops = planTc(installed, desired);
        const lines = ops.length === 0 ? [] : formatPlan('veth7', ops).split('\n');
        expect(lines).toHaveLength(ops.length);
        for (const line of lines)
          expect(line).toMatch(/^(tc .* dev veth7 |ip .* dev veth7 |bpf map ).* {2}# \S+/);
      }),
      { seed: 11 },
    );
  });
});

test('the plan of a change is that of the whole, where the change says all that is different', () => {
  fc.assert(
    fc.property(arbitraryOwnState, arbitraryOwnState, (installed, desired) => {
      const change: InterfaceChange = {
        gsoSegments: desired.gsoSegments,
        classes: [...desired.classes.values()],
        targets: desired.targets,
        goneClasses: [...installed.classes.keys()].filter((minor) => !desired.classes.has(minor)),
        goneTargets: [...installed.targets.keys()].filter((target) => !desired.targets.has(target)),
      };
      const own = { ...installed, classifier: true };
      const steps = (ops: readonly TcOp[]): unknown[] => ops.map(({ reason: _, ...op }) => op);
      expect(steps(planChange(own, change))).toEqual(steps(planTc(own, desired)));
      const nothing = { ...change, classes: [], targets: new Map(), goneClasses: [], goneTargets: [] };
      expect(planChange(desired, nothing)).toEqual([]);
    }),
    { seed: 12 },
  );
});
