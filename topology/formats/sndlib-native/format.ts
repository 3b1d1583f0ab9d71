import type { Format } from '../../model/format.ts';

export const sndlibNative: Format = {
  name: 'SNDlib native',
  detect: {
    ending: /\.sndlib(?:\.txt)?$/i,
    anyEnding: { test: (text) => /^\s*\?SNDlib native format/.test(text) },
  },
  reader: async () => {
    const { parseSndlibNative } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseSndlibNative(text, file, name, findings);
  },
};
