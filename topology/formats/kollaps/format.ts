import type { Format } from '../../model/format.ts';

export const kollaps: Format = {
  name: 'Kollaps XML',
  detect: { ending: /\.xml$/i, content: /^\s*</ },
  reader: async () => {
    const { parseKollaps } = await import('./parse.ts');
    return ({ file, text }, { name, populationOf }, findings) =>
      parseKollaps(text, file, name, findings, populationOf);
  },
};
