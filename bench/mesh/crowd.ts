/** Many agents of the mesh in one process, on a network in memory, and a check whether they agree. */
import { Mesh } from '../../agent/mesh/exchange/mesh.ts';
import { neighboursOf } from '../../agent/mesh/members/neighbours.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { endpointName } from '../../topology/model/names.ts';
import { ManualClock } from '../simulation/manual-clock.ts';
import { type Delay, MemoryNetwork, type Sent } from '../simulation/memory-network.ts';
import type { MemoryTransport } from '../simulation/memory-transport.ts';

const TOPOLOGY = '0123456789abcdef';
/** As fine as the latency between machines. */
const GRAIN_MS = 1;
const STARTED_EVERY_MS = 5;

export interface Member {
  readonly name: string;
  readonly endpoint: number;
  readonly mesh: Mesh;
  readonly transport: MemoryTransport;
  isGone: boolean;
}

export interface CrowdOptions {
  readonly seed: number;
  /** How many endpoints there are; each agent has one. */
  readonly endpoints: number;
  readonly loss?: number;
  readonly delayMs?: Delay;
}

export class Crowd {
  readonly clock = new ManualClock(undefined, GRAIN_MS);
  readonly network: MemoryNetwork;
  readonly members: Member[] = [];
  readonly #endpointNames: readonly string[];
  /** Functions that cancel the timers of an agent. */
  readonly #cancels = new Map<Member, readonly (() => void)[]>();

  constructor({ seed, endpoints, loss = 0, delayMs = [1, 3] }: CrowdOptions) {
    this.network = new MemoryNetwork({ clock: this.clock, seed, loss, delayMs, keepsPublished: false });
    this.#endpointNames = Array.from({ length: endpoints }, (_, number) => endpointName(`n${number}`, 0));
  }

  get present(): readonly Member[] {
    return this.members.filter(({ isGone }) => !isGone);
  }

  /** Starts an agent that knows one other agent. */
  async start(): Promise<Member> {
    const endpoint = this.members.length;
    const name = `host-${String(endpoint).padStart(4, '0')}`;
    const transport = this.network.transport(`peer-${endpoint}`);
    const cancels: (() => void)[] = [];
    const timers = {
      every: (ms: number, run: () => void) => {
        const cancel = this.clock.every(ms, run);
        cancels.push(cancel);
        return cancel;
      },
      after: (ms: number, run: () => void) => this.clock.after(ms, run),
      sharply: (ms: number, run: () => void) => this.clock.sharply(ms, run),
      turn: () => this.clock.turn(),
    };
    const ports = { transport, clock: this.clock, timers };
    const mesh = new Mesh(ports, { topology: TOPOLOGY, endpointNames: this.#endpointNames, host: name });
    const member = { name, endpoint, mesh, transport, isGone: false };
    await mesh.start();
    mesh.announceEndpoints([{ number: endpoint, addresses: [`10.0.${endpoint >> 8}.${endpoint & 255}`] }]);
    const first = this.present.find((other) => this.network.joins(transport.selfId, other.transport.selfId));
    if (first) await transport.connect(first.transport.addresses[0]!);
    this.members.push(member);
    this.#cancels.set(member, cancels);
    return member;
  }

  async startMany(count: number): Promise<void> {
    for (let started = 0; started < count; started++) {
      await this.start();
      await this.clock.advance(STARTED_EVERY_MS);
    }
  }

  /** Kills an agent: it sends no more messages. */
  kill(member: Member): void {
    member.isGone = true;
    member.transport.kill();
    for (const cancel of this.#cancels.get(member) ?? []) cancel();
  }

  /** Simulated milliseconds until `isSo`, checked every `stepMs`; undefined after `mostMs`. */
  async until(isSo: () => boolean, mostMs: number, stepMs = 10): Promise<number | undefined> {
    for (let ms = 0; ms <= mostMs; ms += stepMs) {
      if (isSo()) return ms;
      await this.clock.advance(stepMs);
    }
    return undefined;
  }

  /** What was sent during `ms`. */
  async sentIn(ms: number, each?: (second: number) => void): Promise<Sent> {
    const before = structuredClone(this.network.sent);
    for (let at = 0; at < ms; at += 100) {
      each?.(millisToSeconds(at));
      await this.clock.advance(100);
    }
    const grown = (kind: keyof Sent) => ({
      messages: this.network.sent[kind].messages - before[kind].messages,
      bytes: this.network.sent[kind].bytes - before[kind].bytes,
    });
    return { gossip: grown('gossip'), state: grown('state'), clock: grown('clock'), dial: grown('dial') };
  }

  /** Whether all of `members` know exactly the present hosts, with the same table of each. */
  agree(members: readonly Member[] = this.present): boolean {
    const digest = members[0]!.mesh.view.members.digest;
    const commands = members[0]!.mesh.commands.digest;
    return members.every(({ mesh }) => {
      const { digest: own } = mesh.view.members;
      if (own.entries !== members.length || own.low !== digest.low || own.high !== digest.high) return false;
      return mesh.commands.isSame(commands);
    });
  }
}

/** How many hosts receive heartbeats directly from each other, among so many. */
export function neighbourCount(hosts: number): number {
  const names = Array.from({ length: hosts }, (_, number) => String(number).padStart(4, '0'));
  return neighboursOf(names[0]!, names)?.size ?? hosts - 1;
}
