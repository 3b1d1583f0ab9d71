import type { Format } from '../../model/format.ts';

export const native: Format = {
  name: 'YAML',
  hasVariables: true,
  detect: { ending: /\.ya?ml$/i },
  reader: async (asked) => {
    const plain = asked && (await import('./plain.ts')).plainReader(asked.source, asked.extras);
    if (plain) return plain;
    const { parseNative } = await import('./parse.ts');
    return ({ file, text }, { name, extras }, findings) => parseNative(text, file, name, findings, extras);
  },
};
