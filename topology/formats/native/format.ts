import type { Format } from '../../model/format.ts';
import { parseNative } from './parse.ts';

export const native: Format = {
  name: 'YAML',
  detect: { ending: /\.ya?ml$/i },
  parse: ({ file, text }, { name }, findings) => parseNative(text, file, name, findings),
};
