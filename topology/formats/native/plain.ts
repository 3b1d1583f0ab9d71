/** Most files: simple YAML with nothing in it to expand. Reading them needs neither the library nor the expansion. */
import type { Extras, Reader, TextFile } from '../../model/format.ts';
import { readSimpleYaml } from '../../syntax/simple-yaml.ts';
import { mayNeedExpansion } from './expand/language.ts';
import { readDocument } from './reader.ts';
import { PlacedDocument } from './yaml/placed.ts';

/** For this file and no other; `undefined` if it is not of those. */
export function plainReader({ text }: TextFile, extras: Extras): Reader | undefined {
  if (extras.isExpansionWanted || (extras.set ?? new Map()).size > 0 || mayNeedExpansion(text))
    return undefined;
  const simple = readSimpleYaml(text);
  if (!simple) return undefined;
  const document = new PlacedDocument(simple.value, simple.places, text);
  return ({ file }, { name }, findings) => readDocument(document, file, name, findings);
}
