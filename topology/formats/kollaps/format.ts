import type { Format } from '../../model/format.ts';
import { parseKollaps } from './parse.ts';

export const kollaps: Format = {
  name: 'Kollaps XML',
  detect: { ending: /\.xml$/i, content: /^\s*</ },
  parse: ({ file, text }, { name, populationOf }, findings) =>
    parseKollaps(text, file, name, findings, populationOf),
};
