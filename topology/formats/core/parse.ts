/**
 * Scenarios of CORE (coreemu.github.io/core; core/xml/corexml.py) → `Topology`: devices, networks, and links with delay and jitter in
 * microseconds, bandwidth in bit/s, loss in percent.
 */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import { type LabNode, labOf } from '../../networks/lab.ts';
import type { NetworkEdge } from '../../networks/network.ts';
import { Notes } from '../../networks/notes.ts';
import { type Element, parseXml } from '../../syntax/xml.ts';

const DIALECT = { root: 'scenario', name: "CORE's XML" };
/** Types of devices that forward. */
const ROUTERS = ['router', 'mdr', 'prouter'];
const RADIO = ['WIRELESS_LAN', 'WIRELESS', 'EMANE'];
/** Options of a link → what topology/networks/vocabulary.ts knows. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['delay', 'delay_us'],
  ['jitter', 'jitter_us'],
  ['bandwidth', 'bandwidth_bps'],
  ['loss', 'loss'],
  ['per', 'loss'],
]);

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseCoreXml(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const root = parseXml(text, DIALECT, findings);
  if (!root) return undefined;
  if (root.name !== 'scenario') {
    const message = `this is no scenario of CORE: its root is <${root.name.slice(0, 40)}>`;
    findings.error('NOT_A_TOPOLOGY', root, '', message, 'give a file with <scenario>');
    return undefined;
  }
  const notes = new Notes(findings);
  const reader = new Reader(findings, notes);
  const nodes = [
    ...listed(root, 'devices').map(reader.device),
    ...listed(root, 'networks').map(reader.network),
  ];
  const edges = listed(root, 'links').flatMap(reader.link);
  for (const child of root.children)
    if (!['devices', 'networks', 'links'].includes(child.name))
      notes.drop(child.name, 'graph', child, '<scenario>');
  const lab = { nodes: nodes.flat(), edges };
  return findings.hasErrors ? undefined : labOf(lab, { name, file, findings, notes });
}

function listed(root: Element, name: string): readonly Element[] {
  return root.children.find((child) => child.name === name)?.children ?? [];
}

class Reader {
  readonly #findings: Findings;
  readonly #notes: Notes;

  constructor(findings: Findings, notes: Notes) {
    this.#findings = findings;
    this.#notes = notes;
  }

  readonly device = (element: Element): LabNode[] => {
    const type = (element.attributes.get('type') ?? '').toLowerCase();
    for (const child of element.children) this.#notes.drop(child.name, 'node', child, fieldOf(element));
    return this.#node(element, ROUTERS.includes(type) ? 'router' : 'host');
  };

  readonly network = (element: Element): LabNode[] => {
    const type = (element.attributes.get('type') ?? '').toUpperCase();
    if (RADIO.includes(type)) {
      const message = `radio (${type}) is a switch here: everybody reaches everybody`;
      const kind = { code: 'KEY_IGNORED', what: 'networks by radio' } as const;
      this.#notes.tell(
        kind,
        placeOf(element),
        fieldOf(element),
        message,
        'set latency and loss of its links',
      );
    }
    return this.#node(element, 'switch');
  };

  #node(element: Element, kind: LabNode['kind']): LabNode[] {
    const id = this.#required(element, ['id']);
    if (id === undefined) return [];
    const label = element.attributes.get('name') ?? id;
    return [{ id, label, kind, place: placeOf(element), field: fieldOf(element) }];
  }

  readonly link = (element: Element): NetworkEdge[] => {
    const field = '<link>';
    const source = this.#required(element, ['node1', 'node_one', 'node1_id']);
    const target = this.#required(element, ['node2', 'node_two', 'node2_id']);
    if (source === undefined || target === undefined) return [];
    const options = element.children.find(({ name }) => name === 'options');
    const attributes = new Map<string, string>();
    for (const [key, text] of options?.attributes ?? []) {
      const attribute = OPTIONS.get(key);
      // 0 stands for none.
      if (Number(text) === 0 || text.trim() === '') continue;
      if (attribute === undefined) {
        if (key !== 'unidirectional') this.#notes.drop(key, 'edge', options!, field);
      } else attributes.set(attribute, attribute === 'loss' ? `${text}%` : text);
    }
    // An option for one direction stands in a link of its own, back to back with that of the other.
    const isDirected = Number(options?.attributes.get('unidirectional')) === 1;
    return [{ source, target, isDirected, attributes, place: placeOf(element), field }];
  };

  #required(element: Element, keys: readonly string[]): string | undefined {
    const value = keys
      .map((key) => element.attributes.get(key))
      .find((one) => one !== undefined && one !== '');
    if (value === undefined) {
      const message = `${keys[0]} is missing`;
      this.#findings.error('KEY_MISSING', element, fieldOf(element), message, `add ${keys[0]}="…"`);
    }
    return value;
  }
}

function fieldOf({ name, attributes }: Element): string {
  return `<${name.slice(0, 40)} id=${quote(attributes.get('id') ?? '')}>`;
}

function placeOf({ line, column }: Element): { line: number; column: number } {
  return { line, column };
}
