/** The messages of this agent to all others: numbered, and each with the digests of its table and commands. */

import type { MeshView } from '../members/mesh-view.ts';
import { type AgentMessage, encodeAgentMessage } from '../wire/codec.ts';
import { MAX_GOSSIP_BYTES } from '../wire/limits.ts';
import type { MeshTransport } from '../wire/transport.ts';
import type { MeshCounters } from './mesh-counters.ts';

export interface SpeakerPorts {
  readonly transport: MeshTransport;
  readonly view: MeshView;
  readonly counters: MeshCounters;
  /** Whether others may take the experiment's time from this agent's clock. */
  readonly isTimed: () => boolean;
  /** Whether the others are asked to forward all that they receive. */
  readonly isPassOnAsked: () => boolean;
  /** If not all hosts are neighbours, messages contain a digest of the whole view. */
  readonly isSparse: () => boolean;
}

export type Said = Partial<
  Pick<AgentMessage, 'update' | 'leaving' | 'commands' | 'suspected' | 'spread' | 'rollCall'>
>;

export class Speaker {
  incarnation: number;
  readonly #ports: SpeakerPorts;
  readonly #own: { readonly topology: string; readonly host: string };
  #sequence = 0;

  constructor(
    ports: SpeakerPorts,
    { topology, host }: { topology: string; host: string },
    incarnation: number,
  ) {
    this.#ports = ports;
    this.#own = { topology, host };
    this.incarnation = incarnation;
  }

  /** Without arguments: a heartbeat. */
  say({ update, ...said }: Said = {}): void {
    const { counters, transport, view, isPassOnAsked, isSparse } = this.#ports;
    this.#sequence++;
    const viewDigest = isSparse() ? { viewDigest: view.members.digest } : {};
    const header = { ...this.header(), passOn: isPassOnAsked(), ...viewDigest };
    const bytes = encodeAgentMessage({ ...header, ...(update && { update }), ...said });
    // Too large for one message. The digest alone makes every receiver request the whole table, which is sent to each
    // in one piece.
    const sent = bytes.length <= MAX_GOSSIP_BYTES ? bytes : encodeAgentMessage(header);
    counters.sent(sent, 'gossip');
    transport.publish(sent);
  }

  /** Of the latest message. */
  header(): AgentMessage {
    const { view, isTimed } = this.#ports;
    return {
      ...{ ...this.#own, incarnation: this.incarnation, sequence: this.#sequence },
      ...{ digest: view.own.digest, leaving: false, timed: isTimed() },
      ...{ commands: [], commandDigest: view.commands.digest },
    };
  }
}
