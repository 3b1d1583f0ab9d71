import type { Format } from '../../model/format.ts';

export const gtItm: Format = {
  name: 'GT-ITM',
  detect: {
    ending: /\.alt$/i,
    anyEnding: { test: (text) => /^\s*GRAPH \(#nodes #edges/.test(text) || /^\* GraphBase graph/.test(text) },
  },
  reader: async () => {
    const { parseGtItm } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseGtItm(text, file, name, findings);
  },
};
