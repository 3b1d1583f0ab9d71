/** Brings the own table of a view to this host's present state. Returns the difference, which is announced. */
import { isIP } from 'node:net';
import { MeshError } from '../errors.ts';
import type { MeshView } from '../members/mesh-view.ts';
import type { EndpointChange, FlowColumns } from '../wire/codec.ts';
import { MAX_ADDRESSES_PER_ENDPOINT } from '../wire/limits.ts';
import { encodeRate } from '../wire/rate-code.ts';

export interface OwnEndpoint {
  readonly number: number;
  /** IPv4 or IPv6, at most `MAX_ADDRESSES_PER_ENDPOINT`. */
  readonly addresses: readonly string[];
  readonly isReady?: boolean;
}

export interface FlowChange {
  readonly source: number;
  readonly destination: number;
  /** bit/s, rounded as by `announcedRate`; 0: the flow has stopped. */
  readonly rateBps: number;
  readonly greedy: boolean;
}

/**
 * `endpoints`: all that this host has now. Missing ones are withdrawn first. Their flows stay in the table until they
 * are announced as stopped, but do not count (`MeshView.forEachRemoteFlow`).
 *
 * @param names - of all endpoints, by number
 *
 * Throws `MeshError` (`MESH_ENDPOINT`) before anything is changed: the others would refuse the whole message.
 */
export function changeEndpoints(
  view: MeshView,
  endpoints: readonly OwnEndpoint[],
  names: readonly string[],
): EndpointChange[] {
  requireEndpoints(endpoints, names);
  const changes: EndpointChange[] = [];
  const kept = new Set(endpoints.map(({ number }) => number));
  for (const number of [...view.own.endpoints.keys()]) {
    if (kept.has(number)) continue;
    view.setOwnEndpoint(number, undefined);
    changes.push({ number, addresses: [], gone: true });
  }
  for (const { number, addresses, isReady = false } of endpoints) {
    if (view.setOwnEndpoint(number, [...addresses], isReady))
      changes.push({ number, addresses, gone: false, ...(isReady && { ready: true }) });
  }
  return changes;
}

/** Leaves out known values. */
export function changeFlows({ own }: MeshView, changes: readonly FlowChange[]): FlowColumns {
  const flows = { sources: [] as number[], destinations: [] as number[], states: [] as number[] };
  for (const { source, destination, rateBps, greedy } of changes) {
    const state = rateBps > 0 ? 2 * encodeRate(rateBps) + (greedy ? 1 : 0) : 0;
    if (!own.setFlow(own.flowKey(source, destination), state)) continue;
    flows.sources.push(source);
    flows.destinations.push(destination);
    flows.states.push(state);
  }
  return flows;
}

function requireEndpoints(endpoints: readonly OwnEndpoint[], names: readonly string[]): void {
  const seen = new Set<number>();
  for (const { number, addresses } of endpoints) {
    const name = names[number];
    if (name === undefined)
      throw wrongEndpoint(`${number} is none of the topology's ${names.length} endpoints`);
    if (seen.has(number)) throw wrongEndpoint(`${name} is there twice`);
    seen.add(number);
    const bad = addresses.find((address) => isIP(address) === 0);
    if (bad !== undefined) throw wrongEndpoint(`${name} has the address ${JSON.stringify(bad).slice(0, 80)}`);
    if (addresses.length > MAX_ADDRESSES_PER_ENDPOINT) {
      throw wrongEndpoint(`${name} has ${addresses.length} addresses, at most ${MAX_ADDRESSES_PER_ENDPOINT}`);
    }
  }
}

function wrongEndpoint(what: string): MeshError {
  return new MeshError('MESH_ENDPOINT', `the endpoints of this host can't be announced: ${what}`, {
    remedy: 'give each endpoint of the topology once, with its IPv4 and IPv6 addresses',
    blame: 'input',
  });
}
