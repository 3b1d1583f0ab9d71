/** Sequences that a script has started → `sequences:`. */
import { formatMicros } from '../../../proto/units.ts';
import { actionText } from '../../events/write.ts';
import type { EventAction, RunAction } from '../../model/events.ts';
import { isName } from '../../model/names.ts';
import type { Position } from '../../model/position.ts';
import type { Sequence, SequenceStart, SequenceStep } from '../../model/sequences.ts';
import type { Place } from '../../networks/notes.ts';
import { actionOf, type Named } from './events.ts';
import type { Happening, Part, World } from './world.ts';

/** Each with the name of the variable that holds it; a second start, and what is done after an error, have names that follow from it. */
export function topologySequences(world: World, named: Named, flows: ReadonlySet<string>): Sequence[] {
  const taken = new Set<string>();
  const nameFor = (wanted: string): string => {
    const base = isName(wanted) ? wanted : 'sequence';
    let name = base;
    for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
    taken.add(name);
    return name;
  };
  return world.sequences.flatMap(({ at, name: wanted, place, parts, errors }): Sequence[] => {
    const position = positionOf(place, named);
    const name = nameFor(wanted);
    const made = (called: string, start: SequenceStart, some: readonly Part[]): Sequence[] => {
      const steps = some.flatMap((part) => stepsOf(part, { world, named, flows, position }));
      return steps.length === 0 ? [] : [{ name: called, start, steps, position }];
    };
    const whole = made(name, { at }, parts);
    if (whole.length === 0) return [];
    const after = { after: { name, fails: true } };
    return [...whole, ...(errors.length === 0 ? [] : made(nameFor(`${name}-error`), after, errors))];
  });
}

const positionOf = ({ line, column }: Place, { file }: Named): Position => ({ file, line, column });

interface Around {
  readonly world: World;
  readonly named: Named;
  /** Names of traffic: what is none is left out, which is told elsewhere. */
  readonly flows: ReadonlySet<string>;
  readonly position: Position;
}

function stepsOf(part: Part, { world, named, flows, position }: Around): SequenceStep[] {
  if (part.kind === 'pause')
    return [{ kind: 'pause', time: part.time, line: `wait ${formatMicros(part.time)}`, position }];
  const found = part.happenings.flatMap((happening) => {
    const at = positionOf(happening.place, named);
    const action = actionOf(happening, named, at);
    const isNone = action && 'traffic' in action && !action.traffic.every(({ name }) => flows.has(name));
    return action && !isNone ? [{ happening, action: placed(action, at), position: at }] : [];
  });
  const programs = new Map<string, SequenceStep>();
  const actions: SequenceStep[] = [];
  for (const { happening, action, position: at } of found) {
    if (action.verb === 'run' && happening.waits) addProgram(programs, action, happening.waits, at);
    else actions.push({ kind: 'action', action, line: lineOf(action), position: at });
  }
  if (programs.size > 1)
    world.notes.tell(
      { code: 'EVENT_ASSUMED', what: 'programs of one step', shown: 1 },
      part.happenings[0]!.place,
      part.happenings[0]!.field,
      'different programs of one step run one after the other here',
      'give them one command, or put them into sequences of their own',
    );
  return [...actions, ...programs.values()];
}

/** The same command on several nodes is one step, which ends when all have. */
function addProgram(
  programs: Map<string, SequenceStep>,
  action: RunAction,
  { code, timeout }: NonNullable<Happening['waits']>,
  position: Position,
): void {
  const limit = timeout !== undefined && { timeout };
  const ending = `exit ${code}${timeout === undefined ? '' : ` timeout ${formatMicros(timeout)}`}`;
  const key = `${ending} ${action.command}`;
  const known = programs.get(key);
  const before = known?.kind === 'program' ? known.action.targets : [];
  const whole: RunAction = { ...action, targets: [...before, ...action.targets] };
  programs.set(key, {
    kind: 'program',
    action: whole,
    code,
    ...limit,
    position,
    line: `${actionText(whole)} ${ending}`,
  });
}

/** A command that is only started is not waited for. */
const lineOf = (action: EventAction): string =>
  `${actionText(action) ?? action.verb}${action.verb === 'run' ? ' detached' : ''}`;

/** Names of traffic stand where what names them does. */
const placed = (action: EventAction, position: Position): EventAction =>
  action.verb === 'start' || action.verb === 'stop'
    ? { ...action, traffic: action.traffic.map(({ name }) => ({ name, position })) }
    : action;
