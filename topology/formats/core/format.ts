import type { Format } from '../../model/format.ts';
import { rootName } from '../../syntax/xml.ts';
import { parseCoreXml } from './parse.ts';

export const coreXml: Format = {
  name: 'CORE XML',
  // Its files end in .xml, as those of others do.
  detect: {
    ending: /\.core\.xml$/i,
    anyEnding: { test: (text) => rootName(text) === 'scenario' && /<(?:devices|networks)[\s/>]/.test(text) },
  },
  parse: ({ file, text }, { name }, findings) => parseCoreXml(text, file, name, findings),
};
