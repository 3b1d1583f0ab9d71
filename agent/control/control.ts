/**
 * Commands for the running experiment. This agent checks a command, gives it an instant and its place in the order of
 * all commands, and adds it to the set that the mesh spreads. From then on it is handled like a command of any other
 * agent.
 */
import type { Command, NewCommand } from '../../proto/command.ts';
import type { ControlAnswer, ControlRequest, HistoryEntry } from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { formatMicros, micros } from '../../proto/units.ts';
import type { CommandRecord } from '../timeline/command-history.ts';

/**
 * The time that other agents need to receive it before it is due: gossip, the work of a tick, and the repair of one
 * lost message.
 */
const LEAD_MICROS = micros(100_000);
/** Plus so many of the longest round-trip times between hosts. */
const LEAD_ROUND_TRIPS = 2;

export type ControlErrorCode = 'NOT_RUNNING' | 'CUT_OFF' | 'COMMAND_TIME';

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
  /** Sends it to all agents, including this one. */
  readonly issue: (what: NewCommand) => Command;
  readonly history: () => readonly CommandRecord[];
  /** The present hosts, including the own one. */
  readonly hosts: () => readonly ControlHost[];
  /** Names of hosts that became silent without leaving. */
  readonly silent: () => readonly string[];
  /** The longest to any host, in microseconds. */
  readonly longestRoundTrip: () => number;
}

export class Control {
  readonly #ports: ControlPorts;

  constructor(ports: ControlPorts) {
    this.#ports = ports;
  }

  /** Throws `ControlError`, and what `check` throws; then nothing has changed. */
  accept(request: ControlRequest): ControlAnswer {
    const now = this.#now();
    this.#requireOthers(request);
    const issued = this.#place(request, now);
    // The check does not depend on its identity, which is assigned later.
    const draft: Command = { ...issued, origin: this.#ports.host, incarnation: 1, number: 1 };
    this.#ports.check(draft, Math.max(0, Math.floor(now)));
    return { ...this.answer(), command: this.#ports.issue(issued) };
  }

  answer(): ControlAnswer {
    const { host, now, history, hosts, silent } = this.#ports;
    const present = hosts();
    const names = (inStep: boolean): string[] =>
      present.filter((one) => (one.self || one.inStep) === inStep).map(({ name }) => name);
    return {
      host,
      now: now() ?? null,
      history: history().map(entryOf),
      inStep: names(true),
      behind: [...names(false), ...silent()].sort(),
    };
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

  #place({ text, at, after, during }: ControlRequest, now: number): NewCommand {
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

function entryOf({ command, status, reason, hit }: CommandRecord): HistoryEntry {
  return {
    ...command,
    state: status,
    ...(reason !== undefined && { problem: reason }),
    ...(hit && { hit: hit.names, hitCount: hit.count }),
  };
}
