import type { Format } from '../../model/format.ts';

export const gns3: Format = {
  name: 'GNS3',
  detect: {
    ending: /\.gns3$/i,
    anyEnding: {
      test: (text) =>
        /^\s*\{/.test(text) &&
        ['project_id', 'topology', 'node_id'].every((key) => text.includes(`"${key}":`)),
    },
  },
  reader: async () => {
    const { parseGns3 } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseGns3(text, file, name, findings);
  },
};
