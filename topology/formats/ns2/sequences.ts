/** Sequences, timelines and groups of events. */
import { type Micros, micros } from '../../../proto/units.ts';
import { TclError, TclStop, wrongArgs } from '../../tcl/errors.ts';
import type { Call } from '../../tcl/interpreter.ts';
import { parseParts } from '../../tcl/parse.ts';
import { readInstant } from './quantities.ts';
import { type Group, nameOf, type Sequence, type Step, type Thing } from './things.ts';
import { type Collecting, callMethod, type Methods, perWorld, type World } from './world.ts';

/** `[$ns event-sequence { $program run … } { what is done after an error }]`: one step a line, substituted here. */
export function makeSequence(
  world: World,
  kind: Sequence['kind'],
  [text = '', errors = '']: readonly string[],
  call: Call,
): string {
  const steps = stepsIn(world, text, call);
  const after = stepsIn(world, errors, call);
  return world.add(
    (handle): Sequence => ({ kind, handle, place: call.place, steps, errors: after }),
    (sequence, words, at) => callMethod(world, sequenceMethods(world), sequence as Sequence, words, at),
  );
}

function stepsIn(world: World, text: string, call: Call): Step[] {
  return text.split('\n').flatMap((line, index): Step[] => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const place = index === 0 ? call.place : { line: call.place.line + index, column: 1 };
    const script = { text: substituted(world, trimmed, call), base: { ...place, isMade: true } };
    return [{ after: micros(0), script }];
  });
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

/** A timeline that starts by itself is events at its times; what is in a sequence, and sequences, become `sequences:`. */
function play(world: World, sequence: Sequence, call: Call): void {
  const { kind, steps, errors } = sequence;
  const now = world.now ?? micros(0);
  const { collecting } = world;
  if (collecting) {
    flush(collecting);
    world.tcl.budget.nested(() =>
      collectInto(world, { ...collecting, step: [], waits: kind === 'sequence' }, sequence),
    );
  } else if (kind === 'timeline') {
    for (const { after, script } of steps)
      world.schedule({ at: micros(now + after) as Micros, script, place: call.place });
  } else {
    world.tcl.budget.nested(() => {
      const collect = (some: readonly Step[]) => {
        const found: Collecting = { parts: [], step: [], waits: true };
        collectInto(world, found, { kind, steps: some });
        return found.parts;
      };
      const [parts, failed] = [collect(steps), collect(errors)];
      world.sequences.push({ at: now, name: nameOf(sequence), place: call.place, parts, errors: failed });
    });
  }
}

function flush(collecting: Collecting): void {
  if (collecting.step.length > 0) collecting.parts.push({ kind: 'step', happenings: collecting.step });
  collecting.step = [];
}

/** Reads the steps one after the other; those of a timeline lie apart as their times do. */
function collectInto(
  world: World,
  into: Collecting,
  { kind, steps }: { readonly kind: Sequence['kind']; readonly steps: readonly Step[] },
): void {
  const before = world.collecting;
  world.collecting = into;
  try {
    let reached = 0;
    const ordered = kind === 'timeline' ? steps.toSorted((a, b) => a.after - b.after) : steps;
    for (const { after, script } of ordered) {
      if (kind === 'timeline' && after > reached)
        into.parts.push({ kind: 'pause', time: micros(after - reached) });
      reached = Math.max(reached, after);
      if (!readStep(world, script)) return;
      flush(into);
    }
  } finally {
    flush(into);
    world.collecting = before;
  }
}

/** Whether something may come after it. */
function readStep(world: World, script: Step['script']): boolean {
  try {
    world.tcl.evaluateIn(world.tcl.variables.global, script);
    return true;
  } catch (error) {
    const place = { line: script.base.line, column: script.base.column };
    if (error instanceof TclStop && error.reason === 'exit') {
      world.happen({ place, field: 'event-sequence', make: () => ({ verb: 'quit' }) });
      return false;
    }
    if (!(error instanceof TclError)) throw error;
    world.findings.error('TCL_ERROR', error.place ?? place, 'event-sequence', error.message, error.remedy);
    return true;
  }
}

/** `[$ns event-group {$a $b}]`. */
export function makeGroup(world: World, [list = '']: readonly string[], call: Call): string {
  // In braces, variables are meant nevertheless.
  const members = world.tcl.list(substituted(world, list, call)).map((one) => member(world, one));
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
