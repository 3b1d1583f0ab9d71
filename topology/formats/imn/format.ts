import type { Format } from '../../model/format.ts';
import { parseImn } from './parse.ts';

export const imn: Format = {
  name: 'CORE .imn',
  detect: {
    ending: /\.imn$/i,
    content: /^(?:#.*\r?\n|[ \t]*\r?\n)*(?:comments|node n\d+|link l\d+|canvas c\d+|option [a-z]+) \{/,
  },
  parse: ({ file, text }, { name }, findings) => parseImn(text, file, name, findings),
};
