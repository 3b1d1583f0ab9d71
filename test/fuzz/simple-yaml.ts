/** The reader of simple YAML, which must agree with the library in all that it reads. */
import { agreesWithLibrary } from '../support/yaml-agreement.ts';
import { textTarget } from './target.ts';

const DENSE = 'a:\n- b: "c\\"d"\n  e: -1.5 # f\n- [g, {}]\n';

export const simpleYaml = (seeds: readonly string[], pieces: readonly string[]) =>
  textTarget({
    name: 'simple YAML',
    seeds: [DENSE, ...seeds],
    pieces,
    read: agreesWithLibrary,
    isCoded: () => false,
  });
