/** The contract of every `TcPort`: run against the fake in test/unit/, and against the kernel in test/kernel/. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { burstBytes } from '../../../agent/enforce/derive.ts';
import {
  type InterfaceState,
  type LeafQueue,
  type NetemQueue,
  NO_PATH,
  type ShapedClass,
  untouched,
} from '../../../agent/enforce/interface-state.ts';
import { planTc } from '../../../agent/enforce/plan.ts';
import type { FailedOp, TcPort } from '../../../agent/enforce/ports.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';

export interface OpenedTc {
  readonly tc: TcPort;
  /** With an IPv4 and an IPv6 address, and an untouched interface. */
  readonly endpoint: LocalEndpoint;
  close(): void | Promise<void>;
}

const shaped = (minor: number, bitsPerSecond: number, changes: Partial<ShapedClass> = {}): ShapedClass => ({
  minor,
  bytesPerSecond: bitsPerSecond / 8,
  burstBytes: burstBytes(bitsPerSecond / 8),
  queue: { kind: 'bfifo', limit: 24_224 + minor },
  bufferBytes: 0,
  ...changes,
});

function desired(
  gsoSegments: number,
  classes: readonly ShapedClass[],
  targets: readonly (readonly [string, number])[],
): InterfaceState {
  return {
    foreignRoot: undefined,
    classifier: true,
    gsoSegments,
    classes: new Map(classes.map((one) => [one.minor, one])),
    targets: new Map(targets),
  };
}

/** From the slowest to the fastest rate, on both sides of what 32 bits of bytes per second hold. */
const WIDE = desired(
  3,
  [
    shaped(1, 8),
    shaped(2, 8e3),
    shaped(0x1f4, 128e3, { queue: { kind: 'pfifo', limit: 200 } }),
    shaped(4, 100e6),
    shaped(5, 34_359_738_360),
    shaped(6, 34_359_738_368),
    shaped(0xffff, 100e9),
  ],
  [
    ['10.2.0.1', 2],
    ['10.2.0.2', 0xffff],
    ['fd00:2::2', 0xffff],
    ['10.2.0.3', NO_PATH],
  ],
);

const NETEM: NetemQueue = {
  kind: 'netem',
  limit: 10_417,
  latencyNs: 10_000_000,
  jitterNs: 0,
  distribution: 'none',
  loss: 0,
  slowest: 0,
};
const JITTERY: NetemQueue = { ...NETEM, jitterNs: 1_500_250, distribution: 'pareto' };
const IMPAIRED: readonly [string, ShapedClass[]][] = [
  ['a link of 8 Mb/s', [shaped(7, 8e6, { queue: { ...NETEM, slowest: 1_000_000 }, bufferBytes: 500_000 })]],
  ...[1, 2, 5].map((furtherLinks): [string, ShapedClass[]] => [
    `links of ${furtherLinks} Mb/s that follow`,
    [
      shaped(7, 8e6, {
        queue: { ...NETEM, slowest: 1_000_000, furtherLinks, furtherRate: 125_000 * furtherLinks },
        bufferBytes: 500_000,
      }),
    ],
  ]),
  [
    'a link of 8 Mb/s in cells',
    [shaped(7, 8e6, { queue: { ...NETEM, slowest: 1_000_000, framing: '18 48 5' }, bufferBytes: 500_000 })],
  ],
  ['a latency', [shaped(7, 100e6, { queue: NETEM, bufferBytes: 500_000 })]],
  [
    'another latency',
    [shaped(7, 100e6, { queue: { ...NETEM, latencyNs: 7_000_001_000 }, bufferBytes: 500_000 })],
  ],
  ['a jitter', [shaped(7, 100e6, { queue: JITTERY, bufferBytes: 500_000 })]],
  [
    'its distribution',
    [shaped(7, 100e6, { queue: { ...JITTERY, distribution: 'uniform' }, bufferBytes: 500_000 })],
  ],
  [
    'a loss',
    [shaped(7, 100e6, { queue: { ...NETEM, loss: 43_000_000 / 0xffffffff }, bufferBytes: 500_000 })],
  ],
  ['a limit', [shaped(7, 100e6, { queue: { ...NETEM, limit: 9 }, bufferBytes: 500_000 })]],
  ['no delay any more', [shaped(7, 100e6)]],
  ['no limit', [shaped(7, 1e12, { queue: NETEM })]],
];

/** `netem`: whether this kernel has it. */
export function tcPortContract(open: () => OpenedTc, netem: boolean): void {
  let opened: OpenedTc;
  let tc: TcPort;
  let endpoint: LocalEndpoint;

  beforeEach(() => {
    opened = open();
    ({ tc, endpoint } = opened);
    tc.attach(endpoint);
  });

  afterEach(async () => {
    tc.detach(endpoint);
    await opened.close();
  });

  const become = (state: InterfaceState): FailedOp[] => tc.apply(endpoint, planTc(tc.read(endpoint), state));
  const missing = (state: InterfaceState): unknown[] => planTc(tc.read(endpoint), state);

  test("an untouched interface has a root of the kernel's, and nothing of netfold's", () => {
    const state = tc.read(endpoint);
    expect(['none', 'noqueue', 'pfifo_fast', 'fq_codel', 'fq', 'mq']).toContain(state.foreignRoot);
    expect(state).toMatchObject({ classifier: false, classes: new Map(), targets: new Map() });
  });

  test('what is applied is read back, at every rate', () => {
    expect(become(WIDE)).toEqual([]);
    expect(missing(WIDE)).toEqual([]);
    const { classes, targets, gsoSegments } = tc.read(endpoint);
    expect(gsoSegments).toBe(3);
    expect([...targets].sort()).toEqual([...WIDE.targets].sort());
    for (const [minor, { bytesPerSecond, queue }] of WIDE.classes)
      expect(classes.get(minor)).toMatchObject({ minor, bytesPerSecond, queue });
    expect(classes.size).toBe(WIDE.classes.size);
  });

  describe('a change takes effect, and leaves the rest', () => {
    const [slowest, slow, packets, ...others] = [...WIDE.classes.values()] as [
      ShapedClass,
      ShapedClass,
      ShapedClass,
      ...ShapedClass[],
    ];
    const targets = [...WIDE.targets];
    test.each([
      ['a rate', desired(3, [{ ...slowest, bytesPerSecond: 77 }, slow, packets, ...others], targets)],
      ['a burst', desired(3, [slowest, { ...slow, burstBytes: 4542 }, packets, ...others], targets)],
      [
        'the length of a queue',
        desired(3, [slowest, slow, { ...packets, queue: { kind: 'pfifo', limit: 7 } }, ...others], targets),
      ],
      [
        'the kind of a queue',
        desired(
          3,
          [slowest, slow, { ...packets, queue: { kind: 'bfifo', limit: 9999 } }, ...others],
          targets,
        ),
      ],
      ['a destination that is gone', desired(3, [slowest, packets, ...others], targets.slice(1))],
      [
        'a path that is lost',
        desired(3, [slowest, packets, ...others], [['10.2.0.1', NO_PATH], ...targets.slice(1)]),
      ],
      [
        'a new destination',
        desired(3, [...WIDE.classes.values(), shaped(9, 5e6)], [...targets, ['10.2.0.9', 9]]),
      ],
      ['the GSO size', desired(1, [...WIDE.classes.values()], targets)],
      ['an overhead', desired(3, [{ ...slowest, overheadBytes: 24 }, slow, packets, ...others], targets)],
      [
        'cells',
        desired(3, [slowest, { ...slow, overheadBytes: 18, inCells: true }, packets, ...others], targets),
      ],
      ['an MTU', desired(3, [slowest, { ...slow, mtu: 1400 }, packets, ...others], targets)],
      [
        'rules',
        desired(3, [slowest, { ...slow, rules: 'drop 3rd only syn:80' }, packets, ...others], targets),
      ],
      [
        'other rules',
        desired(3, [slowest, { ...slow, rules: 'drop 3rd only syn:80; drop only icmp' }, ...others], targets),
      ],
    ])('%s', (_, changed) => {
      become(WIDE);
      expect(missing(changed)).not.toEqual([]);
      expect(become(changed)).toEqual([]);
      expect(missing(changed)).toEqual([]);
      expect(missing(WIDE)).not.toEqual([]);
      expect(become(WIDE)).toEqual([]);
      expect(missing(WIDE)).toEqual([]);
    });
  });

  test('so is how they are managed', () => {
    const managed = (aqm: string | undefined, rate = 1e6): InterfaceState =>
      desired(
        3,
        [shaped(7, rate, { bufferBytes: 500_000, ...(aqm !== undefined && { aqm }) })],
        [['10.2.0.7', 7]],
      );
    const red = 'red min=5packets max=15packets probability=10% weight=0.002';
    const states = [
      managed(red),
      managed(`${red} ecn`),
      managed('codel target=5ms interval=100ms'),
      managed(undefined),
    ];
    for (const state of [...states, ...states]) {
      expect(missing(state)).not.toEqual([]);
      expect(become(state)).toEqual([]);
      expect(missing(state)).toEqual([]);
    }
    become(managed(red));
    become(managed(red, 2e6));
    expect(missing(managed(red, 2e6))).toEqual([]);
  });

  test('buffers are read back, and a change of rate or room is a change', () => {
    const buffered = (rate: number, room: number): InterfaceState =>
      desired(3, [shaped(7, rate, { bufferBytes: room }), shaped(8, 5e6)], [['10.2.0.7', 7]]);
    const states = [
      buffered(100e6, 500_000),
      buffered(1e6, 500_000),
      buffered(1e6, 24_224),
      buffered(1e6, 0),
    ];
    for (const state of [...states, ...states]) {
      expect(missing(state)).not.toEqual([]);
      expect(become(state)).toEqual([]);
      expect(missing(state)).toEqual([]);
    }
  });

  test('parts of a class that rules limit are set, changed and taken back, and nothing is left of them', () => {
    const limited = (rate: number, ...limits: readonly (readonly [number, LeafQueue])[]): InterfaceState => {
      const own = limits.map(([bitsPerSecond, queue]) => {
        const bytesPerSecond = bitsPerSecond / 8;
        return { bytesPerSecond, burstBytes: burstBytes(bytesPerSecond), queue };
      });
      const rules = limits.map(([bitsPerSecond]) => `limit ${bitsPerSecond}bps only udp`).join('; ');
      const one = shaped(7, rate, own.length > 0 ? { rules, limits: own } : {});
      return desired(3, [one, shaped(8, 5e6)], [['10.2.0.7', 7]]);
    };
    const fifo = (limit: number): LeafQueue => ({ kind: 'bfifo', limit });
    const states = [
      limited(20e6, [1e6, fifo(30_000)]),
      limited(20e6, [1e6, fifo(40_000)], [2e6, fifo(30_000)], [40e9, fifo(1e6)]),
      limited(10e6, [500e3, fifo(40_000)], [2e6, fifo(30_000)], [4e6, fifo(30_000)]),
      limited(10e6, [8, fifo(30_000)]),
      limited(10e6),
      ...(netem ? [limited(10e6, [1e6, NETEM], [2e6, fifo(30_000)]), limited(10e6, [1e6, NETEM])] : []),
    ];
    for (const before of states) {
      for (const state of states) {
        expect(become(before)).toEqual([]);
        expect(become(state)).toEqual([]);
        expect(missing(state)).toEqual([]);
        expect(missing(before).length > 0).toBe(before !== state);
      }
    }
    become(states[1]!);
    expect(become(desired(3, [shaped(8, 5e6)], []))).toEqual([]);
    expect(missing(desired(3, [shaped(8, 5e6)], []))).toEqual([]);
    expect([...tc.read(endpoint).classes.keys()]).toEqual([8]);
  });

  if (netem) {
    test.each(IMPAIRED)('netem with %s is set, read back, and replaced by any other', (_, classes) => {
      const state = desired(1, classes, [['10.2.0.7', 7]]);
      for (const [, others] of IMPAIRED) {
        become(desired(1, others, [['10.2.0.7', 7]]));
        expect(become(state)).toEqual([]);
        expect(missing(state)).toEqual([]);
        expect(missing(desired(1, others, [['10.2.0.7', 7]])).length > 0).toBe(others !== classes);
      }
    });
  }

  test('a step that fails is given back with its reason, and those after it are carried out', () => {
    become(desired(3, [shaped(2, 8e3)], []));
    const failed = tc.apply(endpoint, [
      { op: 'set-queue', minor: 77, queue: { kind: 'bfifo', limit: 5000 }, reason: 'there is no such class' },
      { op: 'set-class', shaped: shaped(2, 16e3), reason: 'comes later' },
      { op: 'delete-class', minor: 78, reason: 'there is none either' },
    ]);
    expect(failed.map(({ op }) => op.op)).toEqual(['set-queue', 'delete-class']);
    for (const { error } of failed) expect(error.message).not.toBe('');
    expect(tc.read(endpoint).classes.get(2)?.bytesPerSecond).toBe(2000);
  });

  test('an interface that is given back is as it was', () => {
    const { foreignRoot, gsoSegments } = tc.read(endpoint);
    become(WIDE);
    expect(become(untouched('any', gsoSegments))).toEqual([]);
    expect(tc.read(endpoint)).toMatchObject({
      foreignRoot,
      gsoSegments,
      classifier: false,
      classes: new Map(),
      targets: new Map(),
    });
  });

  test('what another agent left is seen, but not where its destinations led', () => {
    become(WIDE);
    tc.detach(endpoint);
    tc.attach(endpoint);
    const state = tc.read(endpoint);
    expect(state).toMatchObject({ foreignRoot: undefined, classifier: true });
    expect(state.classes.size).toBe(WIDE.classes.size);
    expect(state.targets.size).toBe(0);
  });
}
