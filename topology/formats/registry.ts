/** All formats of topology files. A new format is a folder here, and a line in `FORMATS`. */
import type { Format, TextFile } from '../model/format.ts';
import { kollaps } from './kollaps/format.ts';
import { native } from './native/format.ts';
import { thunderstorm } from './thunderstorm/format.ts';

/** The first format that recognises a file reads it; the last one reads all that none recognises. */
export const FORMATS: readonly Format[] = [kollaps, thunderstorm, native];

/** By the extension of the file's name, otherwise by its content. */
export function formatOf({ file, text }: TextFile, formats = FORMATS): Format {
  return (
    formats.find(({ detect }) => detect.ending.test(file)) ??
    formats.find(({ detect }) => detect.content?.test(text)) ??
    formats.at(-1)!
  );
}
