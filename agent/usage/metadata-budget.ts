/**
 * Keeps an agent's announcements within a budget: the more it sends beyond the budget, the coarser they get; they get
 * finer again when the traffic is well below the budget. Pure: all functions depend on the recent traffic.
 */
import { CHANGE_THRESHOLD, type Coarseness } from './change-filter.ts';

/** With a higher threshold, only rates that fall to a fifth or nearly double would be announced. */
export const MAX_THRESHOLD = 0.8;
/** Of level 1. It doubles with each level: 6.4 s at the last. Starts and stops then wait for 0.8 s. */
export const FIRST_INTERVAL_MS = 100;
export const MAX_LEVEL = 7;

/** Each level doubles the threshold and the interval. */
export function coarseness(level: number, base = CHANGE_THRESHOLD): Coarseness {
  return {
    threshold: Math.max(base, Math.min(MAX_THRESHOLD, base * 2 ** level)),
    intervalMs: level === 0 ? 0 : FIRST_INTERVAL_MS * 2 ** (level - 1),
  };
}

/**
 * Announcements get finer below this part of the budget: a level at most doubles the traffic, so the next finer one
 * fits.
 */
export const ROOM = 0.4;
/** How long the traffic must have been that low. */
export const LEAST_HOLD_MS = 10_000;
/** That time doubles up to this, each time that a finer level turns out to be too early. */
export const MOST_HOLD_MS = 160_000;
/** By how many levels at once: in the first seconds of many flows, traffic can be far above the budget. */
const MOST_STEPS = 3;

export interface BudgetState {
  readonly level: number;
  /** Since when the traffic is low enough for a finer level, in milliseconds; `undefined`: it is not. */
  readonly roomSince: number | undefined;
  readonly holdMs: number;
  readonly refinedAt: number;
}

export const UNBOUNDED: BudgetState = {
  level: 0,
  roomSince: undefined,
  holdMs: LEAST_HOLD_MS,
  refinedAt: Number.NEGATIVE_INFINITY,
};

/**
 * The next state, at `now` in milliseconds. Call it whenever `bytesPerSecond` covers a time wholly after the last
 * change. `budget`: bytes per second; `undefined`: no bound.
 */
export function adapt(
  state: BudgetState,
  bytesPerSecond: number,
  budget: number | undefined,
  now: number,
): BudgetState {
  if (budget === undefined) return UNBOUNDED;
  if (bytesPerSecond > budget) return coarser(state, bytesPerSecond / budget, now);
  if (bytesPerSecond > ROOM * budget || state.level === 0) return { ...state, roomSince: undefined };
  const roomSince = state.roomSince ?? now;
  if (now - roomSince < state.holdMs) return { ...state, roomSince };
  // The traffic stayed low long after the level got finer: it was not too early.
  const wasRight = now - state.refinedAt > 4 * state.holdMs;
  const holdMs = wasRight ? LEAST_HOLD_MS : state.holdMs;
  return { level: state.level - 1, roomSince: undefined, holdMs, refinedAt: now };
}

function coarser(state: BudgetState, excess: number, now: number): BudgetState {
  const steps = Math.min(MOST_STEPS, Math.ceil(Math.log2(excess)) || 1);
  const wasTooEarly = now - state.refinedAt < state.holdMs;
  return {
    level: Math.min(MAX_LEVEL, state.level + steps),
    roomSince: undefined,
    holdMs: wasTooEarly ? Math.min(MOST_HOLD_MS, 2 * state.holdMs) : state.holdMs,
    refinedAt: state.refinedAt,
  };
}
