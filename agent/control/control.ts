/**
 * Commands for the running experiment. This agent checks a command, gives it an instant and its place in the order of
 * all commands, and adds it to the set that the mesh spreads. From then on it is handled like a command of any other
 * agent.
 */
import { type Command, commandKey, compareIssue, type NewCommand } from '../../proto/command.ts';
import {
  type AcceptedCommand,
  type ControlAnswer,
  type ControlRequest,
  type ControlStanding,
  type HistoryEntry,
  PLACED_MS,
  type PlacedCommand,
  type PlaceRequest,
} from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { formatMicros, fromMillis, micros } from '../../proto/units.ts';
import type { CommandRecord } from '../timeline/command-history.ts';

/**
 * The time that other agents need to receive it before it is due: gossip, the work of a tick, and the repair of one
 * lost message.
 */
const LEAD_MICROS = micros(100_000);
/** Plus so many of the longest round-trip times between hosts. */
const LEAD_ROUND_TRIPS = 2;

/** So many commands wait for their signatures; of more, the oldest are forgotten. */
const MAX_PLACED = 256;

export type ControlErrorCode =
  | 'NOT_RUNNING'
  | 'CUT_OFF'
  | 'COMMAND_TIME'
  | 'COMMAND_RIGHT'
  | 'COMMAND_UNPLACED';

export class ControlError extends NetfoldError {
  declare readonly code: ControlErrorCode;

  constructor(code: ControlErrorCode, message: string, remedy: string) {
    super({ code, blame: code === 'COMMAND_TIME' ? 'usage' : 'input', message, remedy });
  }
}

export interface ControlHost {
  readonly name: string;
  readonly self: boolean;
  /** Whether it has the same commands. */
  readonly inStep: boolean;
}

export interface ControlPorts {
  readonly host: string;
  /** Microseconds since the start, negative before it; `undefined` if it isn't known. */
  readonly now: () => number | undefined;
  /** Throws a `NetfoldError` for a command that can't take effect, now or at its instant. */
  readonly check: (command: Command, now: number) => void;
  /** Increases with every command that this agent learns of. */
  readonly revision: () => number;
  /** What is signed with each command; `undefined`: nobody signs. */
  readonly scope: string | undefined;
  /** The author of commands that this agent signs; `undefined`: it signs none. */
  readonly self: string | undefined;
  /** Why its author may not give a command; `undefined`: he may. */
  readonly lacking: (command: Command) => string | undefined;
  /** The name of who gave a command. */
  readonly giverOf: (command: Command) => string;
  /** Gives a command of this author its place among all; no other agent hears of it. */
  readonly place: (what: NewCommand, author: string) => Command;
  /** Sends a command of this agent itself to all agents, including this one. */
  readonly issue: (what: NewCommand) => Command;
  /** The same with one that has its place and its signature. Throws if the others would refuse it. */
  readonly give: (command: Command) => Command;
  readonly history: () => readonly CommandRecord[];
  /** How many older commands it does not have any more. */
  readonly folded: () => number;
  /** The present hosts, including the own one. */
  readonly hosts: () => readonly ControlHost[];
  /** Names of hosts that became silent without leaving. */
  readonly silent: () => readonly string[];
  /** The longest to any host, in microseconds. */
  readonly longestRoundTrip: () => number;
}

export class Control {
  readonly #ports: ControlPorts;
  /** Commands that wait for their signature, the oldest first, and which revision each was checked against. */
  readonly #placed = new Map<string, { readonly command: Command; readonly revision: number }>();

  constructor(ports: ControlPorts) {
    this.#ports = ports;
  }

  /** Of this agent itself. Throws `ControlError`, and what `check` throws; then nothing has changed. */
  accept(request: ControlRequest): AcceptedCommand {
    const issued = this.#draft(request, this.#ports.self);
    return { ...this.#standing(), command: this.#ports.issue(issued) };
  }

  /** What this agent has seen of a sequence. It is not refused: it has happened. Not before the start. */
  tell(text: string): void {
    const now = this.#now();
    this.#ports.issue(this.#timed({ text }, now));
  }

  /** Of somebody who will sign it: exactly this, within `PLACED_MS`. Throws like `accept`. */
  place({ author, ...request }: PlaceRequest): PlacedCommand {
    const { place, scope, revision } = this.#ports;
    const command = place(this.#draft(request, author), author);
    this.#placed.set(commandKey(command), { command, revision: revision() });
    if (this.#placed.size > MAX_PLACED) this.#placed.delete(this.#placed.keys().next().value!);
    return { command, ...(scope !== undefined && { scope }) };
  }

  /** A command that was placed here, signed. Throws like `accept`; `COMMAND_UNPLACED` if it was not, or long ago. */
  give(command: Command): AcceptedCommand {
    const { check, give, revision } = this.#ports;
    const now = this.#now();
    const placed = this.#placed.get(commandKey(command));
    const isOld = now - command.issuedAt > fromMillis(PLACED_MS);
    if (!placed || compareIssue(placed.command, command) !== 0 || isOld) {
      throw new ControlError(
        'COMMAND_UNPLACED',
        `this agent has placed no such command in the last ${formatMicros(fromMillis(PLACED_MS))}`,
        'give it again',
      );
    }
    // Where others have come meanwhile; without them, time alone changes nothing. It may be late: it takes its place all the same.
    if (placed.revision !== revision()) check(command, Math.min(Math.max(0, Math.floor(now)), command.at));
    this.#placed.delete(commandKey(command));
    return { ...this.#standing(), command: give(command) };
  }

  answer(): ControlAnswer {
    const { history, folded, giverOf } = this.#ports;
    return {
      ...this.#standing(),
      history: history().map((record) => entryOf(record, giverOf(record.command))),
      folded: folded(),
    };
  }

  #standing(): ControlStanding {
    const { host, now, hosts, silent } = this.#ports;
    const present = hosts();
    const names = (inStep: boolean): string[] =>
      present.filter((one) => (one.self || one.inStep) === inStep).map(({ name }) => name);
    return {
      host,
      now: now() ?? null,
      inStep: names(true),
      behind: [...names(false), ...silent()].sort(),
    };
  }

  /** Without its place among all. */
  #draft(request: ControlRequest, author: string | undefined): NewCommand {
    const { host, lacking, check } = this.#ports;
    const now = this.#now();
    this.#requireOthers(request);
    const what = this.#timed(request, now);
    // The checks do not depend on its number, which is assigned later.
    const origin = { origin: host, incarnation: 1, number: 1, ...(author !== undefined && { author }) };
    const draft: Command = { ...what, ...origin };
    check(draft, Math.max(0, Math.floor(now)));
    const reason = lacking(draft);
    if (reason !== undefined)
      throw new ControlError(
        'COMMAND_RIGHT',
        reason,
        'give it where the experiment was started, or with a key that may (--key FILE, or NETFOLD_KEY)',
      );
    return what;
  }

  #now(): number {
    const now = this.#ports.now();
    if (now !== undefined) return now;
    throw new ControlError(
      'NOT_RUNNING',
      'the experiment has not begun',
      'wait until `netfold up` says that it is up',
    );
  }

  /** An agent that receives from no other can't know whether the others or its own network failed. */
  #requireOthers({ alone }: ControlRequest): void {
    const { hosts, silent, host } = this.#ports;
    const lost = silent();
    if (alone || lost.length === 0 || hosts().length > 1) return;
    throw new ControlError(
      'CUT_OFF',
      `the agent of ${host} receives from none of the others: ${lost.join(', ')} ${lost.length > 1 ? 'are' : 'is'} silent`,
      `use another agent (--host ${lost[0]}), or this one all the same with --alone: the others follow when they are back`,
    );
  }

  #timed({ text, at, after, during }: ControlRequest, now: number): NewCommand {
    const { longestRoundTrip } = this.#ports;
    if (at !== undefined && at < now) {
      const passed = `the experiment is at ${formatMicros(micros(Math.round(now)))}`;
      throw new ControlError(
        'COMMAND_TIME',
        `--at ${formatMicros(micros(at))} has passed: ${passed}`,
        'leave --at out, or write --at +1s for in a second',
      );
    }
    const lead = Math.max(LEAD_MICROS, LEAD_ROUND_TRIPS * longestRoundTrip());
    const due = Math.round(at ?? Math.max(0, now) + Math.max(after ?? 0, lead));
    return {
      issuedAt: Math.max(0, Math.round(now)),
      at: due,
      ...(during !== undefined && { until: due + Math.round(during) }),
      text,
    };
  }
}

function entryOf({ command, status, reason, hit }: CommandRecord, by: string): HistoryEntry {
  return {
    ...command,
    by,
    state: status,
    ...(reason !== undefined && { problem: reason }),
    ...(hit && { hit: hit.names, hitCount: hit.count }),
  };
}
