/** What this agent says to all: numbered, and each time with what its table and commands add up to. */
import type { Command } from '../../proto/control.ts';
import { type AgentMessage, encodeAgentMessage, type TableUpdate } from './codec.ts';
import { MAX_GOSSIP_BYTES } from './limits.ts';
import type { MeshCounters } from './mesh-counters.ts';
import type { MeshView } from './mesh-view.ts';
import type { MeshTransport } from './transport.ts';

export interface SpeakerPorts {
  readonly transport: MeshTransport;
  readonly view: MeshView;
  readonly counters: MeshCounters;
  /** Whether the own clock is one to learn the experiment's time from. */
  readonly isTimed: () => boolean;
  /** Whether the others are asked to pass on all that they hear. */
  readonly isPassOnAsked: () => boolean;
}

export interface Said {
  readonly update?: TableUpdate;
  readonly leaving?: boolean;
  readonly commands?: readonly Command[];
}

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
  say({ update, leaving = false, commands = [] }: Said = {}): void {
    const { counters, transport, isPassOnAsked } = this.#ports;
    this.#sequence++;
    const header = { ...this.header(leaving), passOn: isPassOnAsked() };
    const bytes = encodeAgentMessage({ ...header, ...(update && { update }), commands });
    // Too much at once: the digest alone makes everyone ask for the whole, which is sent in one piece to each.
    const sent = bytes.length <= MAX_GOSSIP_BYTES ? bytes : encodeAgentMessage(header);
    counters.sent(sent, 'gossip');
    transport.publish(sent);
  }

  /** Of the latest message. */
  header(leaving = false): AgentMessage {
    const { view, isTimed } = this.#ports;
    return {
      ...{ ...this.#own, incarnation: this.incarnation, sequence: this.#sequence },
      ...{ digest: view.own.digest, leaving, timed: isTimed() },
      ...{ commands: [], commandDigest: view.commands.digest },
    };
  }
}
