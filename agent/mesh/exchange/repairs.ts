/** Gets whole tables from agents of which something was missed, and learns from them who else there is. */
import type { Clock } from '../../clock/clock.ts';
import type { MeshView } from '../members/mesh-view.ts';
import type { Admission } from '../trust/admission.ts';
import type { KnownAgent, StateReply, Suspicion } from '../wire/codec.ts';
import { isRejection } from '../wire/rejections.ts';
import type { MeshTransport } from '../wire/transport.ts';
import type { MeshCounters } from './mesh-counters.ts';
import type { Questions } from './questions.ts';
import { StateRequests } from './state-requests.ts';

/** More than one, as one may be gone. */
const REMEMBERED_ANSWERS = 4;
/** Questions to one that is far, before others are asked whether it is still here. */
const MOST_ASKED = 4;

export interface RepairsPorts {
  readonly view: MeshView;
  readonly transport: MeshTransport;
  readonly questions: Questions;
  readonly counters: MeshCounters;
  readonly clock: Clock;
  readonly admission: Admission;
  readonly heartbeatMs: number;
  readonly isRunning: () => boolean;
  /** Others take hosts for present that are gone by what is known here. */
  readonly doubt: (gone: readonly Suspicion[]) => void;
  /** A peer has answered; `yourIncarnation`: the highest that it knows of this agent. */
  readonly onAnswer: (yourIncarnation: number, peer: string) => void;
}

export class Repairs {
  readonly #ports: RepairsPorts;
  readonly #requests: StateRequests;
  /** Peers that answered, the latest first; and when one of them was asked for others' addresses. */
  #answered: string[] = [];
  #askedAroundAt = Number.NEGATIVE_INFINITY;
  /** How often in a row those have not answered who are not heard otherwise (neighbours.ts). */
  readonly #unanswered = new Map<string, number>();

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
    const { questions, isRunning, view } = this.#ports;
    const isFar = view.members.ofPeer(peer)?.near === false;
    try {
      const reply = await questions.state(peer, isFar);
      if (reply && isRunning()) this.#take(reply, peer);
      this.#unanswered.delete(peer);
    } catch {
      this.#askAround(peer);
      this.#insist(peer);
    }
  }

  /** Nothing will remind of one that is far: it is asked again, and then suspected. */
  #insist(peer: string): void {
    const host = this.#ports.view.members.ofPeer(peer);
    const count = (this.#unanswered.get(peer) ?? 0) + 1;
    this.#unanswered.delete(peer);
    if (!host || host.near || !this.#ports.isRunning()) return;
    if (count < MOST_ASKED) {
      this.#unanswered.set(peer, count);
      this.#requests.want(peer);
    } else {
      const { name, incarnation, sequence } = host;
      this.#ports.doubt([{ host: name, incarnation, sequence }]);
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
    const { view, transport, counters, clock, onAnswer } = this.#ports;
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
    this.#learn(known);
    onAnswer(yourIncarnation, peer);
  }

  /** Asks whom another agent knows better. */
  #learn(known: readonly KnownAgent[]): void {
    const { view, transport, admission, doubt } = this.#ports;
    const gone: Suspicion[] = [];
    for (const agent of known) {
      if (agent.peer === transport.selfId || !view.members.isBehind(agent)) continue;
      // Hearsay: without addresses it would make this agent forget a peer.
      if (agent.addresses.length === 0 || !admission.admits(agent.peer)) continue;
      const end = view.members.endOf(agent);
      if (end) gone.push(end);
      transport.learn(agent.peer, agent.addresses);
      this.#requests.wantAnew(agent.peer);
    }
    doubt(gone);
  }
}
