/** The text of an inventory → `Inventory`. Pure: no SSH, no file, no name is looked up. */
import { isIP } from 'node:net';
import { type Path, type Place, YamlDocument } from '../../topology/formats/native/yaml/document.ts';
import { Findings, quote } from '../../topology/model/diagnostics.ts';
import { Suggestions, suggest } from '../../topology/model/names.ts';
import type { Position } from '../../topology/model/position.ts';
import { ansibleHosts, isAnsible, isAnsibleJson, isMapping } from './ansible.ts';
import type { HostEntry } from './entry.ts';
import { reportIssues } from './issues.ts';
import {
  type Identity,
  type Inventory,
  type InventoryHost,
  MAX_INVENTORY_HOSTS,
  type Reference,
  type Shape,
} from './model.ts';
import { EXPECTED, HOST_PATTERN, hostSchema, WISH_KEYS, wishesSchema } from './schema.ts';

/** Characters; a thousand hosts with all their settings take 300 kB. */
export const MAX_INVENTORY_LENGTH = 4 * 1024 * 1024;

const SSH_PORT = 22;
const TOP = { line: 1, column: 1 };
const REMEDY =
  'an inventory is a mapping with hosts, e.g. hosts: { host1: { address: 192.0.2.7 } }; see docs/placement.md';

/** `file`: for messages. Throws `TopologyError` with every error found, each with its line, field and remedy. */
export function readInventory(text: string, file: string): Inventory {
  const findings = new Findings(file);
  const inventory = new InventoryReader(file, findings).read(
    text.startsWith('\uFEFF') ? text.slice(1) : text,
  );
  findings.settle();
  if (!inventory) throw new Error(`${file} gave neither an inventory nor an error`);
  return inventory;
}

class InventoryReader {
  readonly #file: string;
  readonly #findings: Findings;

  constructor(file: string, findings: Findings) {
    this.#file = file;
    this.#findings = findings;
  }

  read(text: string): Inventory | undefined {
    if (!this.#isReadable(text)) return undefined;
    const document = YamlDocument.parse(text, this.#findings, 'inventory');
    if (!document) return undefined;
    const { value } = document;
    if (!isMapping(value)) {
      const what =
        value === null || value === undefined
          ? 'it is empty'
          : `it is ${Array.isArray(value) ? 'a list' : 'a text'}`;
      return this.#refuse(`this is no inventory: ${what}`, REMEDY);
    }
    if (isAnsibleJson(value))
      return this.#refuse(
        "this is the JSON of Ansible's inventory, which has no groups with hosts in them",
        'give what `ansible-inventory -i FILE --list --yaml` prints',
      );
    const isNative = 'hosts' in value || !isAnsible(value);
    if (isNative && !this.#hasKnownKeys(value, document)) return undefined;
    const entries = isNative
      ? this.#nativeHosts(value.hosts, document)
      : ansibleHosts(document, this.#findings);
    const hosts = this.#hosts(entries);
    const none = { needs: [], pins: [], apart: [] };
    const wishes = isNative ? this.#wishes(value, hosts, document) : none;
    return { file: this.#file, hosts, ...wishes };
  }

  #isReadable(text: string): boolean {
    if (text.length > MAX_INVENTORY_LENGTH) {
      const message = `the file has ${text.length} characters, more than ${MAX_INVENTORY_LENGTH}`;
      this.#findings.error('FILE_TOO_LARGE', TOP, '', message, 'give an inventory of fewer hosts');
      return false;
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what makes a file not text.
    if (/[\x00-\x08\x0E-\x1F\uFFFD]/.test(text)) {
      this.#findings.error('FILE_NOT_TEXT', TOP, '', 'this is not a text file in UTF-8', REMEDY);
      return false;
    }
    const section = /^\[[\w.-]{1,100}(?::(?:vars|children))?\][ \t]*(?:[#;].*)?$/m.exec(text);
    if (section === null) return true;
    const line = text.slice(0, section.index).split('\n').length;
    const message = `${quote(section[0])} is a section of Ansible's INI format, which netfold does not read`;
    const remedy = 'give what `ansible-inventory -i FILE --list --yaml` prints';
    this.#findings.error('NOT_AN_INVENTORY', { line, column: 1 }, '', message, remedy);
    return false;
  }

  #refuse(message: string, remedy: string): undefined {
    this.#findings.error('NOT_AN_INVENTORY', TOP, '', message, remedy);
    return undefined;
  }

  #hasKnownKeys(value: Readonly<Record<string, unknown>>, document: YamlDocument): boolean {
    const known = ['hosts', ...WISH_KEYS];
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const remedy = suggest(key, known, `known keys: ${known.join(', ')}`);
      this.#findings.error(
        'KEY_UNKNOWN',
        document.atKey([], key),
        key,
        `there is no key ${quote(key)} here`,
        remedy,
      );
    }
    if (!isMapping(value.hosts) || Object.keys(value.hosts).length === 0)
      this.#findings.error(
        'NOT_AN_INVENTORY',
        document.at(['hosts']),
        'hosts',
        'there are no hosts',
        EXPECTED.hosts!,
      );
    return !this.#findings.hasErrors;
  }

  #nativeHosts(hosts: unknown, document: YamlDocument): HostEntry[] {
    const places = document.entries(['hosts']);
    return Object.entries(hosts as Readonly<Record<string, unknown>>).map(([name, value]): HostEntry => {
      const path = ['hosts', name];
      return {
        name,
        value: value ?? {},
        field: `hosts.${name}`,
        place: places.get(name) ?? TOP,
        placeOf: (key) => (key === '' ? document.at(path) : document.atKey(path, key)),
        labels: [],
      };
    });
  }

  #hosts(entries: readonly HostEntry[]): InventoryHost[] {
    if (entries.length === 0) this.#refuse('there are no hosts', REMEDY);
    if (entries.length > MAX_INVENTORY_HOSTS)
      this.#findings.error(
        'LIMIT',
        TOP,
        'hosts',
        `there are more than ${MAX_INVENTORY_HOSTS} hosts`,
        'give fewer hosts',
      );
    const byAddress = new Map<string, string>();
    const byEndpoint = new Map<string, string>();
    return entries.slice(0, MAX_INVENTORY_HOSTS).flatMap((entry) => {
      const host = this.#host(entry);
      if (!host) return [];
      this.#refuseTwice(
        byAddress,
        `${host.jump ?? ''} ${host.address.toLowerCase()} ${host.port ?? SSH_PORT}`,
        entry,
        'address',
        `the host at ${host.address}`,
      );
      for (const { text } of host.is) this.#refuseTwice(byEndpoint, text, entry, 'is', quote(text));
      return [host];
    });
  }

  /** One machine under two names would get twice what it has room for. */
  #refuseTwice(
    seen: Map<string, string>,
    key: string,
    entry: HostEntry,
    setting: string,
    what: string,
  ): void {
    const other = seen.get(key);
    seen.set(key, entry.name);
    if (other === undefined) return;
    const message = `${what} is listed twice, as ${other} and as ${entry.name}`;
    const remedy =
      setting === 'address'
        ? 'leave one of them out'
        : 'an endpoint is one host; name replicas such as client.0';
    this.#findings.error('NAME_DUPLICATE', entry.placeOf(setting), fieldOf(entry, setting), message, remedy);
  }

  #host(entry: HostEntry): InventoryHost | undefined {
    const { name, value, place, field } = entry;
    if (!HOST_PATTERN.test(name)) {
      const remedy = 'use letters, digits, ".", "_" and "-", and begin with a letter or digit';
      this.#findings.error('NAME_INVALID', place, field, `${quote(name)} is no name of a host`, remedy);
      return undefined;
    }
    const read = hostSchema.safeParse(value);
    if (!read.success) {
      const where = (path: Path): Place => (path.length === 0 ? place : entry.placeOf(String(path[0])));
      reportIssues(
        read.error.issues,
        value,
        { at: where, field: (path) => fieldOf(entry, ...path) },
        this.#findings,
      );
      return undefined;
    }
    const { address = name, shape, is, labels, memory, ...rest } = read.data;
    const { user, port, jump, cores, bandwidth, endpoints } = rest;
    const at = (key: string): Position => ({ file: this.#file, ...entry.placeOf(key) });
    return {
      name,
      address,
      ...(user !== undefined && { user }),
      ...(port !== undefined && { port }),
      ...(jump !== undefined && { jump }),
      ...(shape !== undefined && { shape: shapeOf(shape) }),
      is: is.map(
        ({ name: text, shape: own }): Identity => ({
          ...{ text, field: fieldOf(entry, 'is'), position: at('is') },
          ...(own !== undefined && { shape: shapeOf(own) }),
        }),
      ),
      labels: [...new Set([...entry.labels, ...labels])],
      ...(cores !== undefined && { cores }),
      ...(memory !== undefined && { memoryBytes: memory }),
      ...(bandwidth !== undefined && { bandwidth }),
      ...(endpoints !== undefined && { endpoints }),
      position: { file: this.#file, ...place },
    };
  }

  #wishes(
    value: Readonly<Record<string, unknown>>,
    hosts: readonly InventoryHost[],
    document: YamlDocument,
  ): Pick<Inventory, 'needs' | 'pins' | 'apart'> {
    const { hosts: _, ...given } = value;
    const read = wishesSchema.safeParse(given);
    const field = (path: Path): string => path.join('.');
    if (!read.success) {
      reportIssues(read.error.issues, given, { at: (path) => document.at(path), field }, this.#findings);
      return { needs: [], pins: [], apart: [] };
    }
    const reference = (text: string, path: Path, place: Place): Reference => ({
      text,
      field: field(path),
      position: { file: this.#file, ...place },
    });
    const { needs, pins, apart } = read.data;
    const known = new Targets(hosts, this.#findings);
    return {
      needs: Object.entries(needs).map(([name, { cores, memory }]) => ({
        of: reference(name, ['needs', name], document.atKey(['needs'], name)),
        ...(cores !== undefined && { cores }),
        ...(memory !== undefined && { memoryBytes: memory }),
      })),
      pins: Object.entries(pins).map(([name, targets]) => {
        const place = document.atKey(['pins'], name);
        return {
          of: reference(name, ['pins', name], place),
          hosts: known.of(targets, name, place),
        };
      }),
      apart: apart.map((texts, index) =>
        texts.map((text) => reference(text, ['apart', index], document.at(['apart', index]))),
      ),
    };
  }
}

/** What a pin may name: hosts, and labels of hosts. */
class Targets {
  readonly #names: ReadonlySet<string>;
  readonly #labels = new Map<string, string[]>();
  readonly #suggestions = new Suggestions();
  readonly #findings: Findings;

  constructor(hosts: readonly InventoryHost[], findings: Findings) {
    this.#findings = findings;
    this.#names = new Set(hosts.map(({ name }) => name));
    for (const { name, labels } of hosts)
      for (const label of labels) this.#labels.set(label, [...(this.#labels.get(label) ?? []), name]);
  }

  /** Names of hosts; an unknown one is a finding. */
  of(targets: readonly string[], pinned: string, place: Place): string[] {
    const names = targets.flatMap((target) => {
      const label = /^label:(.*)$/s.exec(target)?.[1];
      const found = label === undefined ? (this.#names.has(target) ? [target] : []) : this.#labels.get(label);
      if (found !== undefined && found.length > 0) return found;
      const [known, message] =
        label === undefined
          ? [this.#names, `there is no host ${quote(target)}`]
          : [this.#labels.keys(), `no host has the label ${quote(label)}`];
      const otherwise = 'name a host of this file, or label:NAME';
      const remedy = this.#suggestions.of(label ?? target, () => known, otherwise);
      this.#findings.error('NAME_UNKNOWN', place, `pins.${pinned}`, message, remedy);
      return [];
    });
    return [...new Set(names)];
  }
}

function fieldOf({ field, keyOf }: HostEntry, ...[key, ...rest]: Path): string {
  const own = key === undefined ? [] : [typeof key === 'string' ? (keyOf?.(key) ?? key) : key];
  return [field, ...own, ...rest].join('.');
}

const shapeOf = (value: string): Shape => ({ kind: isIP(value) ? 'address' : 'interface', value });
