import type { Format } from '../../model/format.ts';

export const caida: Format = {
  name: 'CAIDA AS relationships',
  detect: {
    ending: /\.as-rel2?(?:\.txt)?$/i,
    anyEnding: {
      test: (text) => /^(?:#.*\r?\n)*\d{1,10}\|\d{1,10}\|(?:-1|0|1|2)(?:\|[\w,]*)?\s*(?:\n|$)/.test(text),
    },
  },
  reader: async () => {
    const { parseCaida } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseCaida(text, file, name, findings);
  },
};
