/**
 * The mesh's messages as plain data, to and from bytes (proto/mesh.proto). Decoding never throws: bytes from others
 * give a message whose every field is within its limits, or a `Rejection`.
 */
import { isIP } from 'node:net';
import protobuf from 'protobufjs/minimal.js';
import { type Command, isHostName, isIncarnation } from '../../../proto/command.ts';
import { netfold } from '../../../proto/generated/mesh.js';
import { commandsFromWire, commandsToWire } from './command-codec.ts';
import type { Digest } from './digest.ts';
import * as limits from './limits.ts';
import { MAX_RATE_CODE } from './rate-code.ts';
import { isRejection, type Rejection, reject } from './rejections.ts';

const wire = netfold.mesh;

/** The sender: 16 hexadecimal digits of the topology's hash, the host's name, and when its agent started. */
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
  /** New ones, and the digest of all that the sender has. */
  readonly commands: readonly Command[];
  readonly commandDigest: Digest;
  /** The sender knows the experiment's time. */
  readonly timed: boolean;
  /** The sender misses direct messages of some hosts; others have to forward these. */
  readonly passOn?: boolean;
  /** Neighbours of the sender that are silent. */
  readonly suspected?: readonly Suspicion[];
  /** The message has to reach all, though it contains no change. */
  readonly spread?: boolean;
  /** All hosts have to announce themselves. */
  readonly rollCall?: boolean;
  /** Of the present hosts and their tables; only if not all hosts are neighbours. */
  readonly viewDigest?: Digest;
}

export interface Suspicion {
  readonly host: string;
  readonly incarnation: number;
  /** The latest that was received. */
  readonly sequence: number;
}

/** Whether a message says only that its sender is alive and unchanged. */
export function isHeartbeat(message: AgentMessage): boolean {
  const { update, leaving, commands, suspected, spread, rollCall } = message;
  return !update && !leaving && commands.length === 0 && !suspected && !spread && !rollCall;
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
  /** Its service is ready; only of services that others wait for. */
  readonly ready?: boolean;
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
  readonly incarnation: number;
  /** Of the last message that changed its table; and of that table's digest. */
  readonly tableSequence: number;
  readonly digestLow: number;
}

export interface StateRequest extends Sender {
  /** Of the commands that the asking agent has. */
  readonly commandDigest: Digest;
  /** The answer may leave out the other hosts: among hundreds, they are most of it. */
  readonly withoutKnown?: boolean;
}

export interface StateReply {
  readonly state: AgentMessage;
  readonly known: readonly KnownAgent[];
  /** 0: the asking host's name is unknown. */
  readonly yourIncarnation: number;
  /** All; none if the asking agent has the same. */
  readonly commands: readonly Command[];
}

export function encodeAgentMessage(message: AgentMessage): Uint8Array {
  return wire.AgentMessage.encode(toWire(message)).finish();
}

/** Decodes gossip. */
export function decodeAgentMessage(bytes: Uint8Array): AgentMessage | Rejection {
  return decode(bytes, limits.MAX_GOSSIP_BYTES, (reader) => fromWire(wire.AgentMessage.decode(reader)));
}

export function encodeStateRequest(request: StateRequest): Uint8Array {
  const { topology, host, incarnation, commandDigest, withoutKnown } = request;
  const sender = { topology: Buffer.from(topology, 'hex'), host, incarnation };
  const commands = commandDigestToWire(commandDigest);
  return wire.StateRequest.encode({ ...sender, ...commands, ...(withoutKnown && { withoutKnown }) }).finish();
}

export function decodeStateRequest(bytes: Uint8Array): StateRequest | Rejection {
  return decode(bytes, limits.MAX_QUESTION_BYTES, (reader) => {
    const request = wire.StateRequest.decode(reader);
    const sender = senderOf(request);
    if (isRejection(sender)) return sender;
    const commandDigest = commandDigestOf(request);
    return { ...sender, commandDigest, ...(request.withoutKnown && { withoutKnown: true }) };
  });
}

export function encodeStateReply(reply: StateReply): Uint8Array {
  return wire.StateReply.encode({
    state: toWire(reply.state),
    known: reply.known.map((agent) => ({ ...agent, addresses: [...agent.addresses] })),
    yourIncarnation: reply.yourIncarnation,
    commands: commandsToWire(reply.commands),
  }).finish();
}

export function decodeStateReply(bytes: Uint8Array): StateReply | Rejection {
  return decode(bytes, limits.MAX_STATE_BYTES, (reader) => {
    const { state, known, yourIncarnation, commands: all } = wire.StateReply.decode(reader);
    if (!state) return reject('MESSAGE_FIELD', 'state is missing');
    const message = fromWire(state);
    if (isRejection(message)) return message;
    if (yourIncarnation !== 0 && !isIncarnation(yourIncarnation)) {
      return reject('MESSAGE_FIELD', `your_incarnation ${yourIncarnation}`);
    }
    if (known.length > limits.MAX_HOSTS) return reject('TOO_MANY_HOSTS', `${known.length} known agents`);
    const agents = known.map(knownAgentOf);
    for (const { peer, addresses } of agents) {
      if (peer.length === 0 || peer.length > limits.MAX_PEER_ID_LENGTH) {
        return reject('MESSAGE_FIELD', `peer id of ${peer.length} characters`);
      }
      const wrong = wrongMeshAddress(addresses);
      if (wrong) return wrong;
    }
    const commands = commandsFromWire(all);
    return isRejection(commands) ? commands : { state: message, known: agents, yourIncarnation, commands };
  });
}

function knownAgentOf(agent: netfold.mesh.KnownAgent.$Properties): KnownAgent {
  return {
    peer: agent.peer ?? '',
    addresses: agent.addresses ?? [],
    incarnation: agent.incarnation ?? 0,
    tableSequence: agent.tableSequence ?? 0,
    digestLow: agent.digestLow ?? 0,
  };
}

/** Calls `read` with at most `maxBytes`; an exception gives a rejection, too. */
export function decode<T extends object>(
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
  const { topology, host, incarnation, sequence, digest, update, leaving, timed, passOn } = message;
  const { suspected, spread, rollCall, viewDigest: view } = message;
  return {
    topology: Buffer.from(topology, 'hex'),
    host,
    incarnation,
    sequence,
    entries: digest.entries,
    digestLow: digest.low,
    digestHigh: digest.high,
    leaving,
    commands: commandsToWire(message.commands),
    ...commandDigestToWire(message.commandDigest),
    timed,
    ...(passOn && { passOn }),
    ...(suspected && { suspected: [...suspected] }),
    ...(spread && { spread }),
    ...(rollCall && { rollCall }),
    ...(view && { viewCount: view.entries, viewLow: view.low, viewHigh: view.high }),
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
  const commands = commandsFromWire(message.commands ?? []);
  if (isRejection(commands)) return commands;
  const suspected = suspicionsOf(message.suspected ?? []);
  if (isRejection(suspected)) return suspected;
  return {
    ...sender,
    sequence,
    digest: { entries: message.entries ?? 0, low: message.digestLow ?? 0, high: message.digestHigh ?? 0 },
    ...(update && { update }),
    leaving: message.leaving ?? false,
    commands,
    commandDigest: commandDigestOf(message),
    timed: message.timed ?? false,
    ...(message.passOn && { passOn: true }),
    ...(suspected.length > 0 && { suspected }),
    ...(message.spread && { spread: true }),
    ...(message.rollCall && { rollCall: true }),
    ...(message.viewCount && { viewDigest: viewDigestOf(message) }),
  };
}

function viewDigestOf({ viewCount, viewLow, viewHigh }: netfold.mesh.AgentMessage.$Properties): Digest {
  return { entries: viewCount ?? 0, low: viewLow ?? 0, high: viewHigh ?? 0 };
}

function suspicionsOf(all: readonly netfold.mesh.Suspicion.$Properties[]): readonly Suspicion[] | Rejection {
  if (all.length > limits.MAX_SUSPICIONS) return reject('MESSAGE_FIELD', `${all.length} suspicions`);
  const suspicions: Suspicion[] = [];
  for (const { host, incarnation, sequence } of all) {
    if (!host || !isHostName(host) || !isIncarnation(incarnation)) {
      return reject('MESSAGE_FIELD', `suspected ${JSON.stringify(host).slice(0, 80)} ${incarnation}`);
    }
    suspicions.push({ host, incarnation, sequence: sequence ?? 0 });
  }
  return suspicions;
}

function commandDigestToWire({ entries, low, high }: Digest) {
  return { commandCount: entries, commandLow: low, commandHigh: high };
}

type WithCommandDigest = Pick<
  netfold.mesh.StateRequest.$Properties,
  'commandCount' | 'commandLow' | 'commandHigh'
>;

function commandDigestOf({ commandCount, commandLow, commandHigh }: WithCommandDigest): Digest {
  return { entries: commandCount ?? 0, low: commandLow ?? 0, high: commandHigh ?? 0 };
}

function senderOf(message: netfold.mesh.StateRequest.$Properties): Sender | Rejection {
  const { topology, host, incarnation } = message;
  if (topology?.length !== 8) return reject('MESSAGE_FIELD', `topology of ${topology?.length ?? 0} bytes`);
  if (!host || !isHostName(host)) return reject('MESSAGE_FIELD', `host ${JSON.stringify(host).slice(0, 80)}`);
  if (!isIncarnation(incarnation)) return reject('MESSAGE_FIELD', `incarnation ${incarnation}`);
  return { topology: Buffer.from(topology).toString('hex'), host, incarnation };
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
  for (const { number, addresses, gone, ready } of endpoints) {
    const texts = addresses ?? [];
    if (texts.length > limits.MAX_ADDRESSES_PER_ENDPOINT)
      return reject('MESSAGE_FIELD', `${texts.length} addresses`);
    const bad = texts.find((address) => isIP(address) === 0);
    if (bad !== undefined) return reject('MESSAGE_FIELD', `address ${JSON.stringify(bad).slice(0, 80)}`);
    changes.push({ number: number ?? 0, addresses: texts, gone: gone ?? false, ...(ready && { ready }) });
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
