import type { Format } from '../../model/format.ts';
import { rootName } from '../../syntax/xml-root.ts';

/** Its root has a common name, hence also what is in it. */
function looksLikeSndlib(text: string): boolean {
  return /^(?:\w+:)?network$/.test(rootName(text) ?? '') && /<(?:\w+:)?networkStructure[\s/>]/.test(text);
}

export const sndlib: Format = {
  name: 'SNDlib XML',
  // Its files end in .xml, as those of others do.
  detect: { ending: /\.sndlib\.xml$/i, anyEnding: { test: looksLikeSndlib } },
  reader: async () => {
    const { parseSndlib } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseSndlib(text, file, name, findings);
  },
};
