import type { Format } from '../../model/format.ts';

/** Keys at the top of the file and below. netfold's own files have services at the top. */
function looksLikeContainerlab(text: string): boolean {
  return /^topology\s*:/m.test(text) && /^[ \t]+nodes\s*:/m.test(text) && !/^services\s*:/m.test(text);
}

export const containerlab: Format = {
  name: 'containerlab',
  detect: { ending: /\.clab\.ya?ml$/i, anyEnding: { test: looksLikeContainerlab } },
  reader: async () => {
    const { parseContainerlab } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseContainerlab(text, file, name, findings);
  },
};
