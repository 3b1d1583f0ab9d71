/**
 * Which peers may take part in a mesh, with which host name and which endpoints. Without rules: every peer, with all
 * endpoints.
 */

import { isHostName, isPeerId } from '../../../proto/command.ts';
import { readPrivate } from '../../files/private-files.ts';
import { MeshError } from '../errors.ts';
import { addressText } from '../wire/address-text.ts';
import { MAX_HOSTS } from '../wire/limits.ts';
import { type Rejection, reject } from '../wire/rejections.ts';

export interface AllowedPeer {
  readonly peer: string;
  /** The only host name that it may use; no other peer may use a name that an entry contains. */
  readonly host?: string | undefined;
}

/** A line of an allow-list. */
export interface ListedPeer extends AllowedPeer {
  /** Names of endpoints or of services that are assigned to the host; they count in the list of `netfold up`. */
  readonly endpoints: readonly string[];
}

export interface AdmissionRules {
  /** Absent: every peer that can connect. */
  readonly allow?: readonly AllowedPeer[] | undefined;
  /** Name of the only host that may have the endpoint, by the endpoint's name; absent: any host may claim it. */
  readonly assignment?: Readonly<Record<string, string>> | undefined;
  /** Addresses that belong to an endpoint, by its name; no other endpoint can have them. */
  readonly addresses?: Readonly<Record<string, readonly string[]>> | undefined;
}

export class Admission {
  readonly #hostOfPeer: ReadonlyMap<string, string | undefined> | undefined;
  readonly #boundHosts: ReadonlySet<string>;
  /** Every peer on the list has a name, so these are all names that there can be. */
  readonly #isEachBound: boolean;
  /** By the endpoint's number. */
  readonly #hostOfEndpoint: (string | undefined)[];
  readonly #endpointNames: readonly string[];
  readonly #endpointOf: ReadonlyMap<string, number>;

  /** `endpointNames`: `Graph.endpoints`. Throws `MeshError` (`MESH_ALLOW_LIST`). */
  constructor(
    { allow, assignment = {}, addresses = {} }: AdmissionRules = {},
    endpointNames: readonly string[] = [],
  ) {
    if (allow) requireList(allow);
    this.#hostOfPeer = allow && new Map(allow.map(({ peer, host }) => [peer, host]));
    this.#isEachBound = allow?.every(({ host }) => host !== undefined) ?? false;
    this.#boundHosts = new Set(allow?.flatMap(({ host }) => host ?? []));
    const hosts = new Map(Object.entries(assignment));
    this.#hostOfEndpoint = endpointNames.map((name) => hosts.get(name));
    this.#endpointNames = endpointNames;
    const known = new Map(Object.entries(addresses));
    this.#endpointOf = new Map(
      endpointNames.flatMap((name, number) =>
        (known.get(name) ?? []).map((address) => [addressText(address), number] as const),
      ),
    );
  }

  /** From the rules; absent if no endpoint is assigned. */
  get assignment(): Readonly<Record<string, string>> | undefined {
    const entries = this.#endpointNames.flatMap((name, number) => {
      const host = this.#hostOfEndpoint[number];
      return host === undefined ? [] : [[name, host] as const];
    });
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }

  /** From now on, only `host` may have the endpoint. What another host announced of it before stays unchanged. */
  assign(endpoint: number, host: string): void {
    this.#hostOfEndpoint[endpoint] = host;
  }

  /** Number of the endpoint to which an address belongs (`addressText`); `undefined`: whoever has it first. */
  endpointOf(address: string): number | undefined {
    return this.#endpointOf.get(address);
  }

  /** The only host that `peer` may be; `undefined`: the list does not say so, or there is none. */
  hostOf(peer: string): string | undefined {
    return this.#hostOfPeer?.get(peer);
  }

  /** Whether `peer` may connect, and its messages are accepted. */
  admits(peer: string): boolean {
    return this.#hostOfPeer?.has(peer) ?? true;
  }

  refusePeer(peer: string): Rejection | undefined {
    return this.admits(peer) ? undefined : reject('PEER_NOT_ALLOWED', `${peer} is not on the allow-list`);
  }

  refuseHost(peer: string, host: string): Rejection | undefined {
    const bound = this.#hostOfPeer?.get(peer);
    if (bound === undefined ? !this.#boundHosts.has(host) : bound === host) return undefined;
    const may = bound === undefined ? 'which is another peer' : `but may only be ${bound}`;
    return reject('HOST_NOT_ALLOWED', `${peer} says that it is ${host}, ${may}`);
  }

  /** For commands: an agent that has left may have issued them, but no agent that could not have been here. */
  refuseOrigin(host: string): Rejection | undefined {
    if (!this.#isEachBound || this.#boundHosts.has(host)) return undefined;
    return reject('COMMAND_FOREIGN', `no peer may be ${host}, in whose name there is a command`);
  }

  refuseEndpoint(host: string, endpoint: number): Rejection | undefined {
    const owner = this.#hostOfEndpoint[endpoint];
    if (owner === undefined || owner === host) return undefined;
    return reject('ENDPOINT_FOREIGN', `${host} speaks for endpoint ${endpoint}, which is on ${owner}`);
  }
}

/**
 * An allow-list as text: `PEER [HOST [ENDPOINT]…]` a line, `#` begins a comment. Throws `MeshError` (`MESH_ALLOW_LIST`), which names
 * the line.
 */
export function parseAllowList(text: string, file: string): ListedPeer[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    if (words[0] === '') return [];
    const [peer, host, ...endpoints] = words as [string, string?, ...string[]];
    const entry = { peer, ...(host !== undefined && { host }), endpoints };
    requireEntry(entry, `${file}:${index + 1}: `);
    return [entry];
  });
}

/**
 * Others may have read permission for the file, but not write permission. Throws like `parseAllowList` and
 * `readPrivate`.
 */
export function readAllowList(path: string): AllowedPeer[] {
  return readListedPeers(path).map(({ endpoints: _, ...peer }) => peer);
}

/** The same, with what is assigned to them. */
export function readListedPeers(path: string): ListedPeer[] {
  const list = parseAllowList(readPrivate(path, { what: 'the allow-list', readable: true }), path);
  requireList(list);
  return list;
}

function requireList(list: readonly AllowedPeer[]): void {
  if (list.length > MAX_HOSTS)
    throw wrongList(`the allow-list has ${list.length} peers, at most ${MAX_HOSTS}`);
  const seen = new Set<string>();
  for (const entry of list) {
    requireEntry(entry, '');
    if (seen.has(entry.peer)) throw wrongList(`the allow-list has ${entry.peer} twice`);
    seen.add(entry.peer);
  }
}

function requireEntry({ peer, host }: AllowedPeer, where: string): void {
  if (!isPeerId(peer)) throw wrongList(`${where}${JSON.stringify(peer).slice(0, 80)} is not a peer id`);
  if (host !== undefined && !isHostName(host))
    throw wrongList(`${where}${JSON.stringify(host).slice(0, 80)} can't be the name of a host`);
}

function wrongList(message: string): MeshError {
  return new MeshError('MESH_ALLOW_LIST', message, {
    remedy:
      "write a line `PEER [HOST [ENDPOINT]…]` for each agent; an agent's `netfold mesh identity FOLDER` prints its peer id",
    blame: 'input',
  });
}
