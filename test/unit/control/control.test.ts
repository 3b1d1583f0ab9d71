import { beforeEach, describe, expect, test } from 'vitest';
import { Control, type ControlHost, type ControlPorts } from '../../../agent/control/control.ts';
import type { Command } from '../../../proto/command.ts';
import { NetfoldError } from '../../../proto/errors.ts';

let issued: Command[];
let number: number;
/** Of commands that come from others. */
let revision: number;
let ports: { -readonly [Key in keyof ControlPorts]: ControlPorts[Key] };
let control: Control;

beforeEach(() => {
  issued = [];
  number = 0;
  revision = 0;
  ports = {
    host: 'b',
    now: () => 2_000_000.4,
    check: () => {},
    revision: () => revision,
    ...{ scope: 'here', self: 'Agent', lacking: () => undefined },
    giverOf: ({ author }) => `who has ${author}`,
    place: (what, author) => ({ ...what, origin: 'b', incarnation: 9, number: ++number, author }),
    issue: (what) => ports.give(ports.place(what, 'Agent')),
    give: (command) => {
      issued.push(command);
      return command;
    },
    history: () => issued.map((command) => ({ command, status: 'pending' as const })),
    folded: () => 3,
    hosts: () => [host('a', true), host('b', false, true)],
    silent: () => [],
    longestRoundTrip: () => 0,
  };
  control = new Control(ports);
});

const host = (name: string, inStep: boolean, self = false): ControlHost => ({ name, inStep, self });

describe('a command comes into force', () => {
  test('as soon as all can know of it', () => {
    const { command } = control.accept({ text: 'heal' });
    expect(command).toMatchObject({ text: 'heal', issuedAt: 2_000_000, at: 2_100_000 });
    expect(command).not.toHaveProperty('until');
  });

  test('later where hosts are far apart', () => {
    ports.longestRoundTrip = () => 300_000;
    expect(control.accept({ text: 'heal' }).command!.at).toBe(2_600_000);
  });

  test('at the time and for the duration that the user gives', () => {
    expect(control.accept({ text: 'heal', after: 5_000_000 }).command!.at).toBe(7_000_000);
    expect(control.accept({ text: 'heal', at: 9_000_000, during: 250_000 }).command).toMatchObject({
      at: 9_000_000,
      until: 9_250_000,
    });
  });

  test('not before all can know of it, even if the user asks for it', () => {
    expect(control.accept({ text: 'heal', after: 1 }).command!.at).toBe(2_100_000);
  });
});

describe('is refused, and no agent receives it:', () => {
  const refused = (code: string, request: Parameters<Control['accept']>[0] = { text: 'heal' }): void => {
    expect(() => control.accept(request)).toThrow(expect.objectContaining({ code }));
    expect(issued).toEqual([]);
  };

  test('before the start', () => {
    ports.now = () => undefined;
    refused('NOT_RUNNING');
  });

  test('for a time that is over', () => {
    refused('COMMAND_TIME', { text: 'heal', at: 1_999_999 });
  });

  test('what makes no sense', () => {
    ports.check = ({ text }, now) => {
      throw new NetfoldError({ code: 'NONSENSE', blame: 'input', message: `${text} at ${now}` });
    };
    refused('NONSENSE');
    expect(() => control.accept({ text: 'heal' })).toThrow('heal at 2000000');
  });

  test('by an agent that receives from none of the others', () => {
    ports.hosts = () => [host('b', true, true)];
    ports.silent = () => ['a', 'c'];
    refused('CUT_OFF');
    expect(control.accept({ text: 'heal', alone: true }).behind).toEqual(['a', 'c']);
  });
});

test('an agent that receives from some of the others, or never did from any, is not cut off', () => {
  ports.silent = () => ['c'];
  expect(control.accept({ text: 'heal' }).behind).toEqual(['c']);
  ports.hosts = () => [host('b', true, true)];
  ports.silent = () => [];
  expect(control.accept({ text: 'heal' }).behind).toEqual([]);
});

test('lists the hosts that have it already', () => {
  ports.hosts = () => [host('a', false), host('b', false, true), host('d', true)];
  ports.silent = () => ['c'];
  expect(control.answer()).toMatchObject({ host: 'b', folded: 3, inStep: ['b', 'd'], behind: ['a', 'c'] });
});

describe('a command that somebody else signs', () => {
  const USER = 'User';
  const placed = (text = 'heal') => control.place({ text, author: USER }).command;
  const unplaced = expect.objectContaining({ code: 'COMMAND_UNPLACED' });

  test('gets its place, and is nothing before it comes back', () => {
    expect(control.place({ text: 'heal', author: USER })).toEqual({
      scope: 'here',
      command: {
        ...{ origin: 'b', incarnation: 9, number: 1, author: USER },
        ...{ issuedAt: 2_000_000, at: 2_100_000, text: 'heal' },
      },
    });
    expect(issued).toEqual([]);
    const signed = { ...placed(), signature: 'x' };
    expect(control.give(signed).command).toEqual(signed);
    expect(issued).toEqual([signed]);
    expect(control.answer().history).toMatchObject([{ by: 'who has User' }]);
    expect(() => control.give(signed)).toThrow(unplaced);
  });

  test.each([
    ['text', { text: 'quit' }],
    ['at', { at: 2_100_001 }],
    ['until', { until: 3_000_000 }],
    ['issuedAt', { issuedAt: 1_999_999 }],
    ['number', { number: 7 }],
    ['author', { author: 'Agent' }],
  ])('with another %s is none that was placed', (_, change) => {
    expect(() => control.give({ ...placed(), ...change })).toThrow(unplaced);
    expect(issued).toEqual([]);
  });

  test('is forgotten after ten seconds, and when there are too many', () => {
    const old = placed();
    for (let at = 0; at < 300; at++) placed();
    expect(() => control.give(old)).toThrow(unplaced);
    const late = placed();
    ports.now = () => 12_000_001;
    expect(() => control.give(late)).toThrow(unplaced);
  });

  test('counts although it comes back after its instant', () => {
    const command = placed();
    const checked: number[] = [];
    ports.check = (_, now) => void checked.push(now);
    ports.now = () => 2_500_000;
    revision++;
    control.give(command);
    expect(checked).toEqual([command.at]);
    expect(issued).toEqual([command]);
  });

  test('is checked again where others have come meanwhile, and only there', () => {
    const checked: string[] = [];
    ports.check = ({ text }) => {
      checked.push(text);
      if (revision > 0) throw new NetfoldError({ code: 'NONSENSE', blame: 'input', message: 'by now' });
    };
    const [first, second] = [placed('heal'), placed('reset')];
    expect(checked).toEqual(['heal', 'reset']);
    expect(control.give(first)).toEqual({
      ...{ host: 'b', now: 2_000_000.4, inStep: ['a', 'b'], behind: [] },
      command: first,
    });
    revision++;
    expect(() => control.give(second)).toThrow('by now');
    expect(checked).toEqual(['heal', 'reset', 'reset']);
    expect(issued).toEqual([first]);
  });

  test('is refused before it has a place if its author lacks the right', () => {
    ports.lacking = ({ author, text }) => `${author} may not ${text}`;
    const refused = expect.objectContaining({ code: 'COMMAND_RIGHT', message: 'User may not heal' });
    expect(() => placed()).toThrow(refused);
    expect(number).toBe(0);
    expect(() => control.accept({ text: 'quit' })).toThrow('Agent may not quit');
  });
});
