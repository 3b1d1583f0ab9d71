/** Sequences, timelines and groups of events. */
import { type Micros, micros } from '../../../proto/units.ts';
import { TclError, wrongArgs } from '../../tcl/errors.ts';
import type { Call } from '../../tcl/interpreter.ts';
import { parseParts } from '../../tcl/parse.ts';
import { readInstant } from './quantities.ts';
import { type Group, nameOf, type Sequence, type Step, type Thing } from './things.ts';
import { callMethod, type Methods, perWorld, type World } from './world.ts';

/** `[$ns event-sequence { $program run … }]`: one step a line, substituted here. */
export function makeSequence(
  world: World,
  kind: Sequence['kind'],
  [text = '', ...rest]: readonly string[],
  call: Call,
): string {
  if (rest.length > 0)
    world.leaveOut(
      'sequences for errors',
      call.place,
      'what a sequence does after an error is left out: netfold does not wait for its steps',
    );
  const steps = text.split('\n').flatMap((line, index): Step[] => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const place = index === 0 ? call.place : { line: call.place.line + index, column: 1 };
    return [
      {
        after: micros(0),
        script: { text: substituted(world, trimmed, call), base: { ...place, isMade: true } },
      },
    ];
  });
  return world.add(
    (handle): Sequence => ({ kind, handle, place: call.place, steps }),
    (sequence, words, at) => callMethod(world, sequenceMethods(world), sequence as Sequence, words, at),
  );
}

function substituted(world: World, text: string, call: Call): string {
  const parts = parseParts(text);
  return world.tcl.at(call.place, () => world.tcl.substitute(parts));
}

const sequenceMethods = perWorld((world: World): Methods<Sequence> => {
  const start = (sequence: Sequence, _: readonly string[], call: Call): string => {
    play(world, sequence, call);
    return '';
  };
  return {
    start,
    run: start,
    append: (sequence, [text], call) => {
      if (text === undefined) throw wrongArgs('sequence append event');
      sequence.steps.push({ after: micros(0), script: { ...call.script(1), text } });
      return '';
    },
    at: (sequence, [time, text], call) => {
      if (time === undefined || text === undefined) throw wrongArgs('timeline at time event');
      sequence.steps.push({ after: readInstant(time), script: { ...call.script(2), text } });
      return '';
    },
    reset: (_, _args, call) => {
      world.leaveOut('reset of a sequence', call.place, 'a sequence can be started again without it');
      return '';
    },
  };
});

/** The steps of a sequence begin at once; those of a timeline after their times. */
function play(world: World, { kind, steps }: Sequence, call: Call): void {
  const now = world.now ?? micros(0);
  if (kind === 'sequence' && steps.length > 1)
    world.notes.tell(
      { code: 'EVENT_ASSUMED', what: 'sequences of events', shown: 1 },
      call.place,
      call.name,
      'the steps of a sequence begin at once here: none waits for the end of the one before',
      'give them times with event-timeline, or put several commands into one program: "first; second"',
    );
  for (const { after, script } of steps)
    world.schedule({ at: micros(now + after) as Micros, script, place: call.place });
}

/** `[$ns event-group {$a $b}]`. */
export function makeGroup(world: World, [list = '']: readonly string[], call: Call): string {
  const members = world.tcl.list(list).map((one) => member(world, one));
  return world.add(
    (handle): Group => ({ kind: 'group', handle, place: call.place, members }),
    (group, words, at) => callGroup(world, group as Group, words, at),
  );
}

function member(world: World, text: string): Thing {
  const thing = world.thing(text);
  if (thing) return thing;
  throw new TclError(
    `there is nothing that is called "${text.slice(0, 40)}"`,
    'give variables that hold programs, links or LANs',
  );
}

function callGroup(world: World, group: Group, args: readonly string[], call: Call): string {
  const [method, ...rest] = args;
  if (method === undefined) throw new TclError(`nothing is asked of the group ${nameOf(group)}`);
  if (method === 'add') {
    for (const one of rest) group.members.push(member(world, one));
    return '';
  }
  world.tcl.budget.nested(() => {
    for (const one of group.members) world.tcl.invoke([one.handle, ...args], call.place);
  });
  return '';
}
