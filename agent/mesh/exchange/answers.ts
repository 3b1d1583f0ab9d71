/** Answers the requests of other agents, up to their allowance. */

import { fromMillis } from '../../../proto/units.ts';
import type { Clock } from '../../clock/clock.ts';
import type { ClockSync } from '../../clock/clock-sync.ts';
import type { ExperimentClock } from '../../clock/experiment-clock.ts';
import type { MeshView } from '../members/mesh-view.ts';
import type { Admission } from '../trust/admission.ts';
import { decodeClockRequest, encodeClockReply } from '../wire/clock-codec.ts';
import { type AgentMessage, decodeStateRequest, encodeStateReply } from '../wire/codec.ts';
import { isRejection, type Rejection, reject } from '../wire/rejections.ts';
import type { RequestKind } from '../wire/transport.ts';
import type { MeshCounters } from './mesh-counters.ts';
import type { PeerLimits } from './peer-limits.ts';

export interface AnswersPorts {
  readonly view: MeshView;
  readonly admission: Admission;
  readonly limits: PeerLimits;
  readonly counters: MeshCounters;
  readonly clock: Clock;
  readonly time: ExperimentClock;
  readonly clocks: ClockSync;
  /** All fields of a message except its update. */
  readonly header: () => Omit<AgentMessage, 'update'>;
}

export class Answers {
  readonly #ports: AnswersPorts;

  constructor(ports: AnswersPorts) {
    this.#ports = ports;
  }

  /** `undefined`: refused, and counted. */
  answer(kind: RequestKind, bytes: Uint8Array, peer: string): Uint8Array | undefined {
    const { counters, admission, limits } = this.#ports;
    // Read first, because the answer contains this time.
    const received = this.#micros();
    counters.received(bytes, kind);
    const answer =
      admission.refusePeer(peer) ??
      limits.refuseQuestion(kind, peer) ??
      (kind === 'clock' ? this.#time(bytes, received) : this.#state(bytes, peer));
    if (isRejection(answer)) {
      counters.rejected(answer, { peer });
      return undefined;
    }
    counters.sent(answer, kind);
    return answer;
  }

  #state(bytes: Uint8Array, peer: string): Uint8Array | Rejection {
    const { view, header } = this.#ports;
    const asking = decodeStateRequest(bytes);
    if (isRejection(asking)) return asking;
    return encodeStateReply({
      state: { ...header(), update: view.own.toUpdate() },
      known: asking.withoutKnown ? [] : view.members.known().filter((agent) => agent.peer !== peer),
      yourIncarnation: view.members.incarnationOf(peer),
      commands: view.commands.isSame(asking.commandDigest) ? [] : view.commands.all(),
    });
  }

  #time(bytes: Uint8Array, received: number): Uint8Array | Rejection {
    const asking = decodeClockRequest(bytes);
    if (isRejection(asking)) return asking;
    const { topology, incarnation } = this.#ports.header();
    if (asking.topology !== topology) {
      return reject('TOPOLOGY_DIFFERS', `a question for the time of topology ${asking.topology}`);
    }
    const { timed } = this.#ports.clocks;
    return encodeClockReply({ incarnation, timed, received, sent: this.#micros() });
  }

  /** The experiment's time, if this agent may give it to others. */
  #micros(): number {
    const { clock, clocks, time } = this.#ports;
    return (clocks.timed ? time.exact() : undefined) ?? fromMillis(clock.now());
  }
}
