import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandsFromWire, commandsToWire } from '../../../agent/mesh/wire/command-codec.ts';
import {
  type Command,
  commandKey,
  commandSchema,
  compareCommands,
  compareIssue,
  MAX_ALL_COMMANDS,
  MAX_COMMAND_BYTES,
  wrongCommand,
  wrongTime,
} from '../../../proto/command.ts';
import { MAX_DURATION } from '../../../proto/units.ts';

const COMMAND: Command = {
  ...{ origin: 'host0', incarnation: 1_700_000_000_000, number: 1 },
  ...{ issuedAt: 5, at: 17, until: 20, text: 'heal' },
};

const WRONG: readonly (readonly [Partial<Command>, string])[] = [
  [{ origin: '' }, 'origin ""'],
  [{ origin: 'a b' }, 'origin "a b"'],
  [{ origin: 'o'.repeat(65) }, `origin "${'o'.repeat(65)}"`],
  [{ incarnation: 0 }, 'incarnation 0'],
  [{ incarnation: 1.5 }, 'incarnation 1.5'],
  [{ number: 0 }, 'number 0'],
  [{ number: 2 ** 32 }, 'number 4294967296'],
  [{ issuedAt: -1 }, 'issued_at -1'],
  [{ issuedAt: MAX_DURATION + 1 }, `issued_at ${MAX_DURATION + 1}`],
  [{ at: 4 }, 'at 4, issued at 5'],
  [{ at: MAX_DURATION + 1 }, `at ${MAX_DURATION + 1}, issued at 5`],
  [{ until: 17 }, 'until 17, at 17'],
  [{ until: MAX_DURATION + 1 }, `until ${MAX_DURATION + 1}, at 17`],
  [{ author: 'no peer id' }, 'author "no peer id"'],
  [{ author: '1'.repeat(129) }, `author "${'1'.repeat(129)}`],
  [{ signature: 'AAAA' }, 'signature "AAAA"'],
  [{ text: '' }, 'text ""'],
  [{ text: 'heal\nheal' }, 'text "heal\\nheal"'],
  [{ text: '\ud800' }, 'text "\\ud800"'],
  [{ text: 'é'.repeat(MAX_COMMAND_BYTES / 2 + 1) }, `text "${'é'.repeat(79)}`],
];

describe('the fields of a command', () => {
  test('are all right', () => {
    const { until: _, ...endless } = COMMAND;
    const signature = Buffer.alloc(64, 255).toString('base64');
    for (const command of [
      COMMAND,
      endless,
      { ...COMMAND, author: '12D3KooW', signature },
      { ...COMMAND, text: 'é'.repeat(MAX_COMMAND_BYTES / 2) },
    ]) {
      expect(wrongCommand(command)).toBeUndefined();
      expect(commandSchema.parse(JSON.parse(JSON.stringify(command)))).toEqual(command);
      expect(commandsFromWire(commandsToWire([command]))).toEqual([command]);
    }
  });

  test.each(WRONG)('%o: refused from a file and from the wire alike', (part, field) => {
    const command = { ...COMMAND, ...part };
    expect(wrongCommand(command)).toBe(field.slice(0, field.indexOf(' ') + 1 + 80));
    expect(commandSchema.safeParse(command).success).toBe(false);
    expect(commandsFromWire(commandsToWire([command]))).toEqual({
      rejected: 'COMMAND_FIELD',
      reason: wrongCommand(command),
    });
  });

  test.each([null, undefined, 'heal', 7, [], {}, { ...COMMAND, at: '17' }, { ...COMMAND, text: undefined }])(
    '%o is none',
    (value) => expect(commandSchema.safeParse(value).success).toBe(false),
  );

  test('too many are refused, whatever they are', () => {
    const many = Array<Command>(MAX_ALL_COMMANDS + 1).fill(COMMAND);
    expect(commandsFromWire(commandsToWire(many))).toMatchObject({ rejected: 'TOO_MANY_COMMANDS' });
  });

  test('the times of what is only played may be later', () => {
    const late = { issuedAt: 0, at: MAX_DURATION + 1 };
    expect(wrongTime(late)).toBe('at');
    expect(wrongTime(late, Number.MAX_SAFE_INTEGER)).toBeUndefined();
    expect(wrongTime({ issuedAt: Number.NaN, at: Number.NaN })).toBe('issuedAt');
    expect(wrongTime({ issuedAt: 3, at: 2 })).toBe('early');
  });
});

describe('the orders of commands', () => {
  const small = fc.integer({ min: 1, max: 3 });
  const word = fc.constantFrom('a', 'b', 'B');
  const commands = fc.array(
    fc.record({
      ...{ origin: word, incarnation: small, number: small, issuedAt: small, at: small, text: word },
      author: word,
      until: fc.option(small, { nil: undefined }),
    }) as fc.Arbitrary<Command>,
    { minLength: 2, maxLength: 8 },
  );

  test.each([
    [
      'in which they take effect',
      compareCommands,
      (one: Command): unknown => [commandKey(one), one.at, one.issuedAt],
    ],
    [
      'in which they were accepted',
      compareIssue,
      (one: Command): unknown => ({ ...one, until: one.until ?? 0 }),
    ],
  ])('the one %s is total, and does not depend on how they came', (_, compare, identity) => {
    fc.assert(
      fc.property(commands, (some) => {
        const sorted = some.toSorted(compare).map(identity);
        expect(some.toReversed().toSorted(compare).map(identity)).toEqual(sorted);
        for (const a of some)
          for (const b of some)
            expect(compare(a, b) === 0).toBe(JSON.stringify(identity(a)) === JSON.stringify(identity(b)));
      }),
      { seed: 3 },
    );
  });

  test('accepted first is not due first', () => {
    const later = { ...COMMAND, issuedAt: 6, at: 16 };
    expect(compareCommands(COMMAND, later)).toBeGreaterThan(0);
    expect(compareIssue(COMMAND, later)).toBeLessThan(0);
  });
});
