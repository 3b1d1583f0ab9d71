/** All formats of topology files. A new format is a folder here, and a line in `FORMATS`. */
import type { Format, TextFile } from '../model/format.ts';
import { MAX_TEXT_LENGTH } from '../model/limits.ts';
import { brite } from './brite/format.ts';
import { caida } from './caida/format.ts';
import { compose } from './compose/format.ts';
import { containerlab } from './containerlab/format.ts';
import { coreXml } from './core/format.ts';
import { gml } from './gml/format.ts';
import { gns3 } from './gns3/format.ts';
import { graphml } from './graphml/format.ts';
import { gtItm } from './gt-itm/format.ts';
import { imn } from './imn/format.ts';
import { kathara } from './kathara/format.ts';
import { kollaps } from './kollaps/format.ts';
import { matrix } from './matrix/format.ts';
import { miniEdit } from './miniedit/format.ts';
import { native } from './native/format.ts';
import { netlab } from './netlab/format.ts';
import { nodeLink } from './node-link/format.ts';
import { ns2 } from './ns2/format.ts';
import { rocketfuel } from './rocketfuel/format.ts';
import { sndlib } from './sndlib/format.ts';
import { sndlibNative } from './sndlib-native/format.ts';
import { thunderstorm } from './thunderstorm/format.ts';

/** The first format that recognises a file reads it; the last one reads all that none recognises. */
export const FORMATS: readonly Format[] = [
  // Before Kollaps, which takes all that ends in .xml.
  sndlib,
  coreXml,
  kollaps,
  thunderstorm,
  graphml,
  gml,
  // Before node-link JSON, which takes all that has lists of nodes and links.
  miniEdit,
  gns3,
  nodeLink,
  brite,
  caida,
  gtItm,
  sndlibNative,
  rocketfuel,
  kathara,
  imn,
  ns2,
  matrix,
  containerlab,
  netlab,
  compose,
  native,
];

/**
 * By content that one format alone has, then by the ending of the file's name, then by what the content looks like. Files
 * of many programs end in `.xml`, `.json` or `.yml`.
 */
export function formatOf({ file, text: whole }: TextFile, formats = FORMATS): Format {
  // Longer files are refused, whatever they are.
  const text = whole.slice(0, MAX_TEXT_LENGTH);
  return (
    formats.find(({ detect }) => detect.anyEnding?.test(text)) ??
    formats.find(({ detect }) => detect.ending.test(file)) ??
    formats.find(({ detect }) => detect.content?.test(text)) ??
    formats.at(-1)!
  );
}
