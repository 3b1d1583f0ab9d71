import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readCheckout } from './checkout.ts';
import { crowdedFolders, disorder, fileCircles, type Layer, layerBreaches, readLayers } from './layers.ts';

const layers = readLayers(readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8'));

describe('the checkout', () => {
  const files = readCheckout();

  it('has a table of layers, in order', () => {
    expect(layers.length).toBeGreaterThan(40);
    expect(disorder(layers)).toEqual([]);
  });

  it('keeps to it', () => {
    expect(layerBreaches(files, layers)).toEqual([]);
  });

  it('has no row that nothing stands behind', () => {
    const folders = [...files.keys(), 'proto/generated/mesh.js'].map((file) => file.replace(/\/[^/]*$/, ''));
    const empty = layers.filter(({ folder }) => {
      const top = folder.replace(/\/…$/, '');
      return !folders.some((one) => one === top || (folder !== top && one.startsWith(`${top}/`)));
    });
    expect(empty.map(({ folder }) => folder)).toEqual([]);
  });

  it('has no files that import each other in a circle', () => {
    expect(fileCircles(files)).toEqual([]);
  });

  it('has no crowded folder', () => {
    expect(crowdedFolders(files)).toEqual([]);
  });

  it.each([
    ['agent/kernel/sys/a.ts', '../../enforce/ports.ts'],
    ['agent/enforce/a.ts', '../linux/programs/linux-tc.ts'],
    ['agent/share/a.ts', '../tick/tick.ts'],
    ['topology/model/a.ts', '../fold/fold.ts'],
    ['controller/platform/lab/a.ts', '../../experiment/experiment.ts'],
    ['agent/daemon/a.ts', '../../controller/errors.ts'],
    ['proto/a.ts', '../topology/model/model.ts'],
    ['agent/mesh/wire/a.ts', '../libp2p/libp2p-transport.ts'],
    ['controller/cli/a.ts', '../../test/support/lab/lab.ts'],
  ])('would notice %s with %s', (file, specifier) => {
    const one = new Map([[file, `import { x } from '${specifier}';\n`]]);
    expect(layerBreaches(one, layers)).toHaveLength(1);
  });
});

describe('reading the table', () => {
  const table = [
    '| folder | gives | may use |',
    '| --- | --- | --- |',
    '| `a` | x | |',
    '| `b/…` | y | `a` |',
  ];
  it('takes rows whose first cell is a folder', () => {
    expect(readLayers(table.join('\n'))).toEqual([
      { folder: 'a', uses: [] },
      { folder: 'b/…', uses: ['a'] },
    ]);
  });
  const two: Layer[] = [
    { folder: 'a', uses: [] },
    { folder: 'b/…', uses: ['a', 'b/…'] },
  ];
  it('knows a folder that stands above, all below one, and none else', () => {
    expect(
      layerBreaches(new Map([['b/c/x.ts', "import '../../a/y.ts';\nimport '../d/z.ts';\n"]]), two),
    ).toEqual([]);
    expect(layerBreaches(new Map([['a/x.ts', "import '../b/y.ts';\n"]]), two)).toHaveLength(1);
    expect(layerBreaches(new Map([['c/x.ts', '']]), two)).toEqual([
      'c/x.ts: its folder has no row in docs/architecture.md',
    ]);
  });
  it('refuses rows that name what stands below them, or nothing', () => {
    expect(
      disorder([
        { folder: 'a', uses: ['b'] },
        { folder: 'b', uses: ['c'] },
      ]),
    ).toEqual(["a names b, which doesn't stand above it", 'b names c, which has no row']);
  });
});

describe('circles of files', () => {
  it('are found over several files, and only they', () => {
    const files = new Map([
      ['a.ts', "import './b.ts';\n"],
      ['b.ts', "import './c.ts';\nimport './d.ts';\n"],
      ['c.ts', "import type { A } from './a.ts';\n"],
      ['d.ts', ''],
    ]);
    expect(fileCircles(files)).toEqual([['a.ts', 'b.ts', 'c.ts']]);
  });
});
