import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { formatNative } from '../../../../topology/formats/native/layout.ts';
import { TopologyError } from '../../../../topology/load.ts';

const folder = new URL('../../../../examples/', import.meta.url);

describe('netfold fmt', () => {
  it('keeps comments, order and meaning', () => {
    const text =
      '# head\nname:   x # why\nservices:\n    b: {replicas: 2}   # two\n\n    # before a\n    a: {}\nlinks: # all\n- {from: a,   to: b, latency: 5ms} # one\n';
    const made = formatNative(text, 'x.yaml');
    expect(made).toBe(
      '# head\nname: x # why\nservices:\n  b: { replicas: 2 } # two\n\n  # before a\n  a: {}\nlinks:\n  # all\n  - { from: a, to: b, latency: 5ms } # one\n',
    );
    expect(formatNative(made, 'x.yaml')).toBe(made);
  });

  it.each(readdirSync(folder).filter((file) => file.endsWith('.yaml')))(
    'keeps the comments of %s',
    (file) => {
      const text = readFileSync(new URL(file, folder), 'utf8');
      const made = formatNative(text, file);
      expect(parse(made)).toEqual(parse(text));
      const comments = (of: string): string[] => of.match(/(?<=^|\s)#.*$/gm)?.map((one) => one.trim()) ?? [];
      expect(comments(made)).toEqual(comments(text));
    },
  );

  it('refuses what is no YAML', () => {
    expect(() => formatNative('a: [', 'x.yaml')).toThrow(TopologyError);
  });
});
