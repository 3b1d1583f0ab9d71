/** Whether a run is recorded, and where its record is afterwards. */
import type { Command } from 'commander';
import { nameOfRecord } from '../../record/folders.ts';
import { step } from '../terminal/output.ts';

export function addRecordOptions(command: Command): Command {
  return command
    .option(
      '--record <folder>',
      'keep the record of the run there (default: among those of `netfold records`)',
    )
    .option('--no-record', 'keep no record of the run');
}

/** How to look at the record that a run has left. */
export function tellRecord(record: string | undefined): void {
  if (record !== undefined) step(`its record: netfold records show ${nameOfRecord(record)}`);
}
