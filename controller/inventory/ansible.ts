/**
 * Ansible's inventory in YAML: groups with hosts, children and vars (docs.ansible.com, "How to build your inventory"). Groups
 * become labels. Of the variables, those about SSH are used, and `netfold_…` for netfold's own settings.
 */
import type { Path, Place, YamlDocument } from '../../topology/formats/native/yaml/document.ts';
import { type Findings, quote } from '../../topology/model/diagnostics.ts';
import { isName } from '../../topology/model/names.ts';
import type { HostEntry } from './entry.ts';
import { expandRange } from './host-range.ts';
import { MAX_INVENTORY_HOSTS } from './model.ts';

const GROUP_KEYS = new Set(['hosts', 'children', 'vars']);
/** Groups in groups; more is a circle or an attack. */
const MAX_LEVELS = 16;
const PREFIX = 'netfold_';

/** Ansible's variables, and their older names → settings. */
const SSH_VARIABLES: Readonly<Record<string, string>> = {
  ansible_host: 'address',
  ansible_ssh_host: 'address',
  ansible_user: 'user',
  ansible_ssh_user: 'user',
  ansible_port: 'port',
  ansible_ssh_port: 'port',
};
const SSH_ARGUMENTS = ['ansible_ssh_common_args', 'ansible_ssh_extra_args'];

type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether every entry at the top is a group. */
export function isAnsible(value: Mapping): boolean {
  const groups = Object.values(value);
  return (
    groups.length > 0 &&
    groups.every(
      (group) =>
        group === null || (isMapping(group) && Object.keys(group).every((key) => GROUP_KEYS.has(key))),
    )
  );
}

/** `ansible-inventory --list` without `--yaml`. */
export const isAnsibleJson = (value: Mapping): boolean => isMapping(value._meta) && 'hostvars' in value._meta;

/** A variable, and where it stands. */
interface Variable {
  readonly value: unknown;
  readonly key: string;
  readonly place: Place;
}

interface Found {
  readonly name: string;
  readonly path: Path;
  readonly place: Place;
  readonly labels: Set<string>;
  readonly variables: Map<string, Variable>;
  /** How deep the group is whose variable holds; those of the host itself are the deepest. */
  readonly depths: Map<string, number>;
}

const OF_HOST = MAX_LEVELS + 1;

export function ansibleHosts(document: YamlDocument, findings: Findings): HostEntry[] {
  const reader = new GroupReader(document, findings);
  for (const [name, group] of Object.entries(document.value as Mapping))
    reader.group(name, group, [name], []);
  return reader.entries();
}

interface Level {
  readonly name: string;
  readonly variables: ReadonlyMap<string, Variable>;
}

class GroupReader {
  readonly #document: YamlDocument;
  readonly #findings: Findings;
  readonly #hosts = new Map<string, Found>();

  constructor(document: YamlDocument, findings: Findings) {
    this.#document = document;
    this.#findings = findings;
  }

  group(name: string, group: unknown, path: Path, above: readonly Level[]): void {
    if (group === null || group === undefined) return;
    if (!isMapping(group) || above.length >= MAX_LEVELS) {
      const why = isMapping(group) ? `is nested more than ${MAX_LEVELS} times` : 'is no mapping';
      this.#refuse(path, `the group ${quote(name)} ${why}`);
      return;
    }
    const levels = [...above, { name, variables: this.#variables(group.vars, [...path, 'vars']) }];
    const hosts = this.#mapping(group.hosts, [...path, 'hosts']);
    for (const [host, variables] of Object.entries(hosts))
      this.#host(host, variables, [...path, 'hosts'], levels);
    const children = this.#mapping(group.children, [...path, 'children']);
    for (const [child, inner] of Object.entries(children))
      this.group(child, inner, [...path, 'children', child], levels);
  }

  entries(): HostEntry[] {
    return [...this.#hosts.values()].map((host): HostEntry => {
      const used = settingsOf(host.variables, this.#findings);
      return {
        name: host.name,
        value: Object.fromEntries([...used].map(([key, { value }]) => [key, value])),
        field: host.path.join('.'),
        place: host.place,
        placeOf: (key) => used.get(key)?.place ?? host.place,
        keyOf: (key) => used.get(key)?.key ?? key,
        labels: [...host.labels],
      };
    });
  }

  #host(pattern: string, variables: unknown, path: Path, levels: readonly Level[]): void {
    const place = this.#document.atKey(path, pattern);
    const own = this.#variables(variables, [...path, pattern]);
    const names = expandRange(pattern, MAX_INVENTORY_HOSTS);
    if (names === undefined) {
      const message = `${quote(pattern)} is no range of at most ${MAX_INVENTORY_HOSTS} hosts`;
      this.#refuse([...path, pattern], message);
      return;
    }
    for (const name of names) {
      // One more than allowed, so that the reader sees that there are too many.
      if (!this.#hosts.has(name) && this.#hosts.size > MAX_INVENTORY_HOSTS) return;
      const known = this.#hosts.get(name) ?? {
        ...{ name, place, path: [...path, name] },
        ...{ labels: new Set<string>(), variables: new Map(), depths: new Map() },
      };
      this.#hosts.set(name, known);
      levels.forEach((level, depth) => {
        if (isName(level.name) && level.name !== 'all') known.labels.add(level.name);
        this.#take(known, level.variables, depth);
      });
      this.#take(known, own, OF_HOST);
    }
  }

  /** Variables of a deeper group hold, and those of the host before all groups'. */
  #take({ variables, depths }: Found, from: ReadonlyMap<string, Variable>, depth: number): void {
    for (const [key, variable] of from) {
      if (depth < (depths.get(key) ?? 0)) continue;
      variables.set(key, variable);
      depths.set(key, depth);
    }
  }

  #variables(value: unknown, path: Path): Map<string, Variable> {
    const variables = new Map<string, Variable>();
    for (const [key, one] of Object.entries(this.#mapping(value, path)))
      variables.set(key, { value: one, key, place: this.#document.atKey(path, key) });
    return variables;
  }

  #mapping(value: unknown, path: Path): Mapping {
    if (value === null || value === undefined) return {};
    if (isMapping(value)) return value;
    this.#refuse(path, `${quote(String(path.at(-1)))} is no mapping`);
    return {};
  }

  #refuse(path: Path, message: string): void {
    const remedy = 'write groups as Ansible does: web: { hosts: { host1: { ansible_host: 192.0.2.7 } } }';
    this.#findings.error('VALUE_INVALID', this.#document.at(path), path.join('.'), message, remedy);
  }
}

/** Variables → settings of netfold; all others are the user's own. */
function settingsOf(variables: ReadonlyMap<string, Variable>, findings: Findings): Map<string, Variable> {
  const settings = new Map<string, Variable>();
  for (const [key, variable] of variables) {
    const own = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : undefined;
    const name = own ?? (Object.hasOwn(SSH_VARIABLES, key) ? SSH_VARIABLES[key] : undefined);
    if (SSH_ARGUMENTS.includes(key)) {
      const jump = jumpOf(variable.value);
      if (jump !== undefined) settings.set('jump', { ...variable, value: jump });
    } else if (name !== undefined) settings.set(name, variable);
  }
  for (const { key, value, place } of settings.values()) {
    if (typeof value !== 'string' || !value.includes('{{')) continue;
    const message = `${quote(value)} is a template, which only Ansible can fill in`;
    const remedy = 'write the value, or give what `ansible-inventory -i FILE --list --yaml` prints';
    findings.error('VALUE_INVALID', place, key, message, remedy);
  }
  return settings;
}

const JUMP = /(?:^|\s)(?:-J\s{0,9}|-o\s{0,9}ProxyJump[=\s])(?:["']?)([^\s"']+)/;
const MAX_ARGUMENTS = 2000;

function jumpOf(value: unknown): string | undefined {
  return typeof value === 'string' ? JUMP.exec(value.slice(0, MAX_ARGUMENTS))?.[1] : undefined;
}
