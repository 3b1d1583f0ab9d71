import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CommandJournal } from '../../../agent/control/command-journal.ts';
import { type Command, MAX_ALL_COMMANDS } from '../../../proto/command.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-journal-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const command = (number: number, more: Partial<Command> = {}): Command => ({
  ...{ origin: 'host3', incarnation: 1234, number, issuedAt: 5, at: 17, text: 'heal' },
  ...more,
});

/** Where it has room. */
const none = (): never[] => [];

test('gives what was written, to the journal that comes next', () => {
  const journal = new CommandJournal(folder, 'host3');
  expect(journal.read()).toEqual([]);
  const all = [command(1, { until: 99, text: 'set a--b latency=1ms' }), command(2), command(3)];
  journal.append(all.slice(0, 2), () => all);
  journal.append(all.slice(2), () => all);
  expect(new CommandJournal(folder, 'host3').read()).toEqual(all);
  expect(new CommandJournal(folder, 'host4').read()).toEqual([]);
});

test('a line that a kill has cut off is left out, and those after it are not', () => {
  const journal = new CommandJournal(folder, 'host3');
  journal.append([command(1)], none);
  appendFileSync(join(folder, 'host3.commands'), '{"origin":"host3","incarn');
  journal.append([command(2)], none);
  expect(journal.read()).toEqual([command(1), command(2)]);
});

test('a line that no agent would take from another one is left out', () => {
  const journal = new CommandJournal(folder, 'host3');
  journal.append([command(1, { at: 4 }), command(0), command(2)], none);
  expect(journal.read()).toEqual([command(2)]);
});

test('does not grow for ever: it is written anew with what there is', () => {
  const journal = new CommandJournal(folder, 'host3');
  const all = Array.from({ length: MAX_ALL_COMMANDS }, (_, at) =>
    command(at + 1, { text: 'set a--b latency=1ms' }),
  );
  const lines = (): string[] => readFileSync(join(folder, 'host3.commands'), 'utf8').split('\n');
  for (let round = 0; round < 2; round++) journal.append(all, none);
  expect(lines()).toHaveLength(2 * MAX_ALL_COMMANDS + 1);
  journal.append([command(9)], () => [command(8), command(9)]);
  expect(journal.read()).toEqual([command(8), command(9)]);
  expect(lines()).toHaveLength(3);
  journal.append([command(10)], none);
  expect(journal.read()).toEqual([command(8), command(9), command(10)]);
});
