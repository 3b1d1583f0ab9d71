import type { Format } from '../../model/format.ts';

export const kathara: Format = {
  name: 'Kathará',
  detect: {
    ending: /(?:^|[./\\])lab\.conf$/i,
    // A machine's first interface in a collision domain, as the first thing that is said.
    content: /^(?:[ \t]*(?:#.*|LAB_\w+[ \t]*=.*)?\r?\n)*[ \t]*[\w-]+\[(?:\d+|[a-z_]+)\][ \t]*=/,
  },
  reader: async () => {
    const { parseKathara } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseKathara(text, file, name, findings);
  },
};
