import type { Format } from '../../model/format.ts';
import { rootName } from '../../syntax/xml-root.ts';

export const graphml: Format = {
  name: 'GraphML',
  detect: {
    ending: /\.graphml$/i,
    anyEnding: { test: (text) => /^(?:\w+:)?graphml$/.test(rootName(text) ?? '') },
  },
  reader: async () => {
    const { parseGraphml } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseGraphml(text, file, name, findings);
  },
};
