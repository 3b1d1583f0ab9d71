/**
 * A file of Docker Compose (compose-spec.io) → `Topology`: every network is a bridge `NETWORK-net`, to which its services
 * are linked. Links have no latency and no bandwidth until somebody writes them.
 */
import { impairment } from '../../../proto/impairment.ts';
import { capabilityNamed } from '../../model/capabilities.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import { MAX_ENDPOINTS } from '../../model/limits.ts';
import type { Bridge, LinkPair, Service } from '../../model/model.ts';
import type { ParsedFile } from '../../model/parsed-file.ts';
import {
  commandWords,
  environment,
  imageName,
  isMapping,
  leaveOut,
  type Mapping,
  type Told,
  textOfScalar,
} from '../../networks/containers.ts';
import { DocumentNotes, fieldOf, type Path } from '../../networks/document-notes.ts';
import { NodeNames } from '../../networks/names.ts';
import { Notes } from '../../networks/notes.ts';
import { checked } from '../../networks/topology.ts';
import { YamlDocument } from '../native/yaml/document.ts';
import { CONTAINER_KEYS, containerSettings, restartOf, userOf } from './container-settings.ts';

/** What bridges are called after their network. */
const BRIDGE = '-net';
const DEFAULT_NETWORK = 'default';
const USED_OF_FILE = ['name', 'version', 'services', 'networks'];
const USED_OF_SERVICE = [
  ...['image', 'command', 'environment', 'networks', 'network_mode', 'scale', 'deploy'],
  ...['cap_add', 'cap_drop', '<<', ...CONTAINER_KEYS],
];

/** Gives `undefined` if there is nothing to check further; `findings` then has the reason. */
export function parseCompose(
  text: string,
  file: string,
  name: string,
  findings: Findings,
): ParsedFile | undefined {
  const document = YamlDocument.parse(text, findings);
  if (!document) return undefined;
  const root = document.value;
  if (!isMapping(root) || !isMapping(root.services) || Object.keys(root.services).length === 0) {
    const place = document.at(['services']);
    const message = 'this is no file of Docker Compose with services';
    findings.error('NO_SERVICES', place, 'services', message, 'write services: { web: { image: … } }');
    return undefined;
  }
  return new Reader(document, root, file, findings).read(name);
}

interface Network {
  readonly name: string;
  readonly path: Path;
  hasServices: boolean;
}

class Reader {
  readonly #document: YamlDocument;
  readonly #root: Mapping;
  readonly #findings: Findings;
  readonly #notes: Notes;
  readonly #told: DocumentNotes;
  readonly #names = new NodeNames();
  readonly #networks = new Map<string, Network>();
  readonly #links: LinkPair[] = [];

  constructor(document: YamlDocument, root: Mapping, file: string, findings: Findings) {
    this.#document = document;
    this.#root = root;
    this.#findings = findings;
    this.#notes = new Notes(findings);
    this.#told = new DocumentNotes(file, document, this.#notes);
  }

  read(otherwise: string): ParsedFile {
    const label = textOfScalar(this.#root.name);
    const name = label === undefined ? otherwise : new NodeNames().of(label, 'project');
    for (const key of Object.keys(this.#root))
      if (!USED_OF_FILE.includes(key) && !key.startsWith('x-')) this.#told.drop(key, 'graph', [key]);
    const all = Object.entries(this.#root.services as Mapping);
    // Services first: applications know their names.
    const names = all.map(([id]) => this.#nameOf(id));
    this.#readNetworks();
    const services = all.map(([id, value], index) => this.#service(names[index]!, value, ['services', id]));
    if (this.#links.length > 0) this.#tellOfProperties();
    const bridges = [...this.#networks.values()].flatMap((network): Bridge[] =>
      network.hasServices
        ? [{ name: network.name, tags: [], position: this.#told.position(network.path) }]
        : [],
    );
    this.#notes.settle();
    return checked({ name, services, bridges, links: this.#links }, { findings: this.#findings });
  }

  #nameOf(id: string): string {
    const name = this.#names.of(id);
    if (name !== id) {
      const message = `${quote(id)} is called ${name} here, since names are host names`;
      this.#told.tell(
        'NAME_CHANGED',
        'services with other names here',
        ['services', id],
        message,
        'use this name in commands',
      );
    }
    return name;
  }

  #readNetworks(): void {
    const { networks } = this.#root;
    for (const [id, value] of Object.entries(isMapping(networks) ? networks : {})) {
      const path = ['networks', id];
      this.#addNetwork(id, path);
      for (const key of Object.keys(isMapping(value) ? value : {}))
        this.#told.drop(key, 'network', [...path, key]);
    }
  }

  #addNetwork(id: string, path: Path): Network {
    const name = this.#names.of(`${id}${BRIDGE}`);
    if (name !== `${id}${BRIDGE}`) {
      const message = `the network ${quote(id)} is the bridge ${name} here, since names are host names`;
      this.#told.tell(
        'NAME_CHANGED',
        'networks with other names here',
        path,
        message,
        'use this name in commands',
      );
    }
    const network = { name, path, hasServices: false };
    this.#networks.set(id, network);
    return network;
  }

  #service(name: string, value: unknown, path: Path): Service {
    const settings = isMapping(value) ? merged(value) : {};
    const told = { place: this.#document.at(path), field: fieldOf(path), notes: this.#notes };
    for (const key of Object.keys(settings))
      if (!USED_OF_SERVICE.includes(key)) this.#told.drop(key, 'service', [...path, key]);
    this.#link(name, settings, path);
    const env = environment(settings.environment, told);
    const image = imageName(settings.image, told);
    const command = commandWords(settings.command, told);
    this.#tellOfVariables([image, ...(command ?? []), ...Object.values(env ?? {})], path);
    const capAdd = capabilities('cap_add', settings, told);
    const capDrop = capabilities('cap_drop', settings, told);
    const replicas = this.#replicas(settings, told);
    const container = containerSettings(settings, replicas, told);
    const user = userOf(settings.user, image !== undefined, told);
    const restart = restartOf(settings.restart, told);
    return {
      ...{ name, replicas },
      ...(env && { env }),
      ...(capAdd && { capAdd }),
      ...(capDrop && { capDrop }),
      ...(image !== undefined && { image }),
      ...(command && { command }),
      ...(container && { container }),
      ...(user !== undefined && { user: { name: user, position: this.#told.position([...path, 'user']) } }),
      ...(restart && { restart }),
      tags: [],
      forward: false,
      shareLinks: false,
      position: this.#told.position(path),
    };
  }

  #replicas({ scale, deploy }: Mapping, told: Told): number {
    const used = ['replicas', 'resources'];
    const rest = isMapping(deploy) ? Object.keys(deploy).filter((key) => !used.includes(key)) : [];
    for (const key of rest) this.#notes.drop(`deploy.${key}`, 'service', told.place, told.field);
    const value = scale ?? (isMapping(deploy) ? deploy.replicas : undefined);
    if (value === undefined || value === null) return 1;
    const number = Number(value);
    if (Number.isInteger(number) && number >= 1 && number <= MAX_ENDPOINTS) return number;
    const what = 'numbers of replicas that are none';
    const message = `${quote(value)} is no number of replicas from 1 to ${MAX_ENDPOINTS}: there is one`;
    told.notes.tell({ code: 'VALUE_INVALID', what }, told.place, told.field, message, '');
    return 1;
  }

  /** To each of its networks, or to the default one. */
  #link(name: string, settings: Mapping, path: Path): void {
    if (settings.network_mode !== undefined) {
      const message = `network_mode ${quote(settings.network_mode)} is none of the file's networks: the service has no links`;
      this.#told.tell('LINK_LEFT_OUT', 'network_mode', path, message, 'convert the file and link it there');
      return;
    }
    const { networks } = settings;
    const listed = Array.isArray(networks)
      ? networks.map(textOfScalar)
      : isMapping(networks)
        ? Object.keys(networks)
        : [];
    if (isMapping(networks))
      for (const [id, value] of Object.entries(networks))
        for (const key of Object.keys(isMapping(value) ? value : {}))
          this.#told.drop(key, 'network of a service', [...path, 'networks', id, key]);
    const ids = new Set(listed.length > 0 ? listed : [DEFAULT_NETWORK]);
    for (const id of ids) {
      const network = id === undefined ? undefined : this.#networkNamed(id);
      if (network) {
        network.hasServices = true;
        const none = impairment({});
        const position = this.#told.position([...path, 'networks']);
        this.#links.push({ from: name, to: network.name, up: none, down: none, tags: [], position });
      } else {
        const message = `there is no network ${quote(id ?? '')}`;
        const place = this.#document.at([...path, 'networks']);
        const remedy = 'name a network of this file';
        this.#findings.error('NAME_UNKNOWN', place, `${fieldOf(path)}.networks`, message, remedy);
      }
    }
  }

  #networkNamed(id: string): Network | undefined {
    const known = this.#networks.get(id);
    return known ?? (id === DEFAULT_NETWORK ? this.#addNetwork(id, ['services']) : undefined);
  }

  #tellOfVariables(texts: readonly (string | undefined)[], path: Path): void {
    const text = texts.find((one) => one !== undefined && /\$(?:\{|[A-Za-z_])/.test(one));
    if (text === undefined) return;
    const message = `${quote(text)} has a variable, which is not replaced`;
    this.#told.tell(
      'VALUE_INVALID',
      'variables',
      path,
      message,
      'give docker compose config, which replaces them',
    );
  }

  #tellOfProperties(): void {
    const message = 'networks of containers have no latency, loss or bandwidth: neither have the links here';
    const remedy = 'convert the file and write them there, or set them while it runs';
    this.#told.tell('LATENCY_ASSUMED', 'links without properties', ['services'], message, remedy);
  }
}

/** With what `<<` brings in: YAML's merge key, which YAML 1.2 has no more and Compose's files have. */
function merged(settings: Mapping): Mapping {
  const brought = settings['<<'];
  const others = (Array.isArray(brought) ? brought : [brought]).filter(isMapping);
  return others.length === 0 ? settings : Object.assign({}, ...others.toReversed(), settings);
}

function capabilities(
  key: 'cap_add' | 'cap_drop',
  settings: Mapping,
  told: Told,
): readonly string[] | undefined {
  const value = settings[key];
  if (value === undefined || value === null) return undefined;
  const texts = Array.isArray(value) ? value.map((one) => textOfScalar(one) ?? '') : [String(value)];
  const names = texts.flatMap((text) => {
    const name = capabilityNamed(text);
    if (name === undefined)
      leaveOut('capabilities that are none', `there is no capability ${quote(text)}`, told);
    return name ?? [];
  });
  return names.length > 0 ? names : undefined;
}
