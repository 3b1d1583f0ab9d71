/** Simple XML is read as the XML library reads it, or left to the library. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Findings } from '../../../../topology/model/diagnostics.ts';
import { SeededRandom } from '../../../../topology/model/random.ts';
import { type Element, readSimpleXml } from '../../../../topology/syntax/simple-xml.ts';
import { parseAnyXml, parseXml, textOf } from '../../../../topology/syntax/xml.ts';
import { mutate } from '../../../fuzz/mutate.ts';
import { XML } from '../../../fuzz/texts.ts';

const FOLDER = new URL('../../../../examples/formats/', import.meta.url);
const examples = readdirSync(FOLDER)
  .filter((file) => /xml$|graphml$/.test(file))
  .map((file) => readFileSync(new URL(file, FOLDER), 'utf8'));
const DIALECT = { root: 'a', name: 'A' };

/** Without entities, which both read by the same function. */
const simple = (text: string): Element | undefined => readSimpleXml(text, (value) => value);

/** `false`: the text is left to the library. Throws where the two differ. */
function agrees(text: string): boolean {
  if (simple(text) === undefined) return false;
  const [own, library] = [new Findings('a.xml'), new Findings('a.xml')];
  const [one, other] = [parseXml(text, DIALECT, own), parseAnyXml(text, DIALECT, library)];
  expect(other, text).toBeDefined();
  expect(one, text).toEqual(other);
  return true;
}

const SIMPLE = {
  'elements and attributes': `<?xml version="1.0" encoding="UTF-8"?>\n<a b="c" d='e "f"'>\n\t<g/>\n  <h:i j.k-l="m>n" />\n</a>\n`,
  texts: '<a> b <c> d\ne </c> f <c/>g</a>',
  comments: '<!-- a --><b>c<!-- < > -->d<e/><!-----> f </b>\n<!-- g -->\n',
  entities: '<a b="&lt;&#65;">&amp;&#x42; &quot;</a>',
  'attributes on lines of their own': '<a\n  b="c"\n\td="e"\n>\n</a>',
  'spaces in values': '<a b="  c  d "/>',
  'other alphabets': '<a b="é">日本😀</a>',
};

const LEFT = {
  nothing: '',
  'a text': 'a',
  'two roots': '<a/><b/>',
  'a text after the root': '<a/>b',
  'an open element': '<a><b></b>',
  'a wrong end': '<a><b></a></b>',
  CDATA: '<a><![CDATA[b]]></a>',
  'a document type': '<!DOCTYPE a><a/>',
  'a processing instruction': '<a><?b c?></a>',
  'a declaration in the middle': '<a/>\n<?xml version="1.0"?>',
  'an attribute without a value': '<a b/>',
  'an attribute without quotes': '<a b=c/>',
  'an attribute twice': '<a b="1" b="2"/>',
  'attributes without a space between': '<a b="1"c="2"/>',
  'a space before the equals sign': '<a b ="1"/>',
  'a lone ampersand': '<a>b & c</a>',
  'an entity of its own': '<a>&b;</a>',
  'a bracket in a value': '<a b="<"/>',
  'a line in a value': '<a b="c\nd"/>',
  'carriage returns': '<a>\r\n</a>',
  'reserved names': '<constructor/>',
  'names of every object': '<a toString="b"/>',
  'a comment without an end': '<a><!-- </a>',
  'a deep nesting': '<a>'.repeat(40) + '</a>'.repeat(40),
};

describe('simple XML', () => {
  it.each(Object.entries(SIMPLE))('reads %s as the library does', (_, text) => {
    expect(agrees(text)).toBe(true);
  });

  it.each(Object.entries(LEFT))('leaves %s to the library', (_, text) => {
    expect(simple(text)).toBeUndefined();
  });

  it('tells of characters that there are not, as the library does', () => {
    const findings = new Findings('a.xml');
    parseXml('<a b="&#9999999;"/>', DIALECT, findings);
    expect(() => findings.settle()).toThrow(/there is no entity "&#9999999;"/);
    const text = new Findings('a.xml');
    expect(textOf(parseXml('<a>&lt;b&gt;</a>', DIALECT, text)!, text)).toBe('<b>');
  });

  it('agrees on the examples, and on thousands of texts that are nearly simple', () => {
    const random = new SeededRandom(7);
    const seeds = [...Object.values(SIMPLE), ...Object.values(LEFT), ...examples, XML];
    expect(examples.filter(agrees).length).toBeGreaterThan(examples.length / 2);
    let count = 0;
    for (let made = 0; made < 4000; made++) {
      const text = mutate(seeds[random.below(seeds.length)]!, random, seeds, [
        '<b/>',
        '</a>',
        ' c="d"',
        '<!--',
        '>',
      ]);
      if (agrees(text)) count++;
    }
    expect(count).toBeGreaterThan(200);
  });
});
