import type { Format } from '../../model/format.ts';
import { rootName } from '../../syntax/xml-root.ts';

export const coreXml: Format = {
  name: 'CORE XML',
  // Its files end in .xml, as those of others do.
  detect: {
    ending: /\.core\.xml$/i,
    anyEnding: { test: (text) => rootName(text) === 'scenario' && /<(?:devices|networks)[\s/>]/.test(text) },
  },
  reader: async () => {
    const { parseCoreXml } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseCoreXml(text, file, name, findings);
  },
};
