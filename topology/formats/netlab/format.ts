import type { Format } from '../../model/format.ts';

/** Nodes and links at the top, and no services: containerlab's stand below `topology`. */
function looksLikeNetlab(text: string): boolean {
  return (
    /^nodes\s*:/m.test(text) && /^links\s*:/m.test(text) && !/^(?:services|topology|bridges)\s*:/m.test(text)
  );
}

export const netlab: Format = {
  name: 'netlab',
  detect: { ending: /\.netlab\.ya?ml$/i, anyEnding: { test: looksLikeNetlab } },
  reader: async () => {
    const { parseNetlab } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseNetlab(text, file, name, findings);
  },
};
