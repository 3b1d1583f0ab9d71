import type { Format } from '../../model/format.ts';
import { parseBrite } from './parse.ts';

export const brite: Format = {
  name: 'BRITE',
  detect: {
    ending: /\.brite$/i,
    anyEnding: { test: (text) => /^\s*Topology: \( \d+ Nodes, \d+ Edges \)/.test(text) },
  },
  parse: ({ file, text }, { name }, findings) => parseBrite(text, file, name, findings),
};
