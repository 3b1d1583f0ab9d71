/**
 * The keys of a mesh whose key is replaced while it runs. All follows from the key with which an agent started, the commands that
 * replaced it, and the time: whoever has the same commands opens to the same peers, also after a restart. By the key before, only
 * the hosts for which the new one is may come in, and only for the overlap: they learn the new one then. Whoever else has the old
 * key is kept out from the replacement on.
 */
import {
  type Command,
  compareCommands,
  isRekey,
  parseRekey,
  type RekeyPart,
} from '../../../proto/command.ts';
import type { SigningKey } from './peer-id.ts';
import { keyId, openBefore, openKey, peerTag } from './sealed-key.ts';

export interface OpenKey {
  readonly key: string;
  /** Whether this peer may come in by it. */
  admits(peer: string): boolean;
}

/** By which keys others may come in, newest first. */
export interface MeshKeys {
  readonly open: readonly OpenKey[];
  /** With those that count no more, to name who still has one. */
  readonly known: readonly string[];
}

/** One that is never replaced. */
export const fixedKey = (key: string): MeshKeys => ({ open: [{ key, admits: () => true }], known: [key] });

export interface Replacement extends RekeyPart {
  /** When it takes effect, in microseconds since the start. */
  readonly at: number;
}

interface Step {
  readonly replacement: Replacement;
  readonly tags: ReadonlySet<string>;
  /** The new key; `undefined`: this agent does not get it. */
  readonly key: string | undefined;
  /** The key before it, for who has the new one. */
  readonly before: string | undefined;
}

export class KeyRing implements MeshKeys {
  readonly #first: string;
  readonly #self: SigningKey | undefined;
  readonly #now: () => number | undefined;
  readonly #listeners = new Set<() => void>();
  #steps: readonly Step[] = [];
  /** Peers that were seen with all commands, since the latest replacement. */
  #told = new Set<string>();

  /** `first`: the key with which the agent starts. `now`: of the experiment; `undefined`: not known yet. */
  constructor(first: string, self: SigningKey | undefined, now: () => number | undefined) {
    this.#first = first;
    this.#self = self;
    this.#now = now;
  }

  /** Calls `listener` when there is another replacement. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** All commands of the experiment. */
  take(commands: readonly Command[]): void {
    const found = replacementsOf(commands);
    const isSame = found.every((one, index) => isSameKey(one, this.#steps[index]?.replacement));
    if (isSame && found.length === this.#steps.length) return;
    this.#open(found);
    this.#told = new Set();
    for (const listener of this.#listeners) listener();
  }

  /** By which this agent comes in elsewhere, and others here. */
  get current(): string {
    return this.#inForce().findLast(({ key }) => key !== undefined)?.key ?? this.#first;
  }

  /** The same as soon as it is known, which is a moment before it counts: what is to be kept. */
  get newest(): string {
    return this.#steps.findLast(({ key }) => key !== undefined)?.key ?? this.#first;
  }

  get known(): readonly string[] {
    const all = this.#steps.flatMap(({ before, key }) => [before, key].filter((one) => one !== undefined));
    return [...new Set(all.includes(this.#first) ? all : [this.#first, ...all])].reverse();
  }

  get open(): readonly OpenKey[] {
    const now = this.#now();
    const { current } = this;
    const inForce = new Set(this.#inForce());
    return [current, ...this.known.filter((key) => key !== current)].flatMap((key) => {
      // Each replacement that came after a key closes it. A new one counts at once: another host's clock may be ahead.
      const later = this.#steps.slice(this.#steps.findLastIndex((step) => step.key === key) + 1);
      const closing = later.filter((step) => step.key !== undefined && inForce.has(step));
      if (closing.some(({ replacement }) => isOverAt(replacement, now))) return [];
      return { key, admits: (peer) => closing.every(({ tags }) => tags.has(peerTag(peer))) };
    });
  }

  /** The latest replacement, if it is in force. */
  get latest(): Replacement | undefined {
    return this.#inForce().at(-1)?.replacement;
  }

  /** Whether the latest replacement has left this agent out. */
  get isLeftOut(): boolean {
    const last = this.#inForce().at(-1);
    return last !== undefined && last.key === undefined;
  }

  /** Peers that have all commands. */
  noteTold(peers: Iterable<string>): void {
    for (const peer of peers) this.#told.add(peer);
  }

  /** Of hosts that are away: those that have not learned the present key, and can't any more. */
  shutOut<Host extends { readonly peer: string }>(away: readonly Host[]): Host[] {
    const { latest } = this;
    if (!latest || !isOverAt(latest, this.#now())) return [];
    return away.filter(({ peer }) => !this.#told.has(peer));
  }

  #inForce(): readonly Step[] {
    const now = this.#now() ?? Number.POSITIVE_INFINITY;
    return this.#steps.filter(({ replacement }) => replacement.at <= now);
  }

  /** From the last to the first: who has a key can open the one before. */
  #open(replacements: readonly Replacement[]): void {
    const keys = new Map([[keyId(this.#first), this.#first]]);
    const steps = replacements.toReversed().map((replacement): Step => {
      const key = (this.#self && openKey(replacement, this.#self)) ?? keys.get(replacement.id);
      const before = key === undefined ? undefined : openBefore(replacement, key);
      if (before !== undefined) keys.set(keyId(before), before);
      const tags = new Set(replacement.hosts.map(({ peer }) => peer));
      return { replacement, tags, key, before };
    });
    this.#steps = steps.reverse();
  }
}

const isOverAt = ({ at, overlap }: Replacement, now: number | undefined): boolean =>
  now !== undefined && now >= at + overlap;

const isSameKey = (one: Replacement, other: Replacement | undefined): boolean =>
  other !== undefined &&
  one.id === other.id &&
  one.at === other.at &&
  one.hosts.length === other.hosts.length;

/** The whole ones, in the order in which they take effect. */
function replacementsOf(commands: readonly Command[]): Replacement[] {
  const parts = commands
    .filter(isRekey)
    .toSorted(compareCommands)
    .flatMap((command) => {
      const found = parseRekey(command.text);
      return found ? [{ ...found, at: command.at, author: command.author }] : [];
    });
  const groups = Map.groupBy(parts, ({ id, before, ephemeral, overlap, parts: count, author }) =>
    [id, before, ephemeral, overlap, count, author].join(' '),
  );
  return [...groups.values()]
    .flatMap((group): Replacement[] => {
      const distinct = new Set(group.map(({ part }) => part));
      const last = group.at(-1)!;
      if (distinct.size < last.parts) return [];
      return [{ ...last, hosts: group.flatMap(({ hosts }) => hosts) }];
    })
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}
