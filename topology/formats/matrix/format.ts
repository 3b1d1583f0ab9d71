import type { Format } from '../../model/format.ts';
import { parseMatrix } from './parse.ts';

export const matrix: Format = {
  name: 'latency matrix',
  // Its content is that of any table.
  detect: { ending: /\.csv$/i },
  parse: ({ file, text }, { name }, findings) => parseMatrix(text, file, name, findings),
};
