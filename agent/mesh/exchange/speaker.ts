/** What this agent says to all: numbered, and each time with what its table and commands add up to. */

import type { MeshView } from '../members/mesh-view.ts';
import { type AgentMessage, encodeAgentMessage } from '../wire/codec.ts';
import { MAX_GOSSIP_BYTES } from '../wire/limits.ts';
import type { MeshTransport } from '../wire/transport.ts';
import type { MeshCounters } from './mesh-counters.ts';

export interface SpeakerPorts {
  readonly transport: MeshTransport;
  readonly view: MeshView;
  readonly counters: MeshCounters;
  /** Whether the own clock is one to learn the experiment's time from. */
  readonly isTimed: () => boolean;
  /** Whether the others are asked to pass on all that they hear. */
  readonly isPassOnAsked: () => boolean;
  /** Not all hear all: neighbours are told what is known of the others. */
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

  /** Nothing said: a heartbeat. */
  say({ update, ...said }: Said = {}): void {
    const { counters, transport, view, isPassOnAsked, isSparse } = this.#ports;
    this.#sequence++;
    const viewDigest = isSparse() ? { viewDigest: view.members.digest } : {};
    const header = { ...this.header(), passOn: isPassOnAsked(), ...viewDigest };
    const bytes = encodeAgentMessage({ ...header, ...(update && { update }), ...said });
    // Too much at once: the digest alone makes everyone ask for the whole, which is sent in one piece to each.
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
