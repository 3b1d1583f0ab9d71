/**
 * Keeps the kernel up to date with the known endpoints, and knows whether all of it is in force. `degraded` shows
 * what fails; everything else continues.
 */
import type { Clock, Timers } from '../clock/clock.ts';
import type { DataRoom } from '../endpoints/data-room.ts';
import { Corrections } from '../enforce/corrections.ts';
import { LATENESS_MS, Lateness } from '../enforce/lateness.ts';
import { Losses } from '../enforce/losses.ts';
import type { ChangeWatch, DelayBackend } from '../enforce/ports.ts';
import { Strays } from '../enforce/strays.ts';
import type { CurrentEpoch } from '../epoch/current-epoch.ts';
import { AgentError } from '../errors.ts';
import { memoryProblem, memoryUses } from '../health/memory-room.ts';
import type { RunLog } from '../runlog/run-log.ts';
import { PromptLooks, WATCH_MS } from '../shape/prompt-looks.ts';
import type { KnownEndpoint, Shaping } from '../shape/shaping.ts';
import { Attempts } from '../tick/attempts.ts';
import type { UsageReader } from '../usage/reader.ts';
import type { AgentLog } from './ports.ts';

/** Hosts join one after the other. Those that join within this time are planned for together. */
const SETTLE_MS = 150;

/**
 * How often an interface is audited that nobody is known to have changed. It takes about 0.3 ms; with 100 endpoints on a host, each
 * has its turn every 20 s. Several at once would delay events.
 */
const AUDIT_MS = 200;
/** What has failed is tried again, and memory looked at. */
const RETRY_MS = 1000;

/** So many of the things that could not be done stay in status. */
const NOTED = 20;

export interface ShapeKeeperPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: AgentLog;
  readonly runLog: RunLog;
  readonly epoch: CurrentEpoch;
  readonly shaping: Shaping;
  readonly delay: Pick<DelayBackend, 'failure' | 'counters'>;
  readonly usage: Pick<UsageReader, 'uncounted' | 'unlisted'>;
  readonly changes: ChangeWatch;
  /** Counts what the endpoint sends again, where it is not counted any more. Returns whether that was so. */
  readonly resumeCounting: (endpoint: number) => boolean;
  /** Number of an endpoint → frames that passed its queue by, and were dropped. */
  readonly strays: () => ReadonlyMap<number, number>;
  readonly room: DataRoom;
  /** How many endpoints there must be before all can be in force. */
  readonly awaited: () => number;
  /** Whether interfaces have their desired state, so that a difference comes from another program. */
  readonly mayAudit: () => boolean;
  /** Runs the code of changes before the first of them. Returns whether a change is quick on this machine. */
  readonly rehearse: () => Promise<boolean>;
  /** All is in force for the first time. */
  readonly onShaped: () => void;
  /** An endpoint was read back; `corrected`: what had to be put back, in words. */
  readonly onRead: (endpoint: string, corrected: readonly string[]) => void;
}

export class ShapeKeeper {
  readonly #ports: ShapeKeeperPorts;
  #shapedAt: number | undefined;
  #isQuick = false;
  #failure: string | undefined;
  /** What happened once and can't be made good: the latest of them. */
  #noted: string[] = [];
  /** Of the place of the endpoints, as who watches it says. */
  #placed: readonly string[] = [];
  #reported: readonly string[] = [];
  /** One change after the other: shaping waits for the delay backend. */
  #reshaping: Promise<void> = Promise.resolve();
  #rehearsing: Promise<void> | undefined;
  #cancelReshape: () => void = () => {};
  #cancelAudit: () => void = () => {};
  #cancelWatch: () => void = () => {};
  readonly #looks: PromptLooks;
  readonly #lateness = new Lateness();
  readonly #corrections = new Corrections();
  readonly #overflowed = new Losses(
    'were dropped: they found no room in the queue of the endpoint at which they arrived; send less, or shorten the latency',
  );
  readonly #unattended = new Losses(
    'or before them passed neither delayed nor lost: this agent did not run meanwhile; see who stops it (SIGSTOP, a debugger), or keeps the processor from it',
  );
  readonly #uncounted = new Losses(
    'were not counted, and shares may be wrong: more pairs of endpoints are in use at a time than one host has room for; use more hosts',
  );
  readonly #strays = new Strays();
  #memoryProblem: string | undefined;
  #cancelLook: () => void = () => {};
  #cancelRetry: () => void = () => {};
  readonly #watched: (() => readonly string[])[] = [];
  readonly #attempts: Attempts;
  /** What has failed, and is tried again. */
  readonly #again = new Map<string, () => void>();

  constructor(ports: ShapeKeeperPorts) {
    this.#ports = ports;
    this.#attempts = new Attempts((error) => ports.log.error(error));
    const { clock, changes } = ports;
    this.#looks = new PromptLooks({ clock, changes, look: (endpoint) => this.#audit(endpoint) });
  }

  /** `problems`: what else can't be done now, in words. */
  watch(problems: () => readonly string[]): void {
    this.#watched.push(problems);
  }

  /** Everything is in force and was read back once. */
  get isShaped(): boolean {
    return this.#shapedAt !== undefined;
  }

  /** Since when, by `Clock.now()`; `undefined`: it is not yet. */
  get shapedAt(): number | undefined {
    return this.#shapedAt;
  }

  /** Whether a change is quick enough for the agent to have priority over all applications. */
  get isQuick(): boolean {
    return this.#isQuick;
  }

  /** Does work now, and if it fails again and again until it succeeds; status says so meanwhile. Never throws. */
  attempt(what: string, work: () => void): void {
    if (this.#attempts.run(what, work)) this.#again.delete(what);
    else this.#again.set(what, work);
  }

  /** How often something was put back that another program had changed. */
  get corrected(): number {
    return this.#corrections.total;
  }

  /** What can't be enforced, in words. */
  get degraded(): string[] {
    const { delay, shaping, room, clock, changes, epoch } = this.#ports;
    const full = [
      this.#overflowed.problem,
      this.#unattended.problem,
      this.#uncounted.problem,
      this.#unlisted,
    ];
    const machine = [delay.failure, this.#lateness.problem, room.problem, this.#memoryProblem, ...full];
    const reasons = [this.#failure, ...machine, ...this.#placed, ...this.#noted];
    reasons.push(...shaping.degraded.values());
    reasons.push(...this.#corrections.problems(clock.now()), ...changes.problems);
    reasons.push(...this.#strays.problems(epoch.endpointNames));
    reasons.push(...this.#attempts.problems, ...this.#watched.flatMap((problems) => problems()));
    return reasons.filter((reason) => reason !== undefined);
  }

  /** What the kernel does not have as it should; `endpoint`: null where it is all of them. */
  get unenforced(): { readonly endpoint: string | null; readonly reason: string }[] {
    const { delay, shaping } = this.#ports;
    const all = [this.#failure, delay.failure].filter((reason) => reason !== undefined);
    return [
      ...all.map((reason) => ({ endpoint: null, reason })),
      ...Array.from(shaping.degraded, ([endpoint, reason]) => ({ endpoint, reason })),
    ];
  }

  /** What is wrong at the place of the endpoints, in words. */
  get placeProblems(): readonly string[] {
    return this.#placed;
  }

  /** What fails of looking after the rules, and is tried again, in words; not what only waits for room on a disk. */
  get failing(): readonly string[] {
    const waiting = [...this.#again.keys()];
    return this.#attempts.problems.filter((problem) => !waiting.some((what) => problem.startsWith(what)));
  }

  get #unlisted(): string | undefined {
    const { unlisted } = this.#ports.usage;
    return unlisted > 0
      ? `${unlisted} addresses of endpoints found no room, and their traffic is not counted`
      : undefined;
  }

  start(): void {
    const { timers } = this.#ports;
    this.#cancelAudit = timers.every(AUDIT_MS, () =>
      this.#attempts.run('reading back what is in force', () => this.#auditNext()),
    );
    this.#cancelWatch = timers.every(WATCH_MS, () =>
      this.#attempts.run('reading back what others have changed', () =>
        this.#looks.turn(this.#ports.mayAudit()),
      ),
    );
    this.#cancelLook = timers.every(LATENESS_MS, () =>
      this.#attempts.run('looking at what is full', () => this.#look()),
    );
    this.#cancelRetry = timers.every(RETRY_MS, () =>
      this.#attempts.run('trying again what has failed', () => this.#retry()),
    );
  }

  #look(): void {
    const { delay, usage, strays } = this.#ports;
    const { work, overflowed = 0, unattended = 0 } = delay.counters();
    if (this.isShaped) this.#lateness.observe(work);
    this.#overflowed.observe(overflowed);
    this.#unattended.observe(unattended);
    this.#uncounted.observe(usage.uncounted());
    this.#strays.observe(strays());
  }

  /** What is over, status does not say for long. */
  #retry(): void {
    this.#memoryProblem = memoryProblem(memoryUses());
    for (const [what, work] of [...this.#again]) this.attempt(what, work);
  }

  async stop(): Promise<void> {
    this.#cancelReshape();
    this.#cancelAudit();
    this.#cancelWatch();
    this.#cancelLook();
    this.#cancelRetry();
    await this.#reshaping;
    await this.#rehearsing;
  }

  /** Shapes for these endpoints: soon, if more are to follow. */
  setKnown(known: readonly KnownEndpoint[]): void {
    const { timers, epoch } = this.#ports;
    const isComplete = known.length === epoch.endpointNames.length;
    this.#cancelReshape();
    this.#cancelReshape = timers.after(isComplete ? 0 : SETTLE_MS, () => {
      this.#reshaping = this.#reshaping
        .then(() => this.#reshape(known))
        .catch((error: Error) => this.fail(error));
    });
  }

  /** The agent continues with what works; status shows the failure. */
  fail(error: Error): void {
    this.#failure = error.message;
    this.#ports.log.error(error);
    this.#report();
  }

  /** Something that could not be done, and won't be tried again. Status shows the latest. */
  note(problem: string): void {
    if (this.#noted.includes(problem)) return;
    this.#noted = [...this.#noted, problem].slice(-NOTED);
    this.#ports.log.warn({}, problem);
    this.#report();
  }

  /** What is wrong at the place of the endpoints, until the next call. */
  setPlaceProblems(problems: readonly string[]): void {
    this.#placed = problems;
    this.#report();
  }

  async #reshape(known: readonly KnownEndpoint[]): Promise<void> {
    const { shaping, awaited } = this.#ports;
    await shaping.setKnown(known);
    if (this.#rehearsing || known.length < awaited()) return;
    this.#looks.forget();
    const missing = await shaping.verify();
    if (missing.length > 0) {
      throw new AgentError(
        'READBACK_MISMATCH',
        `the kernel did not take: ${missing.slice(0, 3).join('\n')}`,
        'run `netfold doctor`',
      );
    }
    this.#failure = undefined;
    // In the background: others may just be joining.
    this.#rehearsing = this.#rehearse().catch((error: Error) => this.fail(error));
  }

  async #rehearse(): Promise<void> {
    this.#isQuick = await this.#ports.rehearse();
    this.#lateness.begin(this.#ports.delay.counters().work);
    this.#shapedAt = this.#ports.clock.now();
    this.#ports.onShaped();
  }

  /** What is not announced is noticed nevertheless, also without traffic. */
  #auditNext(): void {
    const { shaping, mayAudit } = this.#ports;
    const next = mayAudit() ? shaping.nextInTurn() : undefined;
    if (next === undefined) this.#report();
    else this.#audit(next);
  }

  /** Returns whether something had to be put back. */
  #audit(number: number): boolean {
    const { shaping, log, clock, epoch, resumeCounting, onRead } = this.#ports;
    const endpoint = epoch.endpointNames[number]!;
    const corrected = [...shaping.audit(number)];
    if (!shaping.degraded.has(endpoint) && resumeCounting(number))
      corrected.push('the counting of its traffic');
    if (corrected.length > 0) {
      const times = this.#corrections.note(endpoint, clock.now());
      // Of a loop, the log has the start and some examples.
      if (Number.isInteger(Math.log2(times)))
        for (const what of corrected)
          log.warn({}, `corrected what another program has changed: ${endpoint}: ${what}`);
    }
    if (!shaping.degraded.has(endpoint)) onRead(endpoint, corrected);
    this.#report();
    return corrected.length > 0;
  }

  /** Appends the differences to the run log. */
  #report(): void {
    const now = this.degraded;
    const before = this.#reported;
    this.#reported = now;
    for (const reason of now)
      if (!before.includes(reason)) this.#ports.runLog.append({ kind: 'degraded', reason, present: true });
    for (const reason of before)
      if (!now.includes(reason)) this.#ports.runLog.append({ kind: 'degraded', reason, present: false });
  }
}
