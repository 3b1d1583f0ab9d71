/** Requests whole tables from agents of which something was missed, and learns from them about other hosts. */
import type { Command } from '../../../proto/command.ts';
import type { Clock, Timers } from '../../clock/clock.ts';
import type { Applied, MeshView } from '../members/mesh-view.ts';
import type { Admission } from '../trust/admission.ts';
import type { KnownAgent, StateReply, Suspicion } from '../wire/codec.ts';
import { isRejection } from '../wire/rejections.ts';
import type { MeshTransport } from '../wire/transport.ts';
import type { MeshCounters } from './mesh-counters.ts';
import type { PeerLimits } from './peer-limits.ts';
import type { Questions } from './questions.ts';
import { StateRequests } from './state-requests.ts';

/** More than one, as one may have left. */
const REMEMBERED_ANSWERS = 4;
/** Requests to a host that is no neighbour, before others are asked whether it is present. */
const MOST_ASKED = 4;

export interface RepairsPorts {
  readonly view: MeshView;
  readonly transport: MeshTransport;
  readonly questions: Questions;
  readonly counters: MeshCounters;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly limits: PeerLimits;
  readonly admission: Admission;
  readonly heartbeatMs: number;
  readonly isRunning: () => boolean;
  /** Other agents list hosts as present that this agent knows to have left. */
  readonly doubt: (gone: readonly Suspicion[]) => void;
  /** A peer has answered; `yourIncarnation`: the highest that it knows of this agent. */
  readonly onAnswer: (yourIncarnation: number, peer: string) => void;
}

export class Repairs {
  readonly #ports: RepairsPorts;
  readonly #requests: StateRequests;
  /** Peers that answered, the latest first; and when one of them was asked for the addresses of others. */
  #answered: string[] = [];
  #askedAroundAt = Number.NEGATIVE_INFINITY;
  /** How many requests in a row each peer has not answered, for those that are no neighbours (neighbours.ts). */
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

  /** Asks `peer` even if it did not answer recently: there is a new way to reach it. */
  wantAnew(peer: string): void {
    this.#requests.wantAnew(peer);
  }

  /** To be called regularly. */
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
      if (reply && isRunning()) await this.#take(reply, peer);
      this.#unanswered.delete(peer);
    } catch {
      this.#askAround(peer);
      this.#insist(peer);
    }
  }

  /** No heartbeats will come from a host that is no neighbour: it is asked again, and then suspected. */
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
   * `silent` can't be asked, perhaps because its gossip came through others, and its address did not. Agents that
   * answered before may know the address. Otherwise `silent` is asked when its next message comes, and dropped if
   * none does.
   */
  #askAround(silent: string): void {
    const { clock, heartbeatMs, isRunning } = this.#ports;
    const now = clock.now();
    const other = this.#answered.find((peer) => peer !== silent);
    if (!isRunning() || other === undefined || now - this.#askedAroundAt < heartbeatMs) return;
    this.#askedAroundAt = now;
    this.#requests.want(other);
  }

  async #take(reply: StateReply, peer: string): Promise<void> {
    const { view, counters, clock } = this.#ports;
    const result = view.apply(reply.state, peer, clock.now(), true);
    const isCurrent = !isRejection(result) || result.rejected === 'STALE_SEQUENCE';
    // Commands don't become outdated, but if flows change all the time, every answer may be late.
    const commands = isCurrent ? this.#takeCommands(reply.commands, peer) : undefined;
    if (isRejection(result)) counters.rejected(result, { peer });
    else this.#heed(reply, result, peer);
    await commands;
  }

  /** A few are taken at once. */
  async #takeCommands(commands: readonly Command[], peer: string): Promise<void> {
    const { view, counters, limits, timers, isRunning } = this.#ports;
    const unknown = view.door.unknown(commands);
    if (unknown.length === 0) return;
    const refused =
      limits.refuseCommands(peer, unknown.length) ??
      (await view.door.takeMany(unknown, { turn: () => timers.turn(), isRunning }));
    if (refused) counters.rejected(refused, { peer });
  }

  #heed({ state, known, yourIncarnation }: StateReply, result: Applied, peer: string): void {
    const { transport, counters, onAnswer } = this.#ports;
    if (result.ignored) counters.rejected(result.ignored, { peer });
    counters.repaired();
    this.#answered = [peer, ...this.#answered.filter((other) => other !== peer)].slice(0, REMEMBERED_ANSWERS);
    if (state.update) transport.learn(peer, state.update.meshAddresses);
    this.#learn(known);
    onAnswer(yourIncarnation, peer);
  }

  /** Requests the tables of hosts of which another agent knows more. */
  #learn(known: readonly KnownAgent[]): void {
    const { view, transport, admission, doubt } = this.#ports;
    const gone: Suspicion[] = [];
    for (const agent of known) {
      if (agent.peer === transport.selfId || !view.members.isBehind(agent)) continue;
      // Second-hand knowledge: without addresses it would make this agent forget those of the peer.
      if (agent.addresses.length === 0 || !admission.admits(agent.peer)) continue;
      const end = view.members.endOf(agent);
      if (end) gone.push(end);
      transport.learn(agent.peer, agent.addresses);
      this.#requests.wantAnew(agent.peer);
    }
    doubt(gone);
  }
}
