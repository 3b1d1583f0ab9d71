/** Answers what other agents ask, so often and no more. */
import type { ClockSync } from '../clock/clock-sync.ts';
import type { ExperimentClock } from '../clock/experiment-clock.ts';
import type { Clock } from '../clock.ts';
import { decodeClockRequest, encodeClockReply } from './clock-codec.ts';
import { type AgentMessage, decodeStateRequest, encodeStateReply, type KnownAgent } from './codec.ts';
import type { MeshCounters } from './mesh-counters.ts';
import type { MeshView } from './mesh-view.ts';
import { isRejection, type Rejection, reject } from './rejections.ts';
import type { RequestKind } from './transport.ts';

/** To one peer per heartbeat and kind; one that repairs needs one, one that comes to know a clock a few. */
const MAX_ANSWERS_PER_HEARTBEAT = 8;

export interface AnswersPorts {
  readonly view: MeshView;
  readonly counters: MeshCounters;
  readonly clock: Clock;
  readonly time: ExperimentClock;
  readonly clocks: ClockSync;
  /** Everything of a message but its update. */
  readonly header: () => Omit<AgentMessage, 'update'>;
}

export class Answers {
  readonly #ports: AnswersPorts;
  readonly #given = new Map<string, number>();

  constructor(ports: AnswersPorts) {
    this.#ports = ports;
  }

  heartbeat(): void {
    this.#given.clear();
  }

  /** `undefined`: refused, and counted. */
  answer(kind: RequestKind, bytes: Uint8Array, peer: string): Uint8Array | undefined {
    const { counters } = this.#ports;
    // First of all, as it is a time that the answer tells.
    const received = this.#micros();
    counters.received(bytes, kind);
    const answer =
      this.#refuseMore(kind, peer) ??
      (kind === 'clock' ? this.#time(bytes, received) : this.#state(bytes, peer));
    if (isRejection(answer)) {
      counters.rejected(answer, peer);
      return undefined;
    }
    counters.sent(answer, kind);
    return answer;
  }

  #refuseMore(kind: RequestKind, peer: string): Rejection | undefined {
    const key = `${kind} ${peer}`;
    const given = this.#given.get(key) ?? 0;
    if (given >= MAX_ANSWERS_PER_HEARTBEAT) {
      return reject('REQUEST_RATE', `more than ${given} questions in a heartbeat`);
    }
    this.#given.set(key, given + 1);
    return undefined;
  }

  #state(bytes: Uint8Array, peer: string): Uint8Array | Rejection {
    const { view, header } = this.#ports;
    const asking = decodeStateRequest(bytes);
    if (isRejection(asking)) return asking;
    return encodeStateReply({
      state: { ...header(), update: view.own.toUpdate() },
      known: this.#knownAgents(peer),
      yourIncarnation: view.incarnationOf(asking.host),
      commands: view.commands.isSame(asking.commandDigest) ? [] : view.commands.all(),
    });
  }

  #knownAgents(asking: string): KnownAgent[] {
    return this.#ports.view
      .hosts()
      .filter(({ self, peer, meshAddresses }) => !self && peer !== asking && meshAddresses.length > 0)
      .map(({ peer, meshAddresses }) => ({ peer, addresses: meshAddresses }));
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

  /** Of the experiment, if others may know. */
  #micros(): number {
    const { clock, clocks, time } = this.#ports;
    return (clocks.timed ? time.exact() : undefined) ?? clock.now() * 1000;
  }
}
