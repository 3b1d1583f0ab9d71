import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const { dependencies, devDependencies } = JSON.parse(read('package.json'));

/** The names in the first column of docs/dependencies.md. */
function documented(): string[] {
  const rows = read('docs/dependencies.md').matchAll(/^\|([^|]*`[^|]*)\|[^|]*\|[^|]*\w[^|]*\|$/gm);
  return [...rows].flatMap((row) => [...row[1]!.matchAll(/`([^`]+)`/g)].map((name) => name[1]!));
}

it('every dependency has a row that says why, and every row is a dependency', () => {
  expect(documented().sort()).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)].sort());
});
