/** Simple YAML is read as the YAML library reads it, or left to the library. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { YamlDocument } from '../../../../topology/formats/native/yaml/document.ts';
import { Findings } from '../../../../topology/model/diagnostics.ts';
import { SeededRandom } from '../../../../topology/model/random.ts';
import { readSimpleYaml } from '../../../../topology/syntax/simple-yaml.ts';
import { mutate } from '../../../fuzz/mutate.ts';
import { agreesWithLibrary } from '../../../support/yaml-agreement.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', '..', '..', 'examples');
const examples = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.ya?ml$/.test(file))
  .sort()
  .map((file) => [file, readFileSync(join(EXAMPLES, file), 'utf8')] as const);

const SIMPLE = {
  'flow mappings': 'a: { b: 1, c: [x, "y z", -2.50], d: {} } # e\nf: []\n',
  'lists below their key': 'a:\n- b\n- c: 1\n  d: 2\ne:\n  - f   # g\n\n# h\n  - i\n',
  'nested blocks': 'a:\n    b:\n        c: d\n    e: f',
  'a list in a mapping in a list': 'a:\n  - b:\n    - c\n    - d\n    e: f\n  - b: g\n',
  'texts with signs in them': `a: at 3s x--y p99 < 5ms | z\nb: http://c.d/e#f\nc: it's "so"\nd: 10.0.0.1/8\ne: \${x}\nf: 5 %`,
  quotes: `"a[1..3]": 'b "c"'\n'd': "e 'f' # g"\nh: "i\\"j\\u00e9\\n\\\\"\nk: "#"`,
  scalars: 'a: true\nb: False\nc: null\nd: 007\ne: -0\nf: 1.50\ng: yes\nh: nullx\ni: 1m30s\nj: -x\nk: 5-6\n',
  'keys of objects': 'constructor: 1\ntoString: { valueOf: 2 }\n',
  'other alphabets': 'a: ü\nb: "日本"\nc: { d: é, e: 😀 }\n',
  'spaces at the ends of lines': 'a:   \n  - b   \n  - { c: d }   \n  -   e\nf:  g  \n',
};

const LEFT = {
  nothing: '',
  'a text alone': 'a',
  'a list alone': '- a',
  'an indented file': ' a: b',
  'a key without a value': 'a:\nb: c',
  'an entry without a value': 'a:\n  -\n  - b',
  'a text of several lines': 'a: b\n  c',
  'a block of text': 'a: |\n  b',
  'an anchor': 'a: &b c',
  'an alias': 'a: *b',
  'a tag': 'a: !!str 1',
  'a second document': 'a: b\n---\nc: d',
  'the end of a document': 'a: b\n...\n',
  'a directive': '%YAML 1.2\n---\na: b',
  'a mapping in braces over lines': 'a: { b: 1,\n  c: 2 }',
  'a list in brackets over lines': 'a: [ b,\n  c ]',
  'a comma too many': 'a: { b: 1, }',
  'a key in braces without a value': 'a: { b }',
  'a pair in a list': 'a: [ b: c ]',
  'a mapping in a line': 'a: b: c',
  'a key twice': 'a: 1\na: 2',
  'keys that are numbers': '"1": a\n"0": b',
  'the name of the prototype': '__proto__: a',
  'a tab': 'a:\tb',
  'carriage returns': 'a: b\r\nc: d\r\n',
  'other numbers': 'a: 0x1f',
  'numbers with an exponent': 'a: 1e5',
  'numbers that begin with a dot': 'a: .5',
  'large numbers': 'a: 12345678901234567890',
  'a comment without a space': 'a: "b"#c',
  'a text after a quoted one': 'a: "b" c',
  'an open quote': 'a: "b',
  'an escaped quote': "a: 'b''c'",
  'an escape that JSON does not have': 'a: "\\x41"',
  'a question mark': '? a\n: b',
  'a line too far to the right': 'a: b\n c: d',
  'a line too far to the left': 'a:\n    b: c\n  d: e',
  'a dash in place of a key': 'a: b\n- c',
  'lists in lists': 'a:\n  - - b',
  'a deep nesting': `a: ${'['.repeat(40)}${']'.repeat(40)}`,
  'a home': 'a: ~',
};

describe('simple YAML', () => {
  it.each(Object.entries(SIMPLE))('reads %s as the library does', (_, text) => {
    expect(agreesWithLibrary(text)).toBe(true);
  });

  it.each(Object.entries(LEFT))('leaves %s to the library', (_, text) => {
    expect(readSimpleYaml(text)).toBeUndefined();
  });

  it('reads most examples, and agrees on each', () => {
    const simple = examples.filter(([, text]) => agreesWithLibrary(text));
    expect(simple.length).toBeGreaterThan(examples.length / 2);
  });

  it('agrees on thousands of texts that are nearly simple', () => {
    const random = new SeededRandom(7);
    const seeds = [...Object.values(SIMPLE), ...Object.values(LEFT), ...examples.map(([, text]) => text)];
    let simple = 0;
    for (let count = 0; count < 4000; count++) {
      const text = mutate(seeds[random.below(seeds.length)]!, random, seeds, [': ', '- ', '\n', '  ', ' #']);
      if (agreesWithLibrary(text)) simple++;
    }
    expect(simple).toBeGreaterThan(200);
  });
});

describe('a file of a hundred thousand links', () => {
  it('is simple, and has the places of its parts', () => {
    const links = Array.from(
      { length: 100_000 },
      (_, index) => `  - { from: a, to: b${index}, latency: 1ms }\n`,
    );
    const text = `services:\n  a: {}\nlinks:\n${links.join('')}`;
    const document = YamlDocument.parse(text, new Findings('a.yaml'))!;
    expect(readSimpleYaml(text)).toBeDefined();
    expect(document.at(['links', 99_999, 'latency'])).toEqual({ line: 100_003, column: 37 });
    expect(document.source(['links', 7, 'to'])).toBe('b7');
  });
});
