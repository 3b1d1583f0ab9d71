/** What agents' run logs tell, as rows of a record and lines of its `events.ndjson`. Pure; the time is handed in. */
import { type Command, commandKey } from '../../proto/command.ts';
import { type CauseFacts, type EpochFacts, RUN_LOG_KINDS, type RunLogEntry } from '../../proto/run-log.ts';
import { micros, toMillis } from '../../proto/units.ts';
import type { EpochRow, EventRow, VerdictRow } from './rows.ts';

/** An event of the topology file. */
export interface FileEvent {
  readonly dueMs: number;
  /** null: it has no window. */
  readonly untilMs: number | null;
  /** As it stands in the file. */
  readonly text: string;
}

export interface Happenings {
  readonly events: EventRow[];
  readonly epochs: EpochRow[];
  readonly verdicts: VerdictRow[];
  /** JSON, without line ends. */
  readonly lines: string[];
}

/** Origin of an event of the file. */
export const FROM_FILE = 'file';

/** Kinds of entries that are kept; the others, which come many times a second, are sampled. */
export const KEPT_KINDS = RUN_LOG_KINDS.filter((kind) => kind !== 'share' && kind !== 'flow');

/** An event of the file waits so long for all hosts to say when it was in force. */
const SETTLE_MS = 1000;
/** Other hosts tell of a command again, so late at most. */
const REPEATED_WITHIN_MS = 600_000;

interface KnownCommand {
  readonly command: Command;
  readonly by: string;
  writtenAtMs: number | undefined;
}

export class Happened {
  /** In the order of their instants; the first `#next` are written. */
  readonly #fileEvents: readonly FileEvent[];
  #next: number;
  readonly #written: ReadonlySet<string>;
  readonly #commands = new Map<string, KnownCommand>();
  /** When all that was due at an instant was in force on every host that told so. */
  readonly #settled = new Map<number, number>();
  /** Causes of the verdict that go on, by who told them, place and code. */
  readonly #causes = new Map<string, CauseFacts['weight']>();
  #found: Happenings = nothing();

  /** `written`: what an earlier process has written. Agents that start again tell of all commands again. */
  constructor(fileEvents: readonly FileEvent[], written: readonly Written[] = []) {
    this.#fileEvents = fileEvents.toSorted((a, b) => a.dueMs - b.dueMs);
    const { true: ofFile = [], false: others = [] } = Object.groupBy(written, ({ origin }) =>
      origin === FROM_FILE ? 'true' : 'false',
    );
    this.#next = ofFile.length;
    this.#written = new Set(others.map(nameOf));
  }

  take(host: string, entries: readonly RunLogEntry[]): void {
    for (const entry of entries) {
      this.#found.lines.push(JSON.stringify({ host, ...entry }));
      if (entry.kind === 'epoch') this.#takeEpoch(host, entry);
      else if (entry.kind === 'command') this.#takeCommand(entry.command, entry.by);
      else if (entry.kind === 'outcome' && entry.state !== 'pending')
        this.#writeCommand(commandKey(entry.command), entry.state, entry.atMicros);
      else if (entry.kind === 'cause') this.#takeCause(host, entry);
    }
  }

  /** The command of an endpoint runs, or has ended. */
  process(host: string, endpoint: string, state: string, nowMs: number | null): void {
    this.#found.lines.push(JSON.stringify({ host, kind: 'process', endpoint, state, nowMs }));
  }

  /** What is new since the last call. */
  batch(nowMs: number): Happenings {
    for (; this.#fileEvents[this.#next] !== undefined; this.#next++) {
      const event = this.#fileEvents[this.#next]!;
      if (event.dueMs > nowMs - SETTLE_MS) break;
      this.#writeFileEvent(event);
    }
    this.#forget(nowMs);
    const found = this.#found;
    this.#found = nothing();
    return found;
  }

  /** The last batch: commands that had no effect yet are told as pending. */
  last(nowMs: number): Happenings {
    for (const [key, { writtenAtMs }] of this.#commands)
      if (writtenAtMs === undefined) this.#writeCommand(key, 'pending', null);
    return this.batch(nowMs + SETTLE_MS);
  }

  #takeEpoch(host: string, { epoch, dueMicros, appliedMicros, settledMicros }: EpochFacts): void {
    const [dueMs, appliedMs, settledMs] = [dueMicros, appliedMicros, settledMicros].map((at) => millis(at));
    this.#found.epochs.push({ host, epoch, dueMs: dueMs!, appliedMs: appliedMs!, settledMs: settledMs! });
    this.#settled.set(dueMs!, Math.max(settledMs!, this.#settled.get(dueMs!) ?? 0));
  }

  #takeCommand(command: Command, by: string): void {
    const key = commandKey(command);
    if (!this.#commands.has(key)) this.#commands.set(key, { command, by, writtenAtMs: undefined });
  }

  #writeCommand(key: string, outcome: string, atMicros: number | null): void {
    const known = this.#commands.get(key);
    if (!known || known.writtenAtMs !== undefined) return;
    const { command, by } = known;
    const dueMs = millis(command.at);
    known.writtenAtMs = atMicros === null ? dueMs : millis(atMicros);
    if (this.#written.has(nameOf({ dueMs, origin: by, text: command.text }))) return;
    const tMs = outcome === 'done' ? (this.#settled.get(dueMs) ?? known.writtenAtMs) : null;
    const untilMs = command.until === undefined ? null : millis(command.until);
    this.#found.events.push({ tMs, dueMs, untilMs, origin: by, text: command.text, outcome });
  }

  #writeFileEvent({ dueMs, untilMs, text }: FileEvent): void {
    const tMs = this.#settled.get(dueMs) ?? dueMs;
    this.#found.events.push({ tMs, dueMs, untilMs, origin: FROM_FILE, text, outcome: null });
    this.#found.lines.push(JSON.stringify({ kind: 'file', dueMs, tMs, text }));
  }

  #takeCause(host: string, cause: RunLogEntry<CauseFacts>): void {
    const { code, weight, path, message, present, atMicros } = cause;
    const key = JSON.stringify([host, cause.host, code, path]);
    if (present) this.#causes.set(key, weight);
    else this.#causes.delete(key);
    const weights = [...this.#causes.values()];
    const state = weights.includes('invalid') ? 'invalid' : weights.length > 0 ? 'degraded' : 'faithful';
    const what = path === null ? message : `${path}: ${message}`;
    this.#found.verdicts.push({
      ...{ tMs: atMicros === null ? 0 : millis(atMicros), state, code, host: cause.host },
      message: present ? what : `over: ${what}`,
    });
  }

  #forget(nowMs: number): void {
    for (const [key, { writtenAtMs }] of this.#commands)
      if (writtenAtMs !== undefined && writtenAtMs < nowMs - REPEATED_WITHIN_MS) this.#commands.delete(key);
    for (const dueMs of this.#settled.keys())
      if (dueMs < nowMs - REPEATED_WITHIN_MS) this.#settled.delete(dueMs);
  }
}

type Written = Pick<EventRow, 'dueMs' | 'origin' | 'text'>;

const nameOf = ({ dueMs, origin, text }: Written): string => JSON.stringify([dueMs, origin, text]);

const nothing = (): Happenings => ({ events: [], epochs: [], verdicts: [], lines: [] });

const millis = (at: number): number => toMillis(micros(at));
