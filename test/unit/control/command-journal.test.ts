import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CommandJournal } from '../../../agent/control/command-journal.ts';
import { type Command, MAX_ALL_COMMANDS, MAX_COMMANDS } from '../../../proto/command.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-journal-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const command = (number: number, more: Partial<Command> = {}): Command => ({
  ...{ origin: 'host3', incarnation: 1234, number, issuedAt: 5, at: 17, text: 'heal' },
  ...more,
});

test('gives what was written, to the journal that comes next', () => {
  const journal = new CommandJournal(folder, 'host3');
  expect(journal.read()).toEqual([]);
  const all = [command(1, { until: 99, text: 'set a--b latency=1ms' }), command(2), command(3)];
  journal.append(all.slice(0, 2));
  journal.append(all.slice(2));
  expect(new CommandJournal(folder, 'host3').read()).toEqual(all);
  expect(new CommandJournal(folder, 'host4').read()).toEqual([]);
});

test('a line that a kill has cut off is left out, and those after it are not', () => {
  const journal = new CommandJournal(folder, 'host3');
  journal.append([command(1)]);
  appendFileSync(join(folder, 'host3.commands'), '{"origin":"host3","incarn');
  journal.append([command(2)]);
  expect(journal.read()).toEqual([command(1), command(2)]);
});

test('a line that no agent would take from another one is left out', () => {
  const journal = new CommandJournal(folder, 'host3');
  journal.append([command(1, { at: 4 }), command(0), command(2)]);
  expect(journal.read()).toEqual([command(2)]);
});

test('does not grow for ever: of what is repeated, and of what does not stay, it drops the lines', () => {
  const journal = new CommandJournal(folder, 'host3');
  const all = Array.from({ length: MAX_ALL_COMMANDS }, (_, at) =>
    command(at + 1, { text: 'set a--b latency=1ms' }),
  );
  for (let round = 0; round < 3; round++) journal.append(all);
  const lines = readFileSync(join(folder, 'host3.commands'), 'utf8').split('\n');
  expect(lines.length).toBeLessThanOrEqual(2 * MAX_ALL_COMMANDS + 1);
  expect(journal.read().slice(0, MAX_COMMANDS)).toEqual(all.slice(0, MAX_COMMANDS));
  journal.append([command(1, { text: 'heal' })]);
  expect(journal.read().at(-1)).toMatchObject({ text: 'heal' });
});
