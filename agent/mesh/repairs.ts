/** Gets whole tables from agents of which something was missed, and learns from them who else there is. */
import type { Clock } from '../clock.ts';
import type { Admission } from './admission.ts';
import type { StateReply } from './codec.ts';
import type { MeshCounters } from './mesh-counters.ts';
import type { MeshView } from './mesh-view.ts';
import type { Questions } from './questions.ts';
import { isRejection } from './rejections.ts';
import { StateRequests } from './state-requests.ts';
import type { MeshTransport } from './transport.ts';

/** More than one, as one may be gone. */
const REMEMBERED_ANSWERS = 4;

export interface RepairsPorts {
  readonly view: MeshView;
  readonly transport: MeshTransport;
  readonly questions: Questions;
  readonly counters: MeshCounters;
  readonly clock: Clock;
  readonly admission: Admission;
  readonly heartbeatMs: number;
  readonly isRunning: () => boolean;
  /** A peer has answered; `yourIncarnation`: the highest that it knows of this agent. */
  readonly onAnswer: (yourIncarnation: number, peer: string) => void;
}

export class Repairs {
  readonly #ports: RepairsPorts;
  readonly #requests: StateRequests;
  /** Peers that answered, the latest first; and when one of them was asked for others' addresses. */
  #answered: string[] = [];
  #askedAroundAt = Number.NEGATIVE_INFINITY;

  constructor(ports: RepairsPorts) {
    this.#ports = ports;
    this.#requests = new StateRequests(
      (peer) => this.#request(peer),
      () => ports.clock.now(),
    );
  }

  /** Asks `peer` now, or as soon as it may be asked again. */
  want(peer: string): void {
    this.#requests.want(peer);
  }

  /** Asks `peer`, however lately it was asked in vain: it can be reached in another way. */
  wantAnew(peer: string): void {
    this.#requests.wantAnew(peer);
  }

  /** To be called now and then. */
  proceed(): void {
    this.#requests.proceed();
  }

  stop(): void {
    this.#requests.clear();
  }

  async #request(peer: string): Promise<void> {
    const { questions, isRunning } = this.#ports;
    try {
      const reply = await questions.state(peer);
      if (reply && isRunning()) this.#take(reply, peer);
    } catch {
      this.#askAround(peer);
    }
  }

  /**
   * `silent` can't be asked, perhaps because only its gossip has come here, through others, and not its address. Those
   * that answered before may know it. Otherwise it will be asked again when it is heard, and dropped when it is not.
   */
  #askAround(silent: string): void {
    const { clock, heartbeatMs, isRunning } = this.#ports;
    const now = clock.now();
    const other = this.#answered.find((peer) => peer !== silent);
    if (!isRunning() || other === undefined || now - this.#askedAroundAt < heartbeatMs) return;
    this.#askedAroundAt = now;
    this.#requests.want(other);
  }

  #take({ state, known, yourIncarnation, commands }: StateReply, peer: string): void {
    const { view, transport, counters, clock, admission, onAnswer } = this.#ports;
    const result = view.apply(state, peer, clock.now(), true);
    const isCurrent = !isRejection(result) || result.rejected === 'STALE_SEQUENCE';
    // Commands don't become stale: where flows change all the time, an answer may always be late.
    if (isCurrent) view.commands.take(commands);
    if (isRejection(result)) {
      counters.rejected(result, { peer });
      return;
    }
    counters.repaired();
    this.#answered = [peer, ...this.#answered.filter((other) => other !== peer)].slice(0, REMEMBERED_ANSWERS);
    if (state.update) transport.learn(peer, state.update.meshAddresses);
    for (const agent of known) {
      if (agent.peer === transport.selfId || view.isComplete(agent.peer)) continue;
      // Hearsay: without addresses it would make this agent forget a peer.
      if (agent.addresses.length === 0 || !admission.admits(agent.peer)) continue;
      transport.learn(agent.peer, agent.addresses);
      this.#requests.wantAnew(agent.peer);
    }
    onAnswer(yourIncarnation, peer);
  }
}
