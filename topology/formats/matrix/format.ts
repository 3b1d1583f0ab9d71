import type { Format } from '../../model/format.ts';

export const matrix: Format = {
  name: 'latency matrix',
  // Its content is that of any table.
  detect: { ending: /\.csv$/i },
  reader: async () => {
    const { parseMatrix } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseMatrix(text, file, name, findings);
  },
};
