import type { Format } from '../../model/format.ts';

export const miniEdit: Format = {
  name: 'Mininet MiniEdit',
  detect: {
    ending: /\.mn(?:\.json)?$/i,
    anyEnding: {
      test: (text) =>
        /^\s*\{/.test(text) && ['hosts', 'switches', 'links'].every((key) => text.includes(`"${key}":`)),
    },
  },
  reader: async () => {
    const { parseMiniEdit } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseMiniEdit(text, file, name, findings);
  },
};
