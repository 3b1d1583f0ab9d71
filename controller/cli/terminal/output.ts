/** The output of the command line: results on stdout, progress and errors on stderr, colours only on terminals. */
import { stderr, stdout } from 'node:process';
import { styleText } from 'node:util';
import { NetfoldError } from '../../../proto/errors.ts';
import type { Progress } from '../../progress.ts';
import { hasParent, tellParent } from './parent.ts';
import { ProgressLine, progressText, terminalWriter } from './progress.ts';

type Style = Parameters<typeof styleText>[0];

/** Styled if `stream` is a terminal and NO_COLOR is not set. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = stdout): string {
  return styleText(style, text, { stream });
}

/** A message of a daemon to the command that started it, which has the terminal. */
export interface ProgressMessage {
  readonly progress: string;
}

const tellProgress = (text: string): void => {
  const message: ProgressMessage = { progress: text };
  tellParent(message);
};
const line = new ProgressLine(hasParent ? tellProgress : terminalWriter(stderr), () => performance.now());

/** The progress of the present step; shown briefly, on a terminal only. */
export function progress(how: Progress): void {
  line.show(progressText(how));
}

/** Shows the `progress` of another process. */
export function passOnProgress({ progress: text }: ProgressMessage): void {
  if (text === '') line.clear();
  else line.show(text);
}

export function print(text: string): void {
  line.clear();
  stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** So many characters are written at once. */
const CHUNK = 65_536;

/**
 * Prints a long text as fast as its reader takes it: millions of writes that nobody awaits fill the memory, and a pipe
 * refuses them in the end. Returns early if the reader has gone.
 */
export async function printPieces(pieces: Iterable<string>): Promise<void> {
  line.clear();
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK) continue;
    if (!(await written(chunk))) return;
    chunk = '';
  }
  await written(chunk);
}

export function* linesOf(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

/** Resolves when its reader has taken it; to false if the reader has gone, or stdout is full. */
export function printBytes(bytes: Uint8Array): Promise<boolean> {
  line.clear();
  return written(bytes);
}

const written = (text: string | Uint8Array): Promise<boolean> =>
  new Promise((resolve) => stdout.write(text, (error) => resolve(!error)));

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** One line of progress, on stderr so that results can be piped. */
export function step(text: string): void {
  line.clear();
  stderr.write(`${styled('dim', '•', stderr)} ${text}\n`);
}

export function warn(text: string): void {
  line.clear();
  stderr.write(`${styled('yellow', 'warning:', stderr)} ${text}\n`);
}

/** Prints the message and the remedy; a stack only for internal errors. */
export function printError(error: unknown): void {
  line.clear();
  if (error instanceof NetfoldError) {
    stderr.write(`${styled('red', 'netfold:', stderr)} ${error.message}\n`);
    if (error.remedy !== undefined) stderr.write(`  ${styled('dim', '→', stderr)} ${error.remedy}\n`);
    return;
  }
  stderr.write(
    `${styled('red', 'netfold: this is a bug in netfold:', stderr)} ${(error as Error)?.stack ?? String(error)}\n`,
  );
}

/** Rows under a heading, with columns as wide as needed; numbers are aligned to the right. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[] = [],
): string {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        numeric.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [styled('bold', line(heading)), ...rows.map(line)].join('\n');
}
