/** Names that hold for Kollaps but not here: bridges of its own files are called `s1:1`. */
import type { Findings } from '../../model/diagnostics.ts';
import { quote } from '../../model/diagnostics.ts';
import { isName } from '../../model/names.ts';
import type { Element } from '../../syntax/xml.ts';

/** Attributes that name a node. */
const NAMING = ['name', 'origin', 'dest'];
const DECLARING = ['service', 'bridge'];

/** The same file with `s1-1` for `s1:1`, wherever it is named, unless another node has that name; with one warning. */
export function withNames(root: Element, findings: Findings): Element {
  const nodes = root.children.flatMap((section) =>
    section.children.filter(({ name }) => DECLARING.includes(name)),
  );
  const taken = new Set(nodes.map(({ attributes }) => attributes.get('name')));
  const names = new Map<string, string>();
  let first: Element | undefined;
  for (const node of nodes) {
    const name = node.attributes.get('name') ?? '';
    const plain = name.replaceAll(':', '-');
    if (names.has(name) || isName(name) || !isName(plain) || taken.has(plain)) continue;
    names.set(name, plain);
    taken.add(plain);
    first ??= node;
  }
  if (!first) return root;
  const name = first.attributes.get('name')!;
  const others = names.size > 1 ? `, and so for ${names.size - 1} more` : '';
  findings.warning(
    'NAME_CHANGED',
    first,
    `<${first.name} name=${quote(name)}>`,
    `${quote(name)} is called ${names.get(name)} here, since a colon can't be part of a host name${others}`,
    'use this name in commands',
  );
  return renamed(root, names);
}

/** Nodes, links and schedules are two levels below the root. */
function renamed(root: Element, names: ReadonlyMap<string, string>): Element {
  const entry = (element: Element): Element => ({
    ...element,
    attributes: new Map(
      [...element.attributes].map(([key, value]): [string, string] => [
        key,
        NAMING.includes(key) ? (names.get(value) ?? value) : value,
      ]),
    ),
  });
  const section = (element: Element): Element => ({ ...element, children: element.children.map(entry) });
  return { ...root, children: root.children.map(section) };
}
