import type { Format } from '../../model/format.ts';

/** A graph has lists of nodes and of edges; netfold's own files, of which JSON is a form, have a mapping of services. */
function looksLikeNodeLink(text: string): boolean {
  return (
    /^\s*\{/.test(text) &&
    /"nodes"\s*:\s*\[/.test(text) &&
    /"(?:links|edges)"\s*:\s*\[/.test(text) &&
    !/"services"\s*:\s*\{/.test(text)
  );
}

export const nodeLink: Format = {
  name: 'node-link JSON',
  // Other JSON is read as YAML is.
  detect: { ending: /\.node-link\.json$/i, anyEnding: { test: looksLikeNodeLink } },
  reader: async () => {
    const { parseNodeLink } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseNodeLink(text, file, name, findings);
  },
};
