import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Locked {
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}
const lock = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8'));
const packages: Record<string, Locked> = lock.packages;

/** The folders in whose node_modules Node looks for what the package at `path` imports. */
function foldersAbove(path: string): string[] {
  if (path === '') return [''];
  return [path, ...foldersAbove(path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))))];
}

function resolve(name: string, path: string): Locked | undefined {
  const places = foldersAbove(path).map(
    (folder) => `${folder === '' ? '' : `${folder}/`}node_modules/${name}`,
  );
  return places.map((place) => packages[place]).find((found) => found !== undefined);
}

/** A registry that lacks a package for another system makes npm leave it out, and `npm ci` then refuses the file. */
it('has an entry for every dependency, those for other systems included', () => {
  const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => resolve(name, path) === undefined)
      .map((name) => `${path} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

it('has the checksum of everything that is installed here', () => {
  const unchecked = Object.entries(packages).filter(
    ([path, one]) => path !== '' && !one.optional && !one.integrity,
  );
  expect(unchecked.map(([path]) => path)).toEqual([]);
});
