/**
 * How one property of the links of a path becomes that of the path. Everything is computed in the order of the path,
 * so that every agent gets the same bits. Each kind of fold has a loop of its own: a path has few links, and the
 * compiler optimizes loops that read one property.
 */

import { lossModelOf, meanLoss, meanSlot, slotsOf } from './models.ts';
import { bytesAtLink, CELL, FULL_FRAME_BYTES, overheadOf, type QueueSize, queueInBytes } from './queue.ts';
import { delayingRules, joinedRules } from './rules.ts';
import { type Bps, byteTime } from './units.ts';

/** `links`: indices into `all`, in order. Returns `undefined` if no link has the property. */
type FoldPath = (links: readonly number[], all: readonly object[]) => unknown;

/** A kind of fold; applied to a property, it gives the fold. */
export type Fold = (property: string) => FoldPath;

type Limited = readonly { readonly bandwidth: Bps; readonly trace?: string; readonly overhead?: string }[];

/**
 * How long a link takes for a byte. One with a trace does not: what arrives in a bad moment would wait for as long as if that
 * lasted.
 */
const byteTimeOf = ({ bandwidth, trace }: Limited[number]): number =>
  trace === undefined ? byteTime(bandwidth) : 0;

type Numbers = readonly Readonly<Record<string, number>>[];
type Optional = readonly Readonly<Record<string, number | undefined>>[];
type Modelled = readonly { readonly lossModel?: string }[];

/** Σ x. */
export const sum: Fold = (property) => (links, all) => {
  let total = 0;
  for (let at = 0; at < links.length; at++) total += (all as Numbers)[links[at]!]![property]!;
  return total;
};

/** √Σ x²: for independent deviations. */
export const rootOfSquares: Fold = (property) => (links, all) => {
  let squares = 0;
  for (let at = 0; at < links.length; at++) {
    const value = (all as Numbers)[links[at]!]![property]!;
    squares += value * value;
  }
  return Math.sqrt(squares);
};

/** 1 − Π(1 − x): for independent probabilities. */
export const anyOf: Fold = (property) => (links, all) => {
  let none = 1;
  let possible = 0;
  let only = 0;
  for (let at = 0; at < links.length; at++) {
    const value = (all as Optional)[links[at]!]![property] ?? 0;
    if (value === 0) continue;
    none *= 1 - value;
    possible++;
    only = value;
  }
  // A single one keeps its exact value: 1 − (1 − 0.001) is not 0.001 in binary.
  return possible < 2 ? only : 1 - none;
};

/** The least of the values that links have. */
export const least: Fold = (property) => (links, all) => {
  let found: number | undefined;
  for (let at = 0; at < links.length; at++) {
    const value = (all as Numbers)[links[at]!]![property];
    if (value !== undefined && (found === undefined || value < found)) found = value;
  }
  return found;
};

/** Whether frames pass it in cells. */
const hasCells = ({ overhead }: Limited[number]): boolean =>
  overhead !== undefined && overheadOf(overhead).inCells;

/** Σ of how long links of this bandwidth take for a byte; of those with cells, `cellTimes` has it. */
export const byteTimes: Fold = () => (links, all) => {
  let total = 0;
  for (let at = 0; at < links.length; at++) {
    const link = (all as Limited)[links[at]!]!;
    if (!hasCells(link)) total += byteTimeOf(link);
  }
  return total;
};

/** Σ of how long they take for the overhead of a frame. */
export const overheadTimes: Fold = () => (links, all) => {
  let total = 0;
  for (let at = 0; at < links.length; at++) {
    const link = (all as Limited)[links[at]!]!;
    if (link.overhead === undefined || hasCells(link)) continue;
    total += overheadOf(link.overhead).bytes * byteTimeOf(link);
  }
  return total;
};

/** Σ of how long those with cells take for one. */
export const cellTimes: Fold = () => (links, all) => {
  let total = 0;
  for (let at = 0; at < links.length; at++) {
    const link = (all as Limited)[links[at]!]!;
    if (hasCells(link)) total += CELL.bytes * byteTimeOf(link);
  }
  return total;
};

/** The byte time of the link over which a full frame takes longest. */
export const longestByteTime: Fold = () => (links, all) => {
  let longest = 0;
  let found = 0;
  for (let at = 0; at < links.length; at++) {
    const link = (all as Limited)[links[at]!]!;
    const time = byteTimeOf(link);
    const frame = time * bytesAtLink(FULL_FRAME_BYTES, link.overhead);
    if (frame <= longest) continue;
    longest = frame;
    found = time;
  }
  return found;
};

/** The link over which a full frame takes longest, the first of equal ones; `undefined` if none has an overhead, or none a limit. */
function slowestOf(links: readonly number[], all: Limited): Limited[number] | undefined {
  if (!links.some((link) => all[link]!.overhead !== undefined)) return undefined;
  let longest = 0;
  let found: Limited[number] | undefined;
  for (let at = 0; at < links.length; at++) {
    const link = all[links[at]!]!;
    const frame = byteTime(link.bandwidth) * bytesAtLink(FULL_FRAME_BYTES, link.overhead);
    if (frame <= longest) continue;
    longest = frame;
    found = link;
  }
  return found;
}

/** The bandwidth of that link; without overheads, the least one. */
export const bandwidthOfSlowest: Fold = (property) => {
  const plain = least(property);
  return (links, all) => slowestOf(links, all as Limited)?.bandwidth ?? plain(links, all);
};

/** Its overhead; absent if it has none. */
export const overheadOfSlowest: Fold = () => (links, all) => slowestOf(links, all as Limited)?.overhead;

type Queued = readonly (QueueSize & { readonly bandwidth: Bps; readonly overhead?: string })[];

/** The link whose queue has the least room, if any has a size. */
function shortestQueue(links: readonly number[], all: Queued): Queued[number] | undefined {
  let found: Queued[number] | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < links.length; at++) {
    const link = all[links[at]!]!;
    const bytes = queueInBytes(link, link.bandwidth, link.overhead);
    if (bytes === undefined || bytes >= least) continue;
    least = bytes;
    found = link;
  }
  return found;
}

/** The packets of the shortest queue; absent if that has another unit. */
export const packetsOfShortest: Fold = () => (links, all) =>
  shortestQueue(links, all as Queued)?.queuePackets;

/** The bytes of the shortest queue, also if it is a time; absent if it counts packets. */
export const bytesOfShortest: Fold = () => (links, all) => {
  const link = shortestQueue(links, all as Queued);
  if (link === undefined || link.queuePackets !== undefined) return undefined;
  return queueInBytes(link, link.bandwidth, link.overhead);
};

/** A path has none: it has become another property. */
export const none: Fold = () => () => undefined;

/** The value of the only link whose `other` is not 0; absent if there are several. */
export const ofTheOnly =
  (other: string): Fold =>
  (property) =>
  (links, all) => {
    let only: Readonly<Record<string, unknown>> | undefined;
    for (let at = 0; at < links.length; at++) {
      const link = (all as readonly Readonly<Record<string, unknown>>[])[links[at]!]!;
      if (link[other] === 0) continue;
      if (only) return undefined;
      only = link;
    }
    return only?.[property];
  };

/** The value of the link with the least bandwidth, where packets wait; of several of them, of the first that has one. */
export const ofTheSlowest: Fold = (property) => (links, all) => {
  let least = Number.POSITIVE_INFINITY;
  let found: unknown;
  for (let at = 0; at < links.length; at++) {
    const link = (all as readonly (Readonly<Record<string, unknown>> & { readonly bandwidth: number })[])[
      links[at]!
    ]!;
    if (link.bandwidth > least) continue;
    if (link.bandwidth < least) found = undefined;
    least = link.bandwidth;
    found ??= link[property];
  }
  return found;
};

/** The greatest of the values that links have. */
export const greatest: Fold = (property) => (links, all) => {
  let found: number | undefined;
  for (let at = 0; at < links.length; at++) {
    const value = (all as Optional)[links[at]!]![property];
    if (value !== undefined && (found === undefined || value > found)) found = value;
  }
  return found;
};

/** Position of the link whose model loses the most in the long run, the first of equal ones; -1 if none has a model. */
function worstModelled(links: readonly number[], all: Modelled): number {
  let found = -1;
  let most = -1;
  for (let at = 0; at < links.length; at++) {
    const { lossModel } = all[links[at]!]!;
    if (lossModel === undefined) continue;
    const loss = meanLoss(lossModelOf(lossModel));
    if (loss <= most) continue;
    most = loss;
    found = at;
  }
  return found;
}

/** A path has one model: that of the link that loses the most by its model. */
export const worstModel: Fold = () => (links, all) => {
  const worst = worstModelled(links, all as Modelled);
  return worst < 0 ? undefined : (all as Modelled)[links[worst]!]!.lossModel;
};

/** 1 − Π(1 − x): for independent probabilities, among which are the means of the models that the path does not have. */
export const anyOfAndOtherModels: Fold = (property) => {
  const plain = anyOf(property) as (links: readonly number[], all: readonly object[]) => number;
  return (links, all) => {
    let models = 0;
    for (let at = 0; at < links.length; at++)
      if ((all as Modelled)[links[at]!]!.lossModel !== undefined) models++;
    const loss = plain(links, all);
    if (models < 2) return loss;
    const worst = worstModelled(links, all as Modelled);
    let none = 1 - loss;
    for (let at = 0; at < links.length; at++) {
      const { lossModel } = (all as Modelled)[links[at]!]!;
      if (lossModel !== undefined && at !== worst) none *= 1 - meanLoss(lossModelOf(lossModel));
    }
    return 1 - none;
  };
};

/** The slots that are the farthest apart on average, the first of equal ones. */
export const longestSlots: Fold = (property) => (links, all) => {
  let found: string | undefined;
  for (let at = 0; at < links.length; at++) {
    const slots = (all as readonly Readonly<Record<string, string | undefined>>[])[links[at]!]![property];
    if (slots === undefined || slots === found) continue;
    if (found === undefined || meanSlot(slotsOf(slots)) > meanSlot(slotsOf(found))) found = slots;
  }
  return found;
};

type Ruled = readonly { readonly rules?: string }[];

function allRules(links: readonly number[], all: Ruled): string | undefined {
  let found: string[] | undefined;
  for (let at = 0; at < links.length; at++) {
    const { rules } = all[links[at]!]!;
    if (rules === undefined) continue;
    found ??= [];
    found.push(rules);
  }
  return found && joinedRules(found);
}

/** The rules of all links, in their order. */
export const rulesInOrder: Fold = () => (links, all) => allRules(links, all as Ruled);

/** Those that delay, which other parts of the agent carry out than those that drop. */
export const delaysInOrder: Fold = () => (links, all) => {
  const rules = allRules(links, all as Ruled);
  return rules === undefined ? undefined : delayingRules(rules);
};
