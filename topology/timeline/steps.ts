/** The steps of an event in time, which are done one after the other. */
import { type Command, compareCommands } from '../../proto/command.ts';
import { type Micros, micros } from '../../proto/units.ts';
import type { Targets } from '../events/targets.ts';
import type { FlapAction, ScatterAction, TopologyEvent } from '../model/events.ts';
import { SeededRandom } from '../model/random.ts';
import type { Actions } from './actions.ts';
import { scatterTurns } from './scatter.ts';
import type { NetworkState } from './state.ts';

export interface Step {
  readonly at: Micros;
  /** The end of a window comes before everything that starts at its instant. */
  readonly phase: 'end' | 'start';
  readonly event: TopologyEvent;
  /** The number of the event in the file, or the command; commands come after the file. */
  readonly source: number | Command;
  run(): void;
}

export type Turn = Pick<Step, 'at' | 'phase' | 'run'>;

const PHASES = { end: 0, start: 1 } as const;

/** The order of all steps of a timeline, the same on every host. */
export function compareSteps(a: Step, b: Step): number {
  return a.at - b.at || PHASES[a.phase] - PHASES[b.phase] || compareSources(a.source, b.source);
}

function compareSources(a: Step['source'], b: Step['source']): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  return typeof b === 'number' ? 1 : compareCommands(a, b);
}

/** How many steps an event has at most, without making them. */
export function countSteps({ action, at, until = at }: Omit<TopologyEvent, 'position'>): number {
  return 'period' in action ? Math.ceil((until - at) / action.period) + 1 : 2;
}

export interface Stage {
  readonly state: NetworkState;
  readonly targets: Targets;
  readonly actions: Actions;
}

/**
 * The steps of an event, in no order. They share their random numbers and what has to be undone, so each is played
 * once.
 */
export function* turnsOf(event: TopologyEvent, stage: Stage): Generator<Turn> {
  const { actions } = stage;
  const { action, at, until } = event;
  let undo: (() => void) | undefined;
  if (action.verb === 'flap') {
    yield* flap(action, at, until ?? at, actions);
  } else if (action.verb === 'scatter') {
    yield* scatter(action, at, until ?? at, stage);
  } else if (action.verb === 'churn') {
    const { targets, amount, replace, period, seed } = action;
    const random = new SeededRandom(seed);
    for (let tick: number = at; tick < (until ?? at); tick += period) {
      yield { at: micros(tick), phase: 'start', run: () => actions.churn(targets, amount, replace, random) };
    }
  } else {
    const run = (): void => {
      undo = actions.begin(event, action);
    };
    yield { at, phase: 'start', run };
    if (until !== undefined) yield { at: until, phase: 'end', run: () => undo?.() };
  }
}

function* scatter(action: ScatterAction, at: Micros, until: Micros, stage: Stage): Generator<Turn> {
  const random = new SeededRandom(action.seed);
  yield* scatterTurns(action, at, until, stage, {
    change: (one) => stage.actions.lifecycle(one),
    churn: (isReplaced) => stage.actions.churn(action.targets, { count: 1 }, isReplaced, random),
  });
}

function* flap(action: FlapAction, at: Micros, until: Micros, actions: Actions): Generator<Turn> {
  let down = true;
  for (let tick: number = at; tick < until; tick += action.period) {
    const up = !down;
    yield { at: micros(tick), phase: 'start', run: () => actions.toggle(action, up) };
    down = !down;
  }
  if (!down) yield { at: until, phase: 'end', run: () => actions.toggle(action, true) };
}
