/** `ScatterAction`, turn by turn: the instant of each endpoint's turn, and its effect. */
import { type Micros, micros } from '../../proto/units.ts';
import { amountOf } from '../events/amounts.ts';
import { ENDPOINT_ONLY } from '../events/scopes.ts';
import { TargetError, type Targets } from '../events/targets.ts';
import type { LifecycleAction, ScatterAction } from '../model/events.ts';
import { SeededRandom } from '../model/random.ts';
import type { NetworkState } from './state.ts';

/** Random instants are whole milliseconds, as in ThunderStorm. */
const GRAIN = 1000;

interface Turn {
  readonly at: Micros;
  readonly phase: 'start';
  run(): void;
}

/** The effect of one turn: one endpoint changes, or one crashes and is replaced or not. */
export interface TurnActions {
  change(action: LifecycleAction): void;
  churn(isReplaced: boolean): void;
}

/**
 * First the step that determines how many turns are taken, then each turn; their instants do not depend on that
 * number.
 */
export function* scatterTurns(
  action: ScatterAction,
  at: Micros,
  until: Micros,
  { state, targets }: { readonly state: NetworkState; readonly targets: Targets },
  actions: TurnActions,
): Generator<Turn> {
  const { what, amount, replace } = action;
  const verb = what === 'churn' ? 'crash' : what;
  const select = (): readonly number[] => targets.select(action.targets, what, ENDPOINT_ONLY).endpoints;
  let taken = 0;
  let replaced = 0;
  const settle = (): void => {
    const endpoints = select();
    const present = endpoints.filter((endpoint) => state.present[endpoint]).length;
    const able = endpoints.filter((endpoint) => state.isAble(verb, endpoint)).length;
    taken = amountOf(amount, present) ?? able;
    replaced = Math.round(replace * taken);
  };
  yield { at, phase: 'start', run: settle };
  const random = new SeededRandom(action.seed);
  const grains = Math.max(1, Math.floor((until - at) / GRAIN));
  const most = amount && 'count' in amount ? amount.count : countOf(select);
  for (let turn = 0; turn < most; turn++) {
    const run = (): void => {
      if (turn >= taken) return;
      if (what === 'churn') actions.churn(turn < replaced);
      else actions.change({ verb: what, targets: action.targets, amount: 1 });
    };
    yield { at: micros(at + random.below(grains) * GRAIN), phase: 'start', run };
  }
}

/** Wrong targets are reported when the event is played. */
function countOf(select: () => readonly number[]): number {
  try {
    return select().length;
  } catch (error) {
    if (error instanceof TargetError) return 0;
    throw error;
  }
}
