/** Sends requests to other agents, and checks and counts their answers. */

import type { Clock } from '../../clock/clock.ts';
import type { Exchange } from '../../clock/peer-clock.ts';
import { decodeClockReply, encodeClockRequest } from '../wire/clock-codec.ts';
import { decodeStateReply, encodeStateRequest, type StateReply, type StateRequest } from '../wire/codec.ts';
import { isRejection, type Rejection } from '../wire/rejections.ts';
import type { MeshTransport, RequestKind } from '../wire/transport.ts';
import type { MeshCounters } from './mesh-counters.ts';
import type { PeerLimits } from './peer-limits.ts';

export interface QuestionsPorts {
  readonly transport: MeshTransport;
  readonly clock: Clock;
  readonly limits: PeerLimits;
  readonly counters: MeshCounters;
  readonly asking: () => StateRequest;
}

export class Questions {
  readonly #ports: QuestionsPorts;

  constructor(ports: QuestionsPorts) {
    this.#ports = ports;
  }

  /** Requests its whole table; `undefined` if the answer is refused. Rejects if there is none. */
  state(peer: string, withoutKnown: boolean): Promise<StateReply | undefined> {
    // A peer that has exceeded its allowance is not asked for more.
    if (!this.#ports.limits.mayAsk(peer)) return Promise.resolve(undefined);
    return this.#ask(
      'state',
      peer,
      () => encodeStateRequest({ ...this.#ports.asking(), withoutKnown }),
      decodeStateReply,
    );
  }

  /** Requests the time; `undefined` without a valid answer. */
  async time(peer: string): Promise<Exchange | undefined> {
    const { clock } = this.#ports;
    let asked = 0;
    let answered = 0;
    const question = (): Uint8Array => {
      const bytes = encodeClockRequest(this.#ports.asking());
      asked = clock.now();
      return bytes;
    };
    const decode = (bytes: Uint8Array) => {
      answered = clock.now();
      return decodeClockReply(bytes);
    };
    const reply = await this.#ask('clock', peer, question, decode).catch(() => undefined);
    return reply && { ...reply, asked, answered };
  }

  async #ask<Reply extends object>(
    kind: RequestKind,
    peer: string,
    question: () => Uint8Array,
    decode: (bytes: Uint8Array) => Reply | Rejection,
  ): Promise<Reply | undefined> {
    const { transport, counters, limits } = this.#ports;
    const answer = await transport.request(kind, peer, () => {
      const bytes = question();
      counters.sent(bytes, kind);
      return bytes;
    });
    const reply = decode(answer);
    counters.received(answer, kind);
    limits.took(peer, answer.length);
    if (!isRejection(reply)) return reply;
    counters.rejected(reply, { peer });
    return undefined;
  }
}
