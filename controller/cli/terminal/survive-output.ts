/** What happens if output can't be written. */
import { EXIT_CODE, NetfoldError } from '../../../proto/errors.ts';
import { printError } from './output.ts';

/**
 * A reader that has seen enough (`netfold paths FILE | head`), or a terminal that was closed: no failure. A daemon has
 * neither. What is written after a failure has none to be reported.
 */
const NO_READER = new Set(['EPIPE', 'EIO', 'ENXIO', 'ERR_STREAM_DESTROYED']);

/**
 * In any case the command continues and ends as requested: `netfold up` removes its experiment. If stdout is full, that is
 * said once, and the command exits with 3 unless it has failed otherwise. A full stderr can't be reported.
 */
export function surviveOutput(): void {
  let isReported = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (NO_READER.has(error.code ?? '') || isReported) return;
    isReported = true;
    printError(
      new NetfoldError({
        code: 'OUTPUT_UNWRITABLE',
        blame: 'machine',
        message: `what it prints can't be written: ${error.message}`,
        remedy: 'the output is not complete; make room, or write it elsewhere',
      }),
    );
    process.on('exit', (code) => {
      if (code === 0) process.exitCode = EXIT_CODE.machine;
    });
  });
  process.stderr.on('error', () => {});
}
