/** The numbers of an option such as `--nodes 500,1000`. Pure. */
import { BenchError } from './errors.ts';

/** `undefined` if it isn't given. Throws `SIZES_WRONG`. */
export function parseSizes(text: string | undefined, what: string): number[] | undefined {
  if (text === undefined) return undefined;
  return text.split(',').map((part) => {
    const size = Number(part);
    if (part.trim() !== '' && Number.isInteger(size) && size > 1) return size;
    const message = `--${what} ${text}: "${part}" is no whole number above 1`;
    throw new BenchError('SIZES_WRONG', message, `write e.g. --${what} 20,50`);
  });
}
