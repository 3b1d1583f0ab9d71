/**
 * Whether a command can take effect: before it is accepted, it is played on a copy of the timeline, up to the end.
 */
import type { Command } from '../../proto/command.ts';
import { formatMicros, type Micros, micros } from '../../proto/units.ts';
import { COMMAND_FILE } from '../../topology/events/grammar.ts';
import type { TargetError } from '../../topology/events/targets.ts';
import { quote } from '../../topology/model/diagnostics.ts';
import type { TopologyEvent } from '../../topology/model/events.ts';
import { MAX_ATOMS } from '../../topology/model/limits.ts';
import { changesLives } from '../../topology/model/lives.ts';
import type { Topology } from '../../topology/model/model.ts';
import type { Beginning } from '../../topology/timeline/beginning.ts';
import { Contradictions } from '../../topology/timeline/contradictions.ts';
import type { CommandedTimeline } from './commanded-timeline.ts';
import { CommandError } from './errors.ts';
import { type KnownCommand, readCommand } from './known-command.ts';
import type { KnownCommands } from './known-commands.ts';
import { isUndoneBy } from './order.ts';

const END: Micros = micros(Number.MAX_SAFE_INTEGER);

/** Throws `CommandError` for a command that begins or ends what runs in endpoints, where netfold does not. */
export function refuseLives(
  command: Command,
  topology: Pick<Topology, 'services'>,
  { elsewhere, remedy }: { readonly elsewhere: string; readonly remedy: string },
): void {
  const { event } = readCommand(command);
  if (!event || !changesLives(event.action, topology)) return;
  const message = `${event.action.verb} is not possible here: ${elsewhere}`;
  throw new CommandError(command, 'LIVES_ELSEWHERE', event.position, message, remedy);
}

/** Throws `CommandError`. `timeline` does not change. */
export function checkCommand(
  timeline: CommandedTimeline,
  beginning: Beginning,
  command: Command,
  now: Micros,
): void {
  const known = readCommand(command);
  const { event } = known;
  if (!event) throw known.error;
  refuseTimes(
    known,
    event,
    now,
    quitAt(timeline.commands, [...beginning.topology.events, ...timeline.sequences.events]),
  );
  refuseUnawaited(command, event, beginning);
  refuseTooMany(known, event, timeline.commands);
  refuseConsequences(timeline, beginning, known);
}

function refuseTimes(
  { command }: KnownCommand,
  event: TopologyEvent,
  now: Micros,
  quit: Micros | undefined,
): void {
  const wrong = (message: string, remedy: string): CommandError =>
    new CommandError(command, 'EVENT_TIME', event.position, message, remedy);
  if (event.at < now) {
    throw wrong(
      `${formatMicros(event.at)} is over: it is ${formatMicros(now)}`,
      'give a later time, e.g. --at +5s',
    );
  }
  if (quit === undefined) return;
  const last = event.until ?? event.at;
  if (event.action.verb === 'quit' && last >= quit)
    throw wrong(`there is a quit at ${formatMicros(quit)} already`, 'give an earlier time');
  if (last <= quit) return;
  const isOver = now > quit;
  throw wrong(
    isOver
      ? `the experiment has ended with the quit at ${formatMicros(quit)}`
      : `this is ${event.at > quit ? '' : 'still '}due at ${formatMicros(last)}, after the quit at ${formatMicros(quit)}`,
    isOver ? 'start it anew' : 'give an earlier time',
  );
}

function refuseUnawaited(
  command: Command,
  { action, position }: TopologyEvent,
  { sequences }: Beginning,
): void {
  if (action.verb !== 'notify' || sequences.isAwaited(action.name)) return;
  const message = `no sequence waits for ${quote(action.name)}`;
  throw new CommandError(command, 'SEQUENCE', position, message, 'write wait for NAME, or after: NAME');
}

function refuseTooMany(known: KnownCommand, { position }: TopologyEvent, commands: KnownCommands): void {
  const { command } = known;
  if (!commands.wouldStay(command)) {
    const message = `the experiment has ${commands.size} commands that are in force or were given within a minute, as many as it takes`;
    throw new CommandError(
      command,
      'LIMIT',
      position,
      message,
      'give the next ones later, or put an end to the others with reset; heal, reset and quit are possible at any time',
    );
  }
  if (!commands.hasRoomFor(known)) {
    const message = `with the commands before, this comes to more than ${MAX_ATOMS} changes`;
    throw new CommandError(command, 'LIMIT', position, message, 'use a longer period or a shorter window');
  }
}

/** Continues with the command; it is refused if something fails then that would not fail without it. */
function refuseConsequences(
  timeline: CommandedTimeline,
  { expansion }: Beginning,
  known: KnownCommand,
): void {
  const { command } = known;
  const describe = describer([...timeline.commands.all(), known]);
  const refuse = (event: TopologyEvent, { code, position, message, remedy }: TargetError): never => {
    if (event === known.event) throw new CommandError(command, code, position, message, remedy);
    const consequence = `then ${describe(event)}, due at ${formatMicros(event.at)}, has nothing to do: ${message}`;
    throw new CommandError(
      command,
      code,
      known.event!.position,
      consequence,
      'choose other targets or another time',
    );
  };
  const contradictions = new Contradictions(expansion.graph, describe, (event, other, error) => {
    if (event === known.event || other === known.event) refuse(event, error);
  });
  let anyway: ReadonlySet<TopologyEvent> | undefined;
  const trial = timeline.fork({
    onAtom: (atom) => contradictions.add(atom),
    onProblem: (event, error) => {
      // Most commands cause no failure, so this is rarely played.
      if (event !== known.event) anyway ??= failingAnyway(timeline);
      if (!anyway?.has(event)) refuse(event, error);
    },
  });
  trial.add([known]);
  trial.advance(END);
}

/** The events that will fail even without the command. */
function failingAnyway(timeline: CommandedTimeline): ReadonlySet<TopologyEvent> {
  const failing = new Set<TopologyEvent>();
  const without = timeline.fork({ onAtom: () => {}, onProblem: (event) => failing.add(event) });
  without.advance(END);
  return failing;
}

function describer(commands: readonly KnownCommand[]): (event: TopologyEvent) => string {
  return (event) => {
    const { file, line } = event.position;
    if (file !== COMMAND_FILE) return `line ${line} of ${file}`;
    return `the command ${quote(commands.find((one) => one.event === event)?.command.text ?? '')}`;
  };
}

/** The earliest quit of file and commands that no reset drops. */
export function quitAt(commands: KnownCommands, events: readonly TopologyEvent[]): Micros | undefined {
  const times = events.filter(({ action }) => action.verb === 'quit').map(({ at }) => at);
  for (const known of commands.all()) {
    const { event } = known;
    if (event?.action.verb !== 'quit') continue;
    const isDropped = commands.resets.some(
      (reset) => reset.event!.at <= event.at && isUndoneBy(known, reset),
    );
    if (!isDropped) times.push(event.at);
  }
  return times.length === 0 ? undefined : micros(Math.min(...times));
}
