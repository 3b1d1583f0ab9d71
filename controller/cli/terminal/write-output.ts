/** The text that a command makes: into a file, or printed. */
import { writeFileSync } from 'node:fs';
import { stdout } from 'node:process';
import { ControllerError } from '../../errors.ts';
import { wholeFile } from '../../whole-file.ts';
import { step } from './output.ts';

/** Throws `ControllerError` (`FILE_UNWRITABLE`). `file`: absent, it is printed. */
export function writeOutput(text: string, file: string | undefined): void {
  if (file === undefined) {
    stdout.write(text);
    return;
  }
  try {
    wholeFile(file, (path) => writeFileSync(path, text));
  } catch (cause) {
    throw new ControllerError(
      'FILE_UNWRITABLE',
      `${file} can't be written: ${(cause as Error).message}`,
      'give a path in a folder that exists and that you may write to',
      cause,
    );
  }
  step(`wrote ${file}`);
}
