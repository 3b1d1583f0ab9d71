import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandSet } from '../../../../agent/mesh/members/command-set.ts';
import { EMPTY_DIGEST } from '../../../../agent/mesh/wire/digest.ts';
import { type Command, foldHorizon, MAX_COMMANDS } from '../../../../proto/command.ts';

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

describe('what is left out as old', () => {
  /** All but the last of those with one text that are over. */
  const leftOut = (commands: readonly Command[]): Command[] => {
    const horizon = foldHorizon(commands);
    const old = commands.filter(({ at }) => at <= horizon).sort((a, b) => a.at - b.at);
    return old.filter((one, index) => old.slice(index + 1).some(({ text }) => text === one.text));
  };
  const given = (number: number, text: string): Command =>
    command(number, { issuedAt: number * 1e6, at: number * 1e6, text });
  const all = Array.from({ length: 300 }, (_, at) => given(at + 1, at % 3 === 0 ? 'x' : 'y'));

  test('goes when later ones are taken, and the digest with it', () => {
    const set = new CommandSet(leftOut);
    const heard: number[] = [];
    set.onChange((added) => heard.push(...added.map(({ number }) => number)));
    for (const one of all) set.take([one]);
    expect(heard).toHaveLength(300);
    // Accepted up to 300 s: what was over by 240 s.
    expect(set.all().map(({ number }) => number)).toEqual([
      ...[238, 240],
      ...Array.from({ length: 60 }, (_, at) => 241 + at),
    ]);
    expect(set.digest).toEqual(setOf(...set.all()).digest);
  });

  test('is left out again where another agent still has it', () => {
    const set = new CommandSet(leftOut);
    set.take(all);
    const { digest, version } = set;
    set.take(all.slice(0, 100));
    expect(set.digest).toEqual(digest);
    expect(set.version).toBe(version);
  });

  test('makes room for others', () => {
    const set = new CommandSet(leftOut);
    const many = Array.from({ length: MAX_COMMANDS }, (_, at) => ({
      ...given(at + 1, 'x'),
      issuedAt: 0,
      at: 1,
    }));
    set.take(many);
    expect(set.size).toBe(MAX_COMMANDS);
    expect(set.hasRoom({ ...given(5000, 'x'), issuedAt: 60e6 })).toBe(false);
    const later = { ...given(5000, 'x'), issuedAt: 71e6, at: 71e6 };
    expect(set.hasRoom(later)).toBe(true);
    set.take([later]);
    expect(set.size).toBe(2);
  });

  test('agents that receive the same, in any order and parts, have the same', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: 300, maxLength: 300 }), fc.nat(300), (heard, cut) => {
        const [one, other] = [new CommandSet(leftOut), new CommandSet(leftOut)];
        one.take(heard.slice(0, cut));
        one.take(heard.slice(cut));
        for (const each of heard.toReversed()) other.take([each]);
        expect(other.digest).toEqual(one.digest);
      }),
      { seed: 5, numRuns: 20 },
    );
  });
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
    expect(one.hasRoom(command(1, { origin: 'b', author: 'Pliar' }))).toBe(false);
    expect(one.hasRoom(command(1, { origin: 'a', author: 'P' }))).toBe(true);
  });

  test('does not keep anybody from heal, reset and quit', () => {
    const set = setOf(...flood);
    expect(set.hasRoom(command(1, { origin: 'liar', text: 'set a--b latency=1ms' }))).toBe(false);
    expect(set.hasRoom(command(1, { origin: 'a', text: 'set a--b latency=1ms' }))).toBe(true);
    for (const [at, text] of ['heal', 'reset', 'quit', 'heal a--b'].entries()) {
      expect(set.hasRoom(command(1, { origin: 'liar', text }))).toBe(true);
      set.take([command(at + 1, { text })]);
    }
    expect(set.size).toBe(MAX_COMMANDS + 4);
  });
});
