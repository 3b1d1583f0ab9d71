import type { Format } from '../../model/format.ts';
import { parseSndlibNative } from './parse.ts';

export const sndlibNative: Format = {
  name: 'SNDlib native',
  detect: {
    ending: /\.sndlib(?:\.txt)?$/i,
    anyEnding: { test: (text) => /^\s*\?SNDlib native format/.test(text) },
  },
  parse: ({ file, text }, { name }, findings) => parseSndlibNative(text, file, name, findings),
};
