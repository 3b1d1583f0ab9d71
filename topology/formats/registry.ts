/** All formats of topology files. A new format is a folder here, and a line in `FORMATS`. */
import type { Format, TextFile } from '../model/format.ts';
import { brite } from './brite/format.ts';
import { compose } from './compose/format.ts';
import { containerlab } from './containerlab/format.ts';
import { gml } from './gml/format.ts';
import { graphml } from './graphml/format.ts';
import { kollaps } from './kollaps/format.ts';
import { matrix } from './matrix/format.ts';
import { native } from './native/format.ts';
import { nodeLink } from './node-link/format.ts';
import { ns2 } from './ns2/format.ts';
import { sndlib } from './sndlib/format.ts';
import { thunderstorm } from './thunderstorm/format.ts';

/** The first format that recognises a file reads it; the last one reads all that none recognises. */
export const FORMATS: readonly Format[] = [
  // Before Kollaps, which takes all that ends in .xml.
  sndlib,
  kollaps,
  thunderstorm,
  graphml,
  gml,
  nodeLink,
  brite,
  ns2,
  matrix,
  containerlab,
  compose,
  native,
];

/**
 * By content that one format alone has, then by the ending of the file's name, then by what the content looks like. Files
 * of many programs end in `.xml`, `.json` or `.yml`.
 */
export function formatOf({ file, text }: TextFile, formats = FORMATS): Format {
  return (
    formats.find(({ detect }) => detect.anyEnding?.test(text)) ??
    formats.find(({ detect }) => detect.ending.test(file)) ??
    formats.find(({ detect }) => detect.content?.test(text)) ??
    formats.at(-1)!
  );
}
