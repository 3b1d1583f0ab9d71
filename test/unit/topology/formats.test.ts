import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FORMATS, formatOf } from '../../../topology/formats/registry.ts';
import type { Format } from '../../../topology/model/format.ts';

const name = (file: string, text = ''): string => formatOf({ file, text }).name;

describe('the format of a file', () => {
  it('follows from the ending of its name, whatever its content', () => {
    const xml = '<experiment/>';
    expect(['a.xml', 'a.XML', 'a.yaml', 'a.yml', 'a.YML', 'a.tdl'].map((file) => name(file, xml))).toEqual([
      ...['Kollaps XML', 'Kollaps XML'],
      ...['YAML', 'YAML', 'YAML'],
      'ThunderStorm',
    ]);
    expect(name('a.xml', 'services: {}')).toBe('Kollaps XML');
  });

  it('follows from the content where the ending tells nothing', () => {
    expect(name('a', '\n  <experiment/>')).toBe('Kollaps XML');
    expect(name('a.txt', 'services: {}')).toBe('YAML');
    expect(name('xml', 'service a image=b')).toBe('YAML');
  });

  it('may be one more, which takes what it recognises and nothing else', () => {
    const dot: Format = {
      name: 'dot',
      detect: { ending: /\.dot$/, content: /^digraph / },
      reader: async () => () => undefined,
    };
    const of = (file: string, text: string): string => formatOf({ file, text }, [dot, ...FORMATS]).name;
    expect([of('a.dot', ''), of('a', 'digraph {}'), of('a.yaml', 'digraph {}'), of('a', '')]).toEqual([
      ...['dot', 'dot'],
      ...['YAML', 'YAML'],
    ]);
  });

  it('is in the registry where it has a folder', () => {
    const entries = readdirSync(new URL('../../../topology/formats/', import.meta.url), {
      withFileTypes: true,
    });
    expect(FORMATS).toHaveLength(entries.filter((entry) => entry.isDirectory()).length);
  });
});
