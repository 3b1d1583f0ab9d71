import type { Format } from '../../model/format.ts';

export const ns2: Format = {
  name: 'ns-2',
  hasVariables: true,
  detect: {
    ending: /\.(?:ns|tcl)$/i,
    anyEnding: { test: (text) => /^[ \t]*set[ \t]+\S{1,80}[ \t]+\[[ \t]*new[ \t]+Simulator\b/m.test(text) },
  },
  reader: async () => {
    const { parseNs2 } = await import('./parse.ts');
    return ({ file, text }, { name, extras }, findings) =>
      parseNs2(text, file, { name, set: extras?.set ?? new Map() }, findings);
  },
};
