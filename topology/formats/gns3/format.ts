import type { Format } from '../../model/format.ts';
import { parseGns3 } from './parse.ts';

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
  parse: ({ file, text }, { name }, findings) => parseGns3(text, file, name, findings),
};
