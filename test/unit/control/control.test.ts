import { beforeEach, describe, expect, test } from 'vitest';
import { Control, type ControlHost, type ControlPorts } from '../../../agent/control/control.ts';
import type { Command } from '../../../proto/command.ts';
import { NetfoldError } from '../../../proto/errors.ts';

let issued: Command[];
let ports: { -readonly [Key in keyof ControlPorts]: ControlPorts[Key] };
let control: Control;

beforeEach(() => {
  issued = [];
  ports = {
    host: 'b',
    now: () => 2_000_000.4,
    check: () => {},
    issue: (what) => {
      const command = { ...what, origin: 'b', incarnation: 9, number: issued.length + 1 };
      issued.push(command);
      return command;
    },
    history: () => issued.map((command) => ({ command, status: 'pending' as const })),
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
  expect(control.answer()).toMatchObject({ host: 'b', inStep: ['b', 'd'], behind: ['a', 'c'] });
});
