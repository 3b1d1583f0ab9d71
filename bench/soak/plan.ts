/** The commands of a soak: at random, always the same for a seed, and none that an agent has a reason to refuse. Pure. */
import { SeededRandom } from '../../topology/model/random.ts';

export const HOSTS = 3;

/** Endpoints go to the hosts in turn. Two are killed and started, two cut off; the pings cross links that change. */
export const SOAK_TOPOLOGY = `
services:
  sender: { replicas: 3, run: "ping -q -i 0.5 receiver.$NETFOLD_REPLICA" }
  receiver: { replicas: 3 }
  mortal: { replicas: 2, run: "sleep 1d" }
  cut: { replicas: 2 }
bridges: [s1, s2, s3, s4]
links:
  - { from: sender, to: s1, latency: 3ms, up: 20Mbps, down: 10Mbps }
  - { from: receiver, to: s2, latency: 2ms, bandwidth: 20Mbps }
  - { from: mortal, to: s3, latency: 1ms, bandwidth: 5Mbps }
  - { from: cut, to: s3, latency: 1ms, bandwidth: 5Mbps }
  - { from: s1, to: s2, latency: 10ms, up: 50Mbps, down: 30Mbps }
  - { from: s2, to: s3, latency: 5ms, bandwidth: 40Mbps }
  - { from: s1, to: s3, latency: 8ms, bandwidth: 40Mbps }
  - { from: s3, to: s4, latency: 1ms, bandwidth: 40Mbps }
events: []
`;

export interface Given {
  readonly text: string;
  /** How long, in milliseconds, if it has a window. */
  readonly forMs?: number;
}

const LINKS = ['s1--s2', 's2--s3', 's1--s3'] as const;
/** Directed, so that the directions differ. */
const DIRECTED = ['sender->s1', 's1->s2', 's2->s3'] as const;
/** What goes and comes back: how each goes, and how it comes. */
const TURNS = [
  { name: 'mortal.0', away: 'crash', back: 'join' },
  { name: 'mortal.1', away: 'leave', back: 'join' },
  { name: 'cut.0', away: 'disconnect', back: 'reconnect' },
  { name: 's1--s3', away: 'leave', back: 'join' },
  { name: 's4', away: 'leave', back: 'join' },
] as const;
/**
 * So many commands until the same is turned again: agents of a busy machine give commands later instants, each by what it has seen
 * of others, and what comes back before it has gone would be refused.
 */
const TURN_EVERY = 15;
/** Nobody is twice cut off at a time. */
const CUT_MS = 2000;
const CUT_EVERY = 40;

export class SoakPlan {
  readonly #random: SeededRandom;
  readonly #away = new Set<string>();
  readonly #turnedAt = new Map<string, number>();
  #count = 0;
  #cutAt = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  next(): Given {
    this.#count++;
    const kind = this.#below(20);
    const link = LINKS[this.#below(LINKS.length)]!;
    if (kind < 5) return { text: `set ${link} latency=${1 + this.#below(30)}ms` };
    if (kind < 7)
      return { text: `set ${link} bandwidth=${10 + this.#below(40)}Mbps loss=${this.#below(3)}%` };
    if (kind < 8)
      return { text: `set ${DIRECTED[this.#below(DIRECTED.length)]!} up=${5 + this.#below(20)}Mbps` };
    if (kind < 9) return { text: `set ${link} latency=+2ms` };
    if (kind < 10) return { text: `set ${link} jitter=1ms`, forMs: 1000 + this.#below(4000) };
    const turn = kind < 15 ? this.#turn() : undefined;
    if (turn !== undefined) return { text: turn };
    if (kind < 16) return { text: 'flap s3--s4 every 200ms', forMs: 1000 };
    if (kind < 17 && this.#count - this.#cutAt > CUT_EVERY) {
      this.#cutAt = this.#count;
      return { text: 'disconnect cut.1', forMs: CUT_MS };
    }
    if (kind < 18) return { text: 'partition sender.0 | cut' };
    return { text: 'heal' };
  }

  #turn(): string | undefined {
    const { name, away, back } = TURNS[this.#below(TURNS.length)]!;
    if (this.#count - (this.#turnedAt.get(name) ?? -TURN_EVERY) < TURN_EVERY) return undefined;
    this.#turnedAt.set(name, this.#count);
    const isBack = this.#away.delete(name);
    if (!isBack) this.#away.add(name);
    return `${isBack ? back : away} ${name}`;
  }

  #below(most: number): number {
    return this.#random.below(most);
  }
}
