import type { Format } from '../../model/format.ts';

export const brite: Format = {
  name: 'BRITE',
  detect: {
    ending: /\.brite$/i,
    anyEnding: { test: (text) => /^\s*Topology: \( \d+ Nodes, \d+ Edges \)/.test(text) },
  },
  reader: async () => {
    const { parseBrite } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseBrite(text, file, name, findings);
  },
};
