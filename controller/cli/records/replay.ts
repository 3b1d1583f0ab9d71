/** `netfold replay`: a recorded run once more, with the same events and what was done by hand at the same times. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { fromMillis, micros, parseDuration, toMillis } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { ControllerError } from '../../errors.ts';
import { controlAgents } from '../../experiment/control.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { commandsOf, type GivenCommand, lineOf } from '../../record/by-hand.ts';
import type { Description } from '../../record/description.ts';
import { findRecord, nameOfRecord } from '../../record/folders.ts';
import { readRecord } from '../../record/read.ts';
import { addLabOptions, durationOption, type UpOptions, up } from '../commands/up.ts';
import { addRecordOptions } from '../options/record-options.ts';
import { step, warn } from '../terminal/output.ts';
import { warnOfEdits } from './export.ts';

interface ReplayOptions extends UpOptions {
  readonly edit?: boolean;
}

const HELP = `
  netfold replay lab                  the last run of lab again, for as long as it took
  netfold replay lab --edit           change what was done by hand first, in $EDITOR
  netfold replay lab --name again --duration 1m

The emulated hosts are as many as they were. A run on interfaces needs the same --at.`;

export function addReplayCommand(program: Command): void {
  const command = addRecordOptions(addLabOptions(program.command('replay <record>')))
    .description('run a record again: the same topology, events, and commands at their times')
    .addOption(durationOption())
    .option('--edit', 'open the commands in $EDITOR before')
    .addHelpText('after', HELP)
    .action(async (given: string, options: ReplayOptions) => {
      const isDefault = command.getOptionValueSource('hosts') === 'default';
      await replay(findRecord(given), options, isDefault);
    });
}

async function replay(folder: string, options: ReplayOptions, isHostsDefault: boolean): Promise<void> {
  const { description, events, lastMs } = readRecord(folder);
  const [file, script] = description.topology.texts.map((name) => join(folder, name));
  warnOfEdits(folder, description);
  const recorded = commandsOf(events);
  const commands = options.edit ? edited(recorded) : recorded;
  const lab = {
    ...options,
    name: options.name ?? description.experiment,
    duration: options.duration ?? fromMillis(lastMs),
    ...(script !== undefined && { events: script }),
    ...(isHostsDefault && isLab(description) && { hosts: description.hosts.length }),
  };
  step(`${nameOfRecord(folder)} again, with ${count(commands.length, 'command')} given by hand`);
  await up(file!, lab, (experiment) => give(experiment, commands));
}

const isLab = ({ platform }: Description): boolean => platform === 'lab';

/** All of them now, each for its own instant. */
async function give({ name }: Experiment, commands: readonly GivenCommand[]): Promise<void> {
  for (const { text, atMs, untilMs } of commands) {
    const during = untilMs === null ? {} : { during: fromMillis(untilMs - atMs) };
    try {
      await controlAgents(name, undefined, { text, at: fromMillis(atMs), ...during });
    } catch (error) {
      warn(`not replayed: ${text}: ${(error as Error).message}`);
    }
  }
}

/** What the user makes of them in an editor, one a line. Throws `ControllerError` (`REPLAY_LINE`). */
function edited(commands: readonly GivenCommand[]): GivenCommand[] {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-replay-'));
  const file = join(folder, 'commands.txt');
  try {
    writeFileSync(file, [...commands.map(lineOf), ''].join('\n'));
    const editor = process.env.VISUAL || process.env.EDITOR || 'vi';
    const words = ['-c', `${editor} "$1"`, 'sh', file];
    const { status, error } = spawnSync('/bin/sh', words, { stdio: 'inherit' });
    if (status !== 0)
      throw new ControllerError(
        'REPLAY_LINE',
        `${editor} ended with ${error?.message ?? status}, so nothing is replayed`,
        'EDITOR names another program',
      );
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        line.trim() === '' || line.trim().startsWith('#') ? [] : [parsed(line, index + 1)],
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const AT = /^\s*at\s+(\S+)\s+(\S.*)$/;
const WINDOW = /^\s*from\s+(\S+)\s+to\s+(\S+)\s+(\S.*)$/;

function parsed(line: string, number: number): GivenCommand {
  try {
    const window = WINDOW.exec(line);
    if (window) return { atMs: millis(window[1]!), untilMs: millis(window[2]!), text: window[3]! };
    const at = AT.exec(line);
    if (at) return { atMs: millis(at[1]!), untilMs: null, text: at[2]! };
  } catch (error) {
    throw wrongLine(line, number, (error as Error).message);
  }
  throw wrongLine(line, number, 'write `at 10s COMMAND` or `from 10s to 20s COMMAND`');
}

const millis = (text: string): number => toMillis(micros(parseDuration(text)));

const wrongLine = (line: string, number: number, remedy: string): ControllerError =>
  new ControllerError(
    'REPLAY_LINE',
    `line ${number} of the commands, ${JSON.stringify(line)}, is none`,
    remedy,
  );
