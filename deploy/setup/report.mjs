// @ts-check
/**
 * How set-up speaks: one line for each thing it does, and errors that name a remedy. Colours only on terminals.
 */

/** The exit code of "this machine can't"; the others are in proto/errors.ts, which an old Node can't read. */
export const EXIT_MACHINE = 3;
export const EXIT_BROKEN = 4;

/** Something that the user, not we, has to change. Its message may have several lines. */
export class SetupError extends Error {
  /**
   * @param {string} message what is wrong and what to do
   * @param {number} [exitCode]
   */
  constructor(message, exitCode = EXIT_MACHINE) {
    super(message);
    this.name = 'SetupError';
    this.exitCode = exitCode;
  }
}

/**
 * @param {{ isTTY?: boolean }} stream
 * @param {Record<string, string | undefined>} env
 * @returns {boolean} whether `stream` may get colours (https://no-color.org: any non-empty value forbids them)
 */
export function mayColour(stream, env) {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

/**
 * @param {string} text
 * @param {number} code of an SGR colour
 */
function paint(text, code) {
  return mayColour(process.stdout, process.env) ? `\u001b[${code}m${text}\u001b[39m` : text;
}

/** @param {string} text what is being done now, and why */
export function sayDoing(text) {
  process.stdout.write(`${paint('•', 36)} ${text}\n`);
}

/** @param {string} text */
export function sayDone(text) {
  process.stdout.write(`${paint('✓', 32)} ${text}\n`);
}

/** @param {string} text */
export function sayFailed(text) {
  process.stdout.write(`${paint('✗', 31)} ${text}\n`);
}

/**
 * @param {number} milliseconds
 * @returns {string} `0.4 s`, `12 s`
 */
export function formatSeconds(milliseconds) {
  const seconds = milliseconds / 1000;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

/**
 * Runs `main` and exits with its result. A `SetupError` is printed as it is; any other error is internal.
 * @param {() => Promise<number>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (error instanceof SetupError) {
      sayFailed(error.message);
      process.exitCode = error.exitCode;
    } else {
      console.error(error);
      process.exitCode = EXIT_BROKEN;
    }
  }
}
