/** Whether the reader of simple YAML gives what the YAML library gives: the value, and the place of each part. */
import assert from 'node:assert/strict';
import { absurdity } from '../../topology/formats/native/yaml/absurdity.ts';
import { readAnyYaml } from '../../topology/formats/native/yaml/document.ts';
import { Findings } from '../../topology/model/diagnostics.ts';
import { readSimpleYaml } from '../../topology/syntax/simple-yaml.ts';
import type { YamlPlaces } from '../../topology/syntax/yaml-places.ts';

type Path = readonly (string | number)[];
type Tree = Pick<YamlPlaces, 'nearest' | 'span' | 'key' | 'entries' | 'position'>;

/** Throws where they differ. `false`: one of the two is not given the text. */
export function agreesWithLibrary(text: string): boolean {
  const simple = readSimpleYaml(text);
  // What the library is spared, also in comments.
  if (!simple || absurdity(text)) return false;
  const findings = new Findings('a.yaml');
  const other = readAnyYaml(text, findings);
  assert(other, `the library refuses what is read as ${JSON.stringify(simple.value)}`);
  assert.deepEqual(simple.value, other.value);
  const linesOf = ({ start, end }: { start: number; end: number }): string =>
    text.slice(start, Math.min(end, start + 200)).split('\n')[0]!;
  for (const path of pathsOf(simple.value, [])) {
    const what = JSON.stringify(path);
    const one: Tree = simple.places;
    const two: Tree = other.tree;
    assert.deepEqual(one.position(one.nearest(path)), two.position(two.nearest(path)), `place of ${what}`);
    assert.equal(one.nearest([...path, 'absent', 0]), two.nearest([...path, 'absent', 0]));
    assert.equal(linesOf(one.span(path)!), linesOf(two.span(path)!), `source of ${what}`);
    assert.deepEqual(one.entries(path), two.entries(path), `entries of ${what}`);
    for (const [key] of one.entries(path))
      assert.equal(one.key(path, String(key)), two.key(path, String(key)), `key ${key} of ${what}`);
    for (const absent of [
      [...path, 'absent'],
      [...path, -1],
      [...path, 'absent', 'absent'],
    ]) {
      assert.equal(one.span(absent), two.span(absent), `nothing at ${JSON.stringify(absent)}`);
      assert.equal(one.key(absent, 'x'), two.key(absent, 'x'));
    }
  }
  return true;
}

function pathsOf(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, one]) => pathsOf(one, [...path, key]))];
}
