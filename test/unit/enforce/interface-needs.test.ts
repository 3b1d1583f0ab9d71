import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DesiredState } from '../../../agent/enforce/desired-state.ts';
import { InterfaceNeeds } from '../../../agent/enforce/interface-needs.ts';
import type { InterfaceChange, ShapedClass } from '../../../agent/enforce/interface-state.ts';
import { NO_PATH, UNSHAPED } from '../../../agent/enforce/interface-state.ts';
import type { Destination } from '../../../agent/enforce/path-class.ts';
import { impairment } from '../../../proto/impairment.ts';
import { bps, micros, ratio } from '../../../proto/units.ts';
import type { Path } from '../../../topology/model/model.ts';
import { desiredInterface, IN_QUEUE } from '../../support/desired-interface.ts';

const ME = 7;
const NONE = new Map<number, ShapedClass>();

function destination(number: number, mbps: number | undefined, changes: Partial<Path> = {}): Destination {
  const path: Path | undefined =
    mbps === undefined
      ? undefined
      : {
          from: ME,
          to: number,
          ...impairment({ latency: micros(5000), bandwidth: bps(mbps * 1e6) }),
          hops: 1,
          links: [0],
          ...changes,
        };
  return {
    number,
    addresses: [`10.0.0.${number}`, `fd00::${number}`],
    path,
    rttMicros: micros(10_000),
    rateBps: (mbps ?? 0) * 1e6,
  };
}

/** The needs of an interface, and what each edit makes dirty; `undefined`: nothing. */
class Watched {
  readonly needs: InterfaceNeeds;
  readonly #desired = new DesiredState();

  constructor(impairment: keyof typeof IN_QUEUE, adopted: ReadonlyMap<number, ShapedClass>) {
    this.needs = new InterfaceNeeds(ME, this.#desired, IN_QUEUE[impairment], adopted);
    this.#desired.markNothing();
  }

  update(changed: Iterable<Destination>, gone?: Iterable<number>): InterfaceChange | undefined {
    this.needs.update(changed, gone);
    return this.#dirty();
  }

  setFirst(bandwidth: number): InterfaceChange | undefined {
    this.needs.setFirst(bandwidth);
    return this.#dirty();
  }

  #dirty(): InterfaceChange | undefined {
    const change = this.#desired.change!;
    this.#desired.markNothing();
    const { classes, goneClasses, targets, goneTargets } = change;
    const count = classes.length + goneClasses.length + targets.size + goneTargets.length;
    return count === 0 ? undefined : change;
  }
}

const minors = (change: InterfaceChange | undefined): number[] =>
  change?.classes.map(({ minor }) => minor) ?? [];

describe('a change says what is different and no more', () => {
  test('a new destination, the same again, another rate, and one that is not used any more', () => {
    const pairs = new Watched('elsewhere', NONE);
    const first = pairs.update([destination(1, 100), destination(2, 100)]);
    expect(minors(first)).toEqual([2, 3]);
    expect(first?.targets).toEqual(
      new Map([
        ['10.0.0.1', 2],
        ['fd00::1', 2],
        ['10.0.0.2', 3],
        ['fd00::2', 3],
      ]),
    );
    expect(pairs.update([destination(1, 100)])).toBeUndefined();
    const slower = pairs.update([{ ...destination(1, 100), rateBps: 8e6 }, destination(2, 100)]);
    expect(slower?.classes.map(({ minor, bytesPerSecond }) => [minor, bytesPerSecond])).toEqual([[2, 1e6]]);
    const gone = pairs.update([], [1, 4]);
    expect(gone).toMatchObject({
      classes: [],
      goneClasses: [2],
      goneTargets: ['10.0.0.1', 'fd00::1'],
      targets: new Map(),
    });
    expect([pairs.needs.has(1), pairs.needs.has(2), pairs.needs.size]).toEqual([false, true, 1]);
  });

  test('a slow path shortens the packets of all, and gives them back when it goes', () => {
    const pairs = new Watched('elsewhere', NONE);
    expect(pairs.update([destination(1, 1000)])?.gsoSegments).toBe(44);
    const slow = pairs.update([destination(2, 1)]);
    expect([slow?.gsoSegments, minors(slow)]).toEqual([1, [2, 3]]);
    const fast = pairs.update([], [2]);
    expect([fast?.gsoSegments, minors(fast), fast?.goneClasses]).toEqual([44, [2], [3]]);
  });

  test('addresses that are another endpoint’s now are forgotten', () => {
    const pairs = new Watched('elsewhere', NONE);
    pairs.update([destination(1, 100)]);
    const moved = pairs.update([{ ...destination(1, 100), addresses: ['10.0.0.9', 'fd00::1'] }]);
    expect(moved?.goneTargets).toEqual(['10.0.0.1']);
    expect([...moved!.targets.keys()]).toEqual(['10.0.0.9', 'fd00::1']);
  });

  test('a path without limits needs no class, and passes by that of others', () => {
    const pairs = new Watched('elsewhere', NONE);
    pairs.update([destination(1, 100)]);
    const free = pairs.update([destination(1, Number.POSITIVE_INFINITY)]);
    expect(free).toMatchObject({ classes: [], goneClasses: [2] });
    expect(free?.targets.get('10.0.0.1')).toBe(UNSHAPED);
  });
});

describe('the class of a path that is gone', () => {
  test('stays, and only its target changes, there and back', () => {
    const pairs = new Watched('elsewhere', NONE);
    const [before] = pairs.update([destination(1, 100)])!.classes;
    const cut = pairs.update([destination(1, undefined)]);
    expect(cut).toMatchObject({ classes: [before], goneClasses: [] });
    expect([...cut!.targets.values()]).toEqual([NO_PATH, NO_PATH]);
    expect(pairs.update([destination(1, 100)])).toMatchObject({ classes: [before], goneClasses: [] });
    pairs.update([destination(1, undefined)]);
    expect(pairs.update([], [1])?.goneClasses).toEqual([2]);
  });

  test('leaves those of others as they are, also where it was the slowest', () => {
    const pairs = new Watched('elsewhere', NONE);
    pairs.update([destination(1, 1), destination(2, 1000)]);
    expect(minors(pairs.update([destination(1, undefined), destination(2, 1000)]))).toEqual([2]);
    expect(pairs.update([destination(1, undefined)])).toBeUndefined();
    expect(minors(pairs.update([destination(1, 1)]))).toEqual([2]);
  });

  test('stays also where an agent left it that was killed', () => {
    const left = new Watched('elsewhere', NONE).update([destination(1, 100)])!.classes[0]!;
    const pairs = new Watched('elsewhere', new Map([[2, left]]));
    expect(pairs.update([destination(1, undefined), destination(3, undefined)])?.classes).toEqual([left]);
  });
});

test('the first class has the number of the endpoint itself, and stays when it is not needed', () => {
  const pairs = new Watched('elsewhere', NONE);
  expect(pairs.needs.firstMinor).toBe(UNSHAPED);
  expect(pairs.setFirst(Number.POSITIVE_INFINITY)).toBeUndefined();
  expect(pairs.setFirst(80e6)?.classes).toMatchObject([{ minor: ME + 1, bytesPerSecond: 10e6 }]);
  expect(pairs.setFirst(80e6)).toBeUndefined();
  expect(pairs.needs.firstMinor).toBe(ME + 1);
  expect(pairs.setFirst(16e6)?.classes).toMatchObject([{ minor: ME + 1, bytesPerSecond: 2e6 }]);
  expect(pairs.setFirst(Number.POSITIVE_INFINITY)).toBeUndefined();
  expect(pairs.needs.firstMinor).toBe(UNSHAPED);
});

const mbps = fc.constantFrom(1, 10, 500, Number.POSITIVE_INFINITY);
const step = fc.record({
  number: fc.nat(4),
  mbps: fc.option(mbps, { nil: undefined }),
  loss: fc.constantFrom(0, 0.1),
  gone: fc.boolean(),
});

test('all changes together come to what the interface would have had at once', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('in-queues' as const, 'elsewhere' as const),
      fc.array(step, { maxLength: 30 }),
      (impairment, steps) => {
        const pairs = new Watched(impairment, NONE);
        const classes = new Map<number, ShapedClass>();
        const targets = new Map<string, number>();
        const model = new Map<number, Destination>();
        const last = new Map<number, Path>();
        let segments = 44;
        for (const { number, mbps: rate, loss, gone } of steps) {
          const next = destination(number, rate, { loss: ratio(loss) });
          const change = gone ? pairs.update([], [number]) : pairs.update([next]);
          if (gone) {
            model.delete(number);
            last.delete(number);
          } else {
            model.set(number, next);
            if (next.path) last.set(number, next.path);
          }
          if (!change) continue;
          segments = change.gsoSegments;
          for (const minor of change.goneClasses) expect(classes.delete(minor)).toBe(true);
          for (const target of change.goneTargets) expect(targets.delete(target)).toBe(true);
          for (const shaped of change.classes) classes.set(shaped.minor, shaped);
          for (const [target, minor] of change.targets) targets.set(target, minor);
        }
        // Where there is no path any more, packets are as short as if there were.
        const lasting = [...model.values()].map((one) => ({
          ...one,
          path: one.path ?? last.get(one.number),
        }));
        const whole = desiredInterface(model.values(), impairment);
        expect(segments).toBe(desiredInterface(lasting, impairment).gsoSegments);
        if (segments !== whole.gsoSegments) return;
        expect(new Map([...targets].filter(([, minor]) => minor !== UNSHAPED))).toEqual(whole.targets);
        for (const [minor, shaped] of whole.classes) expect(classes.get(minor)).toEqual(shaped);
        for (const minor of classes.keys())
          expect(whole.classes.has(minor) || model.get(minor - 1)?.path === undefined).toBe(true);
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});
