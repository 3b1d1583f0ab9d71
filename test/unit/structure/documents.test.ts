import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './checkout.ts';
import { findDeadPaths } from './document-paths.ts';

const SKIPPED = new Set(['node_modules', '.git', 'dist', 'build']);

/** All files and folders of the checkout, relative, without what packages and git bring. */
function pathsBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.has(name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? [path, ...pathsBelow(path)] : [path];
    });
}

function readDocuments(paths: Iterable<string>): Map<string, string> {
  const own = [...paths].filter((path) => path.endsWith('.md') && !path.startsWith('bench/results/'));
  return new Map(own.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

describe('documents', () => {
  const paths = new Set(pathsBelow(''));
  const documents = readDocuments(paths);

  it('name only files, folders and headings that exist', () => {
    expect(findDeadPaths({ paths, documents })).toEqual([]);
  });

  it('are all reached from the index in one or two steps', () => {
    const index = documents.get('docs/README.md')! + documents.get('docs/decisions.md')!;
    const missing = [...documents.keys()].filter(
      (path) =>
        path !== 'README.md' &&
        path !== 'docs/README.md' &&
        !index.includes(`(../${path}`) &&
        !index.includes(`(${path.replace(/^docs\//, '')}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('findDeadPaths', () => {
  const paths = new Set(['docs', 'docs/a.md', 'docs/b.md', 'agent', 'agent/tick', 'agent/tick/tick.ts']);

  function deadIn(text: string): string[] {
    const documents = new Map([
      ['docs/a.md', text],
      ['docs/b.md', '# What is `refused`?'],
    ]);
    return findDeadPaths({ paths, documents });
  }

  it.each([
    '[b](b.md), [its heading](b.md#what-is-refused), [a folder](../agent), [the web](https://example.org)',
    '`agent/tick/tick.ts`, `agent/tick/`, `agent/*/README.md`, `net/core/dev.c`, `bench/results/NAME.md`',
  ])('accepts %s', (text) => {
    expect(deadIn(text)).toEqual([]);
  });

  it.each([
    ['[c](c.md)', 'docs/a.md:1: the link c.md leads to docs/c.md, which does not exist'],
    ['\n[b](b.md#old)', 'docs/a.md:2: the link b.md#old leads to a heading that docs/b.md does not have'],
    ['`agent/tick.ts`', 'docs/a.md:1: agent/tick.ts does not exist'],
    ['`soon.ts`', 'docs/a.md:1: soon.ts does not exist'],
  ])('refuses %s', (text, message) => {
    expect(deadIn(text)).toEqual([message]);
  });
});
