/**
 * What an agent tells the others within what that may cost: the more it sends beyond its budget, the coarser it gets, and
 * finer again when there is room. Pure; all functions of what was sent lately.
 */
import { CHANGE_THRESHOLD, type Coarseness } from './change-filter.ts';

/** Beyond, only rates that fall to a fifth or nearly double would be told. */
export const MAX_THRESHOLD = 0.8;
/** Of level 1; it doubles with each: 6.4 s at the last. Starts and stops then wait for 0.8 s. */
export const FIRST_INTERVAL_MS = 100;
export const MAX_LEVEL = 7;

/** Each level has twice the threshold and twice the interval of the one before. */
export function coarseness(level: number, base = CHANGE_THRESHOLD): Coarseness {
  return {
    threshold: Math.max(base, Math.min(MAX_THRESHOLD, base * 2 ** level)),
    intervalMs: level === 0 ? 0 : FIRST_INTERVAL_MS * 2 ** (level - 1),
  };
}

/** Finer below this part of the budget: a level halves what is sent at most, so the next one fits. */
export const ROOM = 0.4;
/** How long there must be room. */
export const LEAST_HOLD_MS = 10_000;
/** It doubles up to this, while getting finer shows each time that it was too early. */
export const MOST_HOLD_MS = 160_000;
/** How much coarser at once: the first seconds of many flows can be far above the budget. */
const MOST_STEPS = 3;

export interface BudgetState {
  readonly level: number;
  /** Since when there is room, in milliseconds; `undefined`: there is none. */
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
 * The next state, at `now` in milliseconds; to be asked as often as `bytesPerSecond` tells of a time that lies wholly
 * after the last change. `budget`: bytes per second; `undefined`: without bound.
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
  // There was room for long after it got finer: it was not too early.
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
