import type { Format } from '../../model/format.ts';
import { looksLikeGml } from '../../syntax/gml.ts';

export const gml: Format = {
  name: 'GML',
  detect: { ending: /\.gml$/i, anyEnding: { test: looksLikeGml } },
  reader: async () => {
    const { parseGmlGraph } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseGmlGraph(text, file, name, findings);
  },
};
