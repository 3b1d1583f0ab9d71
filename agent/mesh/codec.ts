/**
 * The mesh's messages as plain data, to and from bytes (proto/mesh.proto). Decoding never throws: bytes from others
 * give a message whose every field is within its limits, or a `Rejection`.
 */
import { isIP } from 'node:net';
import protobuf from 'protobufjs/minimal.js';
import { netfold } from '../../proto/generated/mesh.js';
import * as limits from './limits.ts';
import { MAX_RATE_CODE } from './rate-code.ts';

const wire = netfold.mesh;

/** Why something that another agent sent is not applied. */
export type RejectCode =
  | 'MESSAGE_TOO_LARGE'
  | 'MESSAGE_MALFORMED'
  | 'MESSAGE_FIELD'
  | 'TOPOLOGY_DIFFERS'
  | 'ENDPOINT_UNKNOWN'
  | 'STALE_INCARNATION'
  | 'STALE_SEQUENCE'
  | 'HOST_LEFT'
  | 'HOST_CLAIMED'
  | 'PEER_HAS_OTHER_HOST'
  | 'TOO_MANY_HOSTS'
  | 'TOO_MANY_FLOWS'
  | 'TOO_MANY_CLAIMS'
  | 'REQUEST_RATE';

export interface Rejection {
  readonly rejected: RejectCode;
  /** The offending field and value. */
  readonly reason: string;
}

export const reject = (rejected: RejectCode, reason: string): Rejection => ({ rejected, reason });
export const isRejection = (value: object): value is Rejection => 'rejected' in value;

/** A sum over the entries of a table that does not depend on their order. */
export interface Digest {
  readonly entries: number;
  /** Halves of a 64-bit sum. */
  readonly low: number;
  readonly high: number;
}

/** Who sends: 16 hexadecimal digits of the topology's hash, the host's name, and when its agent started. */
export interface Sender {
  readonly topology: string;
  readonly host: string;
  readonly incarnation: number;
}

export interface AgentMessage extends Sender {
  readonly sequence: number;
  readonly digest: Digest;
  readonly update?: TableUpdate;
  readonly leaving: boolean;
}

export interface TableUpdate {
  readonly whole: boolean;
  readonly meshAddresses: readonly string[];
  readonly endpoints: readonly EndpointChange[];
  readonly flows: FlowColumns;
}

export interface EndpointChange {
  readonly number: number;
  readonly addresses: readonly string[];
  readonly gone: boolean;
}

/** Columns of one length. A state is 2 × the rate's code, plus 1 for a greedy flow; 0: the flow has stopped. */
export interface FlowColumns {
  readonly sources: readonly number[];
  readonly destinations: readonly number[];
  readonly states: readonly number[];
}

export interface KnownAgent {
  readonly peer: string;
  readonly addresses: readonly string[];
}

export interface StateReply {
  readonly state: AgentMessage;
  readonly known: readonly KnownAgent[];
  /** 0: the asking host's name was never heard. */
  readonly yourIncarnation: number;
}

export function encodeAgentMessage(message: AgentMessage): Uint8Array {
  return wire.AgentMessage.encode(toWire(message)).finish();
}

/** Decodes gossip. */
export function decodeAgentMessage(bytes: Uint8Array): AgentMessage | Rejection {
  return decode(bytes, limits.MAX_GOSSIP_BYTES, (reader) => fromWire(wire.AgentMessage.decode(reader)));
}

export function encodeStateRequest(sender: Sender): Uint8Array {
  return wire.StateRequest.encode({ ...sender, topology: Buffer.from(sender.topology, 'hex') }).finish();
}

export function decodeStateRequest(bytes: Uint8Array): Sender | Rejection {
  return decode(bytes, limits.MAX_GOSSIP_BYTES, (reader) => senderOf(wire.StateRequest.decode(reader)));
}

export function encodeStateReply(reply: StateReply): Uint8Array {
  return wire.StateReply.encode({
    state: toWire(reply.state),
    known: reply.known.map(({ peer, addresses }) => ({ peer, addresses: [...addresses] })),
    yourIncarnation: reply.yourIncarnation,
  }).finish();
}

export function decodeStateReply(bytes: Uint8Array): StateReply | Rejection {
  return decode(bytes, limits.MAX_STATE_BYTES, (reader) => {
    const { state, known, yourIncarnation } = wire.StateReply.decode(reader);
    if (!state) return reject('MESSAGE_FIELD', 'state is missing');
    const message = fromWire(state);
    if (isRejection(message)) return message;
    if (yourIncarnation !== 0 && !isIncarnation(yourIncarnation)) {
      return reject('MESSAGE_FIELD', `your_incarnation ${yourIncarnation}`);
    }
    if (known.length > limits.MAX_HOSTS) return reject('TOO_MANY_HOSTS', `${known.length} known agents`);
    const agents = known.map((agent) => ({ peer: agent.peer ?? '', addresses: agent.addresses ?? [] }));
    for (const { peer, addresses } of agents) {
      if (peer.length === 0 || peer.length > limits.MAX_PEER_ID_LENGTH) {
        return reject('MESSAGE_FIELD', `peer id of ${peer.length} characters`);
      }
      const wrong = wrongMeshAddress(addresses);
      if (wrong) return wrong;
    }
    return { state: message, known: agents, yourIncarnation };
  });
}

function decode<T extends object>(
  bytes: Uint8Array,
  maxBytes: number,
  read: (reader: protobuf.Reader) => T | Rejection,
): T | Rejection {
  if (bytes.length > maxBytes)
    return reject('MESSAGE_TOO_LARGE', `${bytes.length} bytes, at most ${maxBytes}`);
  try {
    const reader = protobuf.Reader.create(bytes);
    reader.discardUnknown = true;
    return read(reader);
  } catch (error) {
    return reject('MESSAGE_MALFORMED', error instanceof Error ? error.message : String(error));
  }
}

function toWire(message: AgentMessage): netfold.mesh.AgentMessage.$Properties {
  const { topology, host, incarnation, sequence, digest, update, leaving } = message;
  return {
    topology: Buffer.from(topology, 'hex'),
    host,
    incarnation,
    sequence,
    entries: digest.entries,
    digestLow: digest.low,
    digestHigh: digest.high,
    leaving,
    ...(update && {
      update: {
        whole: update.whole,
        meshAddresses: [...update.meshAddresses],
        endpoints: update.endpoints.map((endpoint) => ({ ...endpoint, addresses: [...endpoint.addresses] })),
        flowSources: update.flows.sources as number[],
        flowDestinations: update.flows.destinations as number[],
        flowStates: update.flows.states as number[],
      },
    }),
  };
}

function fromWire(message: netfold.mesh.AgentMessage.$Properties): AgentMessage | Rejection {
  const sender = senderOf(message);
  if (isRejection(sender)) return sender;
  const sequence = message.sequence ?? 0;
  if (sequence === 0) return reject('MESSAGE_FIELD', 'sequence 0');
  const update = message.update ? updateOf(message.update) : undefined;
  if (update && isRejection(update)) return update;
  return {
    ...sender,
    sequence,
    digest: { entries: message.entries ?? 0, low: message.digestLow ?? 0, high: message.digestHigh ?? 0 },
    ...(update && { update }),
    leaving: message.leaving ?? false,
  };
}

/** What the name of a host may be. */
export const HOST_NAME = new RegExp(`^[\\x21-\\x7e]{1,${limits.MAX_HOST_NAME_LENGTH}}$`);

function senderOf(message: netfold.mesh.StateRequest.$Properties): Sender | Rejection {
  const { topology, host, incarnation } = message;
  if (topology?.length !== 8) return reject('MESSAGE_FIELD', `topology of ${topology?.length ?? 0} bytes`);
  if (!host || !HOST_NAME.test(host))
    return reject('MESSAGE_FIELD', `host ${JSON.stringify(host).slice(0, 80)}`);
  if (!isIncarnation(incarnation)) return reject('MESSAGE_FIELD', `incarnation ${incarnation}`);
  return { topology: Buffer.from(topology).toString('hex'), host, incarnation };
}

function isIncarnation(value: number | null | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function updateOf(update: netfold.mesh.Update.$Properties): TableUpdate | Rejection {
  const meshAddresses = update.meshAddresses ?? [];
  const flows = {
    sources: update.flowSources ?? [],
    destinations: update.flowDestinations ?? [],
    states: update.flowStates ?? [],
  };
  const endpoints = update.endpoints ?? [];
  if (endpoints.length > limits.MAX_ENDPOINTS_PER_HOST) {
    return reject('MESSAGE_FIELD', `${endpoints.length} endpoints`);
  }
  const wrong = wrongMeshAddress(meshAddresses) ?? wrongFlows(flows);
  if (wrong) return wrong;
  const changes: EndpointChange[] = [];
  for (const { number, addresses, gone } of endpoints) {
    const texts = addresses ?? [];
    if (texts.length > limits.MAX_ADDRESSES_PER_ENDPOINT)
      return reject('MESSAGE_FIELD', `${texts.length} addresses`);
    const bad = texts.find((address) => isIP(address) === 0);
    if (bad !== undefined) return reject('MESSAGE_FIELD', `address ${JSON.stringify(bad).slice(0, 80)}`);
    changes.push({ number: number ?? 0, addresses: texts, gone: gone ?? false });
  }
  return { whole: update.whole ?? false, meshAddresses, endpoints: changes, flows };
}

function wrongMeshAddress(addresses: readonly string[]): Rejection | undefined {
  if (addresses.length > limits.MAX_MESH_ADDRESSES) {
    return reject('MESSAGE_FIELD', `${addresses.length} mesh addresses`);
  }
  const bad = addresses.find(
    (address) => !address.startsWith('/') || address.length > limits.MAX_MESH_ADDRESS_LENGTH,
  );
  return bad === undefined
    ? undefined
    : reject('MESSAGE_FIELD', `mesh address ${JSON.stringify(bad).slice(0, 80)}`);
}

function wrongFlows({ sources, destinations, states }: FlowColumns): Rejection | undefined {
  if (destinations.length !== sources.length || states.length !== sources.length) {
    return reject(
      'MESSAGE_FIELD',
      `flows of ${sources.length}, ${destinations.length} and ${states.length} columns`,
    );
  }
  if (sources.length > limits.MAX_FLOWS_PER_HOST) return reject('TOO_MANY_FLOWS', `${sources.length} flows`);
  const state = states.find((value) => value > 2 * MAX_RATE_CODE + 1);
  return state === undefined ? undefined : reject('MESSAGE_FIELD', `flow state ${state}`);
}
