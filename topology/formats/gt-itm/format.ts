import type { Format } from '../../model/format.ts';
import { parseGtItm } from './parse.ts';

export const gtItm: Format = {
  name: 'GT-ITM',
  detect: {
    ending: /\.alt$/i,
    anyEnding: { test: (text) => /^\s*GRAPH \(#nodes #edges/.test(text) || /^\* GraphBase graph/.test(text) },
  },
  parse: ({ file, text }, { name }, findings) => parseGtItm(text, file, name, findings),
};
