import type { Format } from '../../model/format.ts';
import { rootName } from '../../syntax/xml.ts';
import { parseGraphml } from './parse.ts';

export const graphml: Format = {
  name: 'GraphML',
  detect: {
    ending: /\.graphml$/i,
    anyEnding: { test: (text) => /^(?:\w+:)?graphml$/.test(rootName(text) ?? '') },
  },
  parse: ({ file, text }, { name }, findings) => parseGraphml(text, file, name, findings),
};
