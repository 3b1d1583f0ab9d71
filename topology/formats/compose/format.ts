import type { Format } from '../../model/format.ts';

/** netfold's own files, which have services too, have none of these keys at the top, and links or bridges. */
function looksLikeCompose(text: string): boolean {
  return (
    /^services\s*:/m.test(text) &&
    /^(?:version|networks|volumes|configs|secrets|x-[\w-]+)\s*:/m.test(text) &&
    !/^(?:links|bridges|routing|transmission|events)\s*:/m.test(text)
  );
}

export const compose: Format = {
  name: 'Docker Compose',
  detect: {
    ending: /(?:^|[/\\])(?:docker-)?compose(?:\.[\w.-]+)?\.ya?ml$/i,
    anyEnding: { test: looksLikeCompose },
  },
  reader: async () => {
    const { parseCompose } = await import('./parse.ts');
    return ({ file, text }, { name }, findings) => parseCompose(text, file, name, findings);
  },
};
