import type { Format } from '../../model/format.ts';
import { parseNative } from './parse.ts';

export const native: Format = {
  name: 'YAML',
  hasVariables: true,
  detect: { ending: /\.ya?ml$/i },
  parse: ({ file, text }, { name, extras }, findings) => parseNative(text, file, name, findings, extras),
};
