import type { Format } from '../../model/format.ts';

export const imn: Format = {
  name: 'CORE .imn',
  detect: {
    ending: /\.imn$/i,
    content: /^(?:#.*\r?\n|[ \t]*\r?\n)*(?:comments|node n\d+|link l\d+|canvas c\d+|option [a-z]+) \{/,
  },
  reader: async () => {
    const { parseImn } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseImn(text, file, name, findings);
  },
};
