import type { Format } from '../../model/format.ts';
import { looksLikeGml } from '../../syntax/gml.ts';
import { parseGmlGraph } from './parse.ts';

export const gml: Format = {
  name: 'GML',
  detect: { ending: /\.gml$/i, anyEnding: { test: looksLikeGml } },
  parse: ({ file, text }, { name }, findings) => parseGmlGraph(text, file, name, findings),
};
