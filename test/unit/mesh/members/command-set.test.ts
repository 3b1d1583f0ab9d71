import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandSet } from '../../../../agent/mesh/members/command-set.ts';
import { EMPTY_DIGEST } from '../../../../agent/mesh/wire/digest.ts';
import { type Command, MAX_COMMANDS } from '../../../../proto/command.ts';

const command = (number: number, part: Partial<Command> = {}): Command => ({
  origin: 'a',
  incarnation: 5,
  number,
  issuedAt: 10 * number,
  at: 1000 - number,
  text: `text ${number}`,
  ...part,
});

function setOf(...commands: Command[]): CommandSet {
  const set = new CommandSet();
  set.take(commands);
  return set;
}

test('commands are in the order in which they take effect, whatever came first', () => {
  const set = setOf(command(1), command(3), command(2));
  expect(set.all().map(({ number }) => number)).toEqual([3, 2, 1]);
  set.take([command(4, { at: 998.5 })]);
  expect(set.all().map(({ number }) => number)).toEqual([3, 2, 4, 1]);
});

test('listeners receive new commands, once, until they stop', () => {
  const set = new CommandSet();
  const heard: number[][] = [];
  const stop = set.onChange((added) => heard.push(added.map(({ number }) => number)));
  set.take([command(1), command(2)]);
  set.take([command(2), command(3)]);
  set.take([command(1)]);
  expect(set.version).toBe(2);
  stop();
  set.take([command(4)]);
  expect(heard).toEqual([[1, 2], [3]]);
  expect(set.size).toBe(4);
});

describe('the digest', () => {
  test('differs with every field', () => {
    const parts: Partial<Command>[] = [
      ...[{}, { origin: 'b' }, { incarnation: 6 }, { number: 2 }, { issuedAt: 11 }],
      ...[{ at: 1001 }, { until: 2000 }, { until: 2001 }, { text: 'other' }, { author: 'P' }],
    ];
    const digests = parts.map((part) => JSON.stringify(setOf(command(1, part)).digest));
    expect(new Set(digests).size).toBe(parts.length);
  });
  test('of none is the empty one', () => {
    expect(new CommandSet().digest).toEqual(EMPTY_DIGEST);
    expect(setOf(command(1)).isSame(EMPTY_DIGEST)).toBe(false);
  });
});

test('an agent with fewer is not asked, one with as many others or more is', () => {
  const set = setOf(command(1), command(2));
  expect(set.mayGainFrom(setOf(command(3)).digest)).toBe(false);
  expect(set.mayGainFrom(setOf(command(2), command(1)).digest)).toBe(false);
  expect(set.mayGainFrom(setOf(command(1), command(3)).digest)).toBe(true);
  expect(set.mayGainFrom(setOf(command(1), command(2), command(3)).digest)).toBe(true);
});

test('agents that receive the same, in any order and parts, have the same', () => {
  const any = fc.record({
    origin: fc.constantFrom('a', 'b'),
    incarnation: fc.integer({ min: 1, max: 2 }),
    number: fc.integer({ min: 1, max: 3 }),
    issuedAt: fc.nat(3),
    at: fc.integer({ min: 3, max: 5 }),
    until: fc.integer({ min: 6, max: 7 }),
    text: fc.constantFrom('x', 'y'),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 20 }), fc.nat(20), (commands, cut) => {
      const one = setOf(...commands);
      const other = setOf(...commands.slice(cut).reverse());
      other.take(setOf(...commands.slice(0, cut)).all());
      expect(other.all()).toEqual(one.all());
      expect(other.digest).toEqual(one.digest);
    }),
    { seed: 4, numRuns: 500 },
  );
});

test('when there are too many the first that were issued stay, everywhere alike', () => {
  const all = Array.from({ length: MAX_COMMANDS + 20 }, (_, at) => command(at + 1, { at: 1e6 - at }));
  const one = setOf(...all);
  const other = setOf(...all.slice(100));
  expect(other.size).toBe(MAX_COMMANDS - 80);
  const heard: number[] = [];
  other.onChange((added) => heard.push(added.length));
  other.take(all.slice(0, 100));
  expect(other.digest).toEqual(one.digest);
  expect(other.size).toBe(MAX_COMMANDS);
  expect(Math.max(...other.all().map(({ number }) => number))).toBe(MAX_COMMANDS);
  other.take([command(9999)]);
  expect(heard).toEqual([100]);
});

describe('a member that fills the set', () => {
  const flood = Array.from({ length: MAX_COMMANDS + 500 }, (_, at) => ({
    ...command(at + 1, { at: 1, issuedAt: 0 }),
    origin: 'liar',
  }));

  test('drops none of another, whatever times it forges', () => {
    const users = Array.from({ length: 100 }, (_, at) => command(at + 1, { issuedAt: 1e6, at: 2e6 }));
    const [one, other] = [setOf(...flood, ...users), setOf(...users)];
    for (const part of [flood.slice(2000), flood.slice(0, 2500)]) other.take(part);
    const kept = one.all().filter(({ origin }) => origin !== 'liar');
    expect(kept).toHaveLength(100);
    expect(one.size).toBe(MAX_COMMANDS);
    expect(other.digest).toEqual(one.digest);
  });

  test('drops none of another author, in whosever name it is', () => {
    const lies = flood.map((one) => ({ ...one, origin: 'a', author: 'Pliar' }));
    const users = Array.from({ length: 100 }, (_, at) =>
      command(at + 1, { issuedAt: 1e6, at: 2e6, author: 'P' }),
    );
    const [one, other] = [setOf(...lies, ...users), setOf(...users)];
    for (const part of [lies.slice(1500), lies.slice(0, 2500)]) other.take(part);
    expect(one.all().filter(({ author }) => author === 'P')).toHaveLength(100);
    expect(other.digest).toEqual(one.digest);
    expect(one.hasRoom({ origin: 'b', author: 'Pliar', text: 'x' })).toBe(false);
    expect(one.hasRoom({ origin: 'a', author: 'P', text: 'x' })).toBe(true);
  });

  test('does not keep anybody from heal, reset and quit', () => {
    const set = setOf(...flood);
    expect(set.hasRoom({ origin: 'liar', text: 'set a--b latency=1ms' })).toBe(false);
    expect(set.hasRoom({ origin: 'a', text: 'set a--b latency=1ms' })).toBe(true);
    for (const [at, text] of ['heal', 'reset', 'quit', 'heal a--b'].entries()) {
      expect(set.hasRoom({ origin: 'liar', text })).toBe(true);
      set.take([command(at + 1, { text })]);
    }
    expect(set.size).toBe(MAX_COMMANDS + 4);
  });
});
