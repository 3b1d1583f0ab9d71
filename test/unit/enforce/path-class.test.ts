import { describe, expect, test } from 'vitest';
import { NO_PATH } from '../../../agent/enforce/interface-state.ts';
import type { Destination } from '../../../agent/enforce/path-class.ts';
import { planTc } from '../../../agent/enforce/plan.ts';
import { formatPlan } from '../../../agent/enforce/plan-text.ts';
import { impairment } from '../../../proto/impairment.ts';
import { bps, micros, nanosPerByte, ratio, UNLIMITED } from '../../../proto/units.ts';
import type { Path } from '../../../topology/model/model.ts';
import { desiredInterface } from '../../support/desired-interface.ts';
import { formatState } from '../../support/fakes/fake-tc.ts';

function path(bandwidth: number, changes: Partial<Path> = {}): Path {
  return {
    from: 0,
    to: 1,
    ...impairment({ latency: micros(10e3), bandwidth: bps(bandwidth) }),
    hops: 2,
    links: [0, 1],
    ...changes,
  };
}

/** 100 Mb/s with a round trip of 30 ms. */
function destination(changes: Partial<Destination> = {}): Destination {
  return {
    number: 4,
    addresses: ['10.2.0.3'],
    path: path(100e6),
    rttMicros: micros(30e3),
    rateBps: changes.path?.bandwidth ?? 100e6,
    ...changes,
  };
}

const shown = (...destinations: Destination[]): string[] =>
  formatState(desiredInterface(destinations, 'elsewhere')).split('\n');

/** The lines that a change of the destination gives instead of others. */
function effect(changes: Partial<Destination>): string[] {
  const before = shown(destination());
  return shown(destination(changes)).filter((line) => !before.includes(line));
}

test('a destination has a class of its own, and its address leads there', () => {
  expect(shown(destination())).toEqual([
    'class 4e46:5 rate 100000000bit burst 25000 bfifo limit 500000',
    'filter bpf netfold',
    'gso_max_segs 8',
    'qdisc htb 4e46:',
    'target 10.2.0.3 4e46:5',
  ]);
});

describe('every field has its effect', () => {
  test('aqm: a buffer of the classifier, with room for it, and frames one by one', () => {
    const aqm = 'red min=200packets max=600packets probability=10% weight=0.002';
    expect(effect({ path: path(100e6, { aqm }) })).toEqual([
      `class 4e46:5 rate 100000000bit burst 25000 bfifo limit 4133600 buffer 1816800 ${aqm}`,
      'gso_max_segs 1',
    ]);
    const own = { aqm: 'codel target=5ms interval=100ms', queuePackets: 100 };
    expect(effect({ path: path(100e6, own) })[0]).toContain('bfifo limit 802800 buffer 151400 codel');
  });

  test('number: the class', () => {
    expect(effect({ number: 65534 })).toEqual([
      'class 4e46:ffff rate 100000000bit burst 25000 bfifo limit 500000',
      'target 10.2.0.3 4e46:ffff',
    ]);
  });

  test('addresses: one target each, of both families', () => {
    expect(effect({ addresses: ['10.2.0.3', 'fd00::3'] })).toEqual(['target fd00::3 4e46:5']);
    expect(shown(destination({ addresses: [] })).filter((line) => line.startsWith('target'))).toEqual([]);
  });

  test('round trip: the queue', () => {
    expect(effect({ rttMicros: micros(70e3) })).toEqual([
      'class 4e46:5 rate 100000000bit burst 25000 bfifo limit 1000000',
    ]);
  });

  test("rate: rate and burst, but neither the queue nor the GSO size, which are the path's", () => {
    expect(effect({ rateBps: 17_777_777 })).toEqual([
      'class 4e46:5 rate 17777776bit burst 4445 bfifo limit 500000',
    ]);
  });

  test('bandwidth of the path: the queue and the GSO size', () => {
    expect(effect({ path: path(40e6), rateBps: 100e6 })).toEqual([
      'class 4e46:5 rate 100000000bit burst 25000 bfifo limit 200000',
      'gso_max_segs 3',
    ]);
  });

  test("the user's queue in bytes means bytes", () => {
    expect(effect({ path: path(100e6, { queueBytes: 64_000 }) })).toEqual([
      'class 4e46:5 rate 100000000bit burst 25000 bfifo limit 64000',
      'gso_max_segs 1',
    ]);
  });

  test("the user's queue wins", () => {
    expect(effect({ path: path(100e6, { queuePackets: 200 }) })).toEqual([
      'class 4e46:5 rate 100000000bit burst 25000 pfifo limit 200',
      // It counts packets, so each is one frame.
      'gso_max_segs 1',
    ]);
  });
});

test('paths without a limit get no class, and no target', () => {
  expect(shown(destination({ path: path(UNLIMITED), rateBps: UNLIMITED }))).toEqual([
    'filter bpf netfold',
    'gso_max_segs 44',
    'qdisc htb 4e46:',
  ]);
});

test('what the topology has no path to is dropped, at all of its addresses', () => {
  const unreachable = destination({ path: undefined, rateBps: 0, addresses: ['10.2.0.3', 'fd00::3'] });
  expect(shown(unreachable)).toEqual([
    'filter bpf netfold',
    'gso_max_segs 44',
    'qdisc htb 4e46:',
    'target 10.2.0.3 drop',
    'target fd00::3 drop',
  ]);
});

test('a share of next to nothing is one byte per second, not none', () => {
  expect(effect({ rateBps: 0 })).toEqual(['class 4e46:5 rate 8bit burst 274 bfifo limit 500000']);
});

test('the slowest path bounds the GSO size of all, the others keep their own rates', () => {
  const slow = destination({ number: 0, addresses: ['10.1.0.1'], path: path(128e3) });
  const unlimited = destination({ number: 7, addresses: ['10.3.0.1'], path: path(UNLIMITED) });
  const unreachable = destination({ number: 8, addresses: ['10.3.0.2'], path: undefined, rateBps: 0 });
  expect(shown(destination(), slow, unlimited, unreachable)).toEqual([
    'class 4e46:1 rate 128000bit burst 1514 bfifo limit 24224',
    'class 4e46:5 rate 100000000bit burst 25000 bfifo limit 500000',
    'filter bpf netfold',
    'gso_max_segs 1',
    'qdisc htb 4e46:',
    'target 10.1.0.1 4e46:1',
    'target 10.2.0.3 4e46:5',
    'target 10.3.0.2 drop',
  ]);
  expect(NO_PATH).not.toBe(0xffff);
});

test('100 Gb/s at 600 ms fits', () => {
  expect(effect({ path: path(100e9), rttMicros: micros(600e3) })).toEqual([
    'class 4e46:5 rate 100000000000bit burst 25000000 bfifo limit 2147483647',
    'gso_max_segs 44',
  ]);
});

describe('with netem in the queues', () => {
  const inQueues = (...destinations: Destination[]): string[] =>
    formatState(desiredInterface(destinations, 'in-queues')).split('\n');
  const change = (changes: Partial<Destination>): string[] => {
    const before = inQueues(destination());
    return inQueues(destination(changes)).filter((line) => !before.includes(line));
  };

  test('latency is in the queue, and the room for waiting in the buffer', () => {
    expect(inQueues(destination())).toEqual([
      // 12.5 MB/s for 10 ms and 500,000 bytes, 60 bytes each.
      'class 4e46:5 rate 100000000bit burst 25000 netem limit 10417 delay 10000000ns loss 0% buffer 500000',
      'filter bpf netfold',
      'gso_max_segs 8',
      'qdisc htb 4e46:',
      'target 10.2.0.3 4e46:5',
    ]);
  });

  test('jitter is in it, with its distribution', () => {
    expect(change({ path: path(100e6, { jitter: micros(1500.25) }) })[0]).toContain(
      'delay 10000000ns 1500250ns distribution normal loss 0%',
    );
    const skewed = path(100e6, { jitter: micros(1500), distribution: 'pareto' });
    expect(change({ path: skewed })[0]).toContain('1500000ns distribution pareto');
  });

  test('loss is in it, and makes every packet one frame', () => {
    const [shapedClass, gso] = change({ path: path(100e6, { loss: ratio(0.025) }) });
    expect(shapedClass).toMatch(/loss 2\.(49999|50000)\d*% buffer 500000$/);
    expect(gso).toBe('gso_max_segs 1');
  });

  test('a two-state model takes independent loss in, exactly', () => {
    const [shaped, gso] = change({
      path: path(100e6, { loss: ratio(0.5), lossModel: 'gilbert-elliott p=50% r=25% h=50% k=100%' }),
    });
    const [half, quarter] = [2 ** 31, 2 ** 30];
    expect(shaped).toContain(`loss gemodel ${half} ${quarter} ${quarter} ${half}`);
    expect(gso).toBe('gso_max_segs 1');
  });

  test('a four-state model takes it as loss of single packets', () => {
    const [shaped] = change({
      path: path(100e6, { loss: ratio(0.5), lossModel: 'markov p13=50% p31=50% p32=25% p23=100%' }),
    });
    const [half, quarter] = [2 ** 31, 2 ** 30];
    expect(shaped).toContain(`loss state ${half} ${half} ${quarter} ${quarter} 4294967295`);
  });

  test('corruption, reordering and slots are in it', () => {
    const changed = path(100e6, { corrupt: ratio(1), reorder: ratio(1), slots: '2ms..4ms' });
    expect(change({ path: changed })).toEqual([
      'class 4e46:5 rate 100000000bit burst 25000 netem limit 10417 delay 10000000ns loss 0% corrupt 100% reorder 100% slot 2000000ns 4000000ns buffer 500000',
      'gso_max_segs 1',
    ]);
  });

  describe('transmission: the slowest link’s in the first queue, the others’ in queues within it', () => {
    const links = (...megabits: number[]): string => {
      const bytes = megabits.map((one) => 8000 / one);
      const transmission = nanosPerByte(bytes.reduce((sum, one) => sum + one, 0));
      const spacing = nanosPerByte(Math.max(...bytes));
      const [shaped] = change({ path: path(Math.min(...megabits) * 1e6, { transmission, spacing }) });
      return /rate \d+bit(?: within.*)? buffer/.exec(shaped!.replace(/^.*netem/, ''))![0];
    };
    test.each([
      [[10], 'rate 10000000bit buffer'],
      [[10, 40], 'rate 10000000bit within 1 at 40000000bit buffer'],
      [[10, 40, 40], 'rate 10000000bit within 1 at 20000000bit buffer'],
      // In two queues of 13.3 Mb/s: one of 6.7 would bound the path.
      [[10, 20, 10], 'rate 10000000bit within 2 at 13333336bit buffer'],
      [[10, 10, 10, 10], 'rate 10000000bit within 3 at 10000000bit buffer'],
      [Array(20).fill(10), 'rate 10000000bit within 5 at 10000000bit buffer'],
      // 8 µs for a full frame.
      [[10, 1500], 'rate 10000000bit buffer'],
    ])('%j Mb/s', (megabits, expected) => {
      expect(links(...megabits)).toBe(expected);
    });
  });

  test('jitter of the shape of samples', () => {
    const own = path(100e6, { jitter: micros(1500), quantiles: '1 2 3 4 5 6 7 8' });
    expect(change({ path: own })[0]).toContain('1500000ns distribution of the user');
  });

  test("the user's queue is the buffer, in full frames", () => {
    expect(change({ path: path(100e6, { queuePackets: 200 }) })).toEqual([
      'class 4e46:5 rate 100000000bit burst 25000 netem limit 7130 delay 10000000ns loss 0% buffer 302800',
      'gso_max_segs 1',
    ]);
  });

  test('a share changes the rate alone', () => {
    expect(change({ rateBps: 17_777_777 })).toEqual([
      'class 4e46:5 rate 17777776bit burst 4445 netem limit 10417 delay 10000000ns loss 0% buffer 500000',
    ]);
  });

  test('a path that only limits keeps its plain queue', () => {
    expect(change({ path: path(100e6, { latency: micros(0) }) })).toEqual([
      'class 4e46:5 rate 100000000bit burst 25000 bfifo limit 500000',
    ]);
  });

  test('a path with latency and no limit gets a class that is never full', () => {
    expect(change({ path: path(UNLIMITED), rateBps: UNLIMITED })).toEqual([
      'class 4e46:5 rate 1000000000000bit burst 250000000 netem limit 1000000 delay 10000000ns loss 0%',
      'gso_max_segs 44',
    ]);
    const direct = path(UNLIMITED, { latency: micros(0) });
    expect(change({ path: direct, rateBps: UNLIMITED })).toEqual(['gso_max_segs 44']);
  });
});

describe('an overhead', () => {
  const framed = (overhead: string, bandwidth = 10e6): Path =>
    path(bandwidth, { overhead, transmission: nanosPerByte(800), spacing: nanosPerByte(800) });
  const desired = (one: Path, where: 'in-queues' | 'elsewhere') =>
    desiredInterface([destination({ path: one })], where);

  test('is added by the class to each packet, which is one frame then', () => {
    const { classes, gsoSegments } = desired(framed('ethernet'), 'elsewhere');
    expect(gsoSegments).toBe(1);
    expect(classes.get(5)).toMatchObject({ bytesPerSecond: 1_250_000, overheadBytes: 24, bufferBytes: 0 });
    expect(classes.get(5)).not.toHaveProperty('inCells');
    expect(desired(framed('atm'), 'elsewhere').classes.get(5)).toMatchObject({
      overheadBytes: 18,
      inCells: true,
    });
    expect(desired(path(10e6), 'elsewhere').classes.get(5)).not.toHaveProperty('overheadBytes');
  });

  test('with netem is added by the buffer and by the slowest link, too', () => {
    const own = { ...framed('atm'), queueBytes: 151_400 };
    const { bufferBytes, queue } = desired(own, 'in-queues').classes.get(5)!;
    expect(bufferBytes).toBe(100 * 32 * 53);
    expect(queue).toMatchObject({ kind: 'netem', slowest: 1_250_000, framing: '18 48 5' });
    expect(desired(framed('38 bytes'), 'in-queues').classes.get(5)!.queue).toMatchObject({
      framing: '38 0 0',
    });
  });

  test('that changes is a step of its own', () => {
    const ops = planTc(desired(framed('ethernet'), 'elsewhere'), desired(framed('atm'), 'elsewhere'));
    expect(formatPlan('eth0', ops)).toMatch(/burst \d+ overhead 18 linklayer atm {2}# was overhead 24/);
    expect(planTc(desired(framed('atm'), 'elsewhere'), desired(framed('atm'), 'elsewhere'))).toEqual([]);
  });
});

describe('rules', () => {
  const ruled = (rules: string) =>
    desiredInterface([destination({ path: path(10e9, { rules }) })], 'elsewhere');

  test('are of the class, which a path without a limit has, too', () => {
    const narrow = ruled('drop only icmp');
    expect(narrow.classes.get(5)).toMatchObject({ rules: 'drop only icmp' });
    const free = path(UNLIMITED, { rules: 'reset' });
    const state = desiredInterface([destination({ path: free, rateBps: UNLIMITED })], 'elsewhere');
    expect(state.classes.get(5)).toMatchObject({ rules: 'reset', queue: { kind: 'bfifo' } });
    const plain = desiredInterface([destination({ path: path(10e9) })], 'elsewhere');
    expect(formatPlan('eth0', planTc(narrow, plain))).toMatch(/# rules were: drop only icmp$/);
    expect(formatPlan('eth0', planTc(plain, narrow))).toMatch(
      /bpf map rules: drop only icmp {2}# rules were: none$/,
    );
  });

  test.each([
    ['drop 10% only tcp:80', true],
    ['drop every 10th', true],
    ['drop 3rd except icmp', true],
    ['drop 3rd only syn:80', false],
    ['drop 1% only udp, icmp', false],
    ['drop 1% except tcp', false],
    ['drop only tcp', false],
    ['reset; delay 5ms only tcp', false],
  ])('%s sees each frame of TCP by itself: %s', (rules, isSingle) => {
    const plain = desiredInterface([destination({ path: path(10e9) })], 'elsewhere').gsoSegments;
    expect(plain).toBeGreaterThan(1);
    expect(ruled(rules).gsoSegments).toBe(isSingle ? 1 : plain);
  });
});

describe('an MTU', () => {
  test('is of the class, which a path without a limit has, too', () => {
    const narrow = desiredInterface([destination({ path: path(10e6, { mtu: 1400 }) })], 'elsewhere');
    expect(narrow.classes.get(5)).toMatchObject({ mtu: 1400 });
    const free = path(UNLIMITED, { mtu: 1400 });
    const state = desiredInterface([destination({ path: free, rateBps: UNLIMITED })], 'elsewhere');
    expect(state.classes.get(5)).toMatchObject({
      mtu: 1400,
      bytesPerSecond: 125e9,
      queue: { kind: 'bfifo' },
    });
    const wide = desiredInterface([destination({ path: path(10e6) })], 'elsewhere');
    expect(formatPlan('eth0', planTc(narrow, wide))).toMatch(/# MTU was 1400$/);
    expect(formatPlan('eth0', planTc(wide, narrow))).toMatch(/bpf map classes: MTU 1400 {2}# MTU was any$/);
  });
});
