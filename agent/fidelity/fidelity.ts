/**
 * Compares what the topology says with what was delivered, once a second, and keeps the verdict: the causes for which the run
 * is not faithful, each with its beginning and its end. The judgement begins when everything is in force, and anew when the
 * experiment begins.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type {
  AgentState,
  AgentVerdict,
  Cause,
  ClockStatus,
  ProbesStatus,
  SlowPaths,
} from '../../proto/status.ts';
import { type Micros, micros, millisToSeconds, toMillis } from '../../proto/units.ts';
import type { AgentProofs, PathMeasurement } from '../../proto/view.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { AnswerTime } from '../clock/clock-sync.ts';
import { LEAST_PACKETS } from '../enforce/lateness.ts';
import type { DelayCounters } from '../enforce/ports.ts';
import { idleMs, type MachineLoad } from '../health/machine-load.ts';
import { memoryProblem, memoryUses } from '../health/memory-room.ts';
import type { RunLog } from '../runlog/run-log.ts';
import { Attempts } from '../tick/attempts.ts';
import { CAUSES, type Symptom } from './causes.ts';
import { Counters } from './counters.ts';
import type { EchoPort } from './echoes.ts';
import { Judge, type JudgedCause } from './judge.ts';
import { apart, conflicting, Silences, SlowAnswers, skewed, slowed } from './looks.ts';
import { Machine } from './machine.ts';
import { Probes, type ProbesCounted } from './probes.ts';
import { stateOf } from './state.ts';
import { slackOf } from './tcp-paths.ts';
import { type Traffic, TrafficWatch } from './traffic-watch.ts';
import { type Segments, UnderlayLoss } from './underlay-loss.ts';

export const LOOK_MS = 1000;
/** Between two looks at least, when one thing is found after the other. */
const EARLY_LOOK_MS = 100;
/** Of ended causes, the status has so many; the others are in `verdict`. */
const IN_STATUS = 50;

/** What the rules of the local endpoints are, as who keeps them says. */
export interface Kept {
  /** Since when they are all in force, by `Clock.now()`; `undefined`: they are not yet. */
  readonly shapedAt: number | undefined;
  /** `endpoint`: null where it is all of them. */
  readonly unenforced: readonly { readonly endpoint: string | null; readonly reason: string }[];
  /** At the place of the endpoints, in words. */
  readonly placeProblems: readonly string[];
}

export interface FidelityPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly runLog: Pick<RunLog, 'append' | 'follow'>;
  readonly onFailure: (error: Error) => void;
  readonly host: string;
  readonly tickMs: number;
  /** Whether all endpoints are to be there from the start. */
  readonly isWhole: boolean;
  readonly state: () => AgentState;
  /** Since the start of the experiment, µs. */
  readonly sinceStart: () => number | undefined;
  readonly ticks: () => number;
  readonly delay: { counters(): DelayCounters };
  readonly usage: { uncounted(): number; readonly unlisted: number };
  readonly strays: () => ReadonlyMap<number, number>;
  readonly kept: Kept;
  /** What of an agent's regular work fails and is tried again, in words. */
  readonly failing: () => readonly string[];
  readonly names: readonly string[];
  readonly mesh: {
    readonly view: {
      hosts(): readonly { name: string; self: boolean; inStep: boolean }[];
      silentHosts(now: number): string[];
      conflicts(now: number): readonly unknown[];
    };
    readonly clocks: { status(): ClockStatus; answerTimes(): readonly AnswerTime[] };
  };
  /** `longer`: host → the round trip to it now, where it is longer than it was. */
  readonly slowPaths: (longer: ReadonlyMap<string, Micros>) => SlowPaths;
  readonly local: () => readonly LocalEndpoint[];
  readonly traffic: Traffic;
  /** Absent: no probes. */
  readonly echoes?: EchoPort | undefined;
  /** Of TCP to the agents of other hosts. */
  readonly segments: () => readonly Segments[];
  /** Absent: not known. */
  readonly load: (() => MachineLoad) | undefined;
}

export class Fidelity {
  readonly #ports: FidelityPorts;
  readonly #judge: Judge;
  readonly #counters: Counters;
  readonly #machine = new Machine();
  readonly #silences = new Silences();
  readonly #slowAnswers = new SlowAnswers();
  readonly #traffic: TrafficWatch;
  readonly #probes: Probes | undefined;
  readonly #underlayLoss = new UnderlayLoss();
  readonly #attempts: Attempts;
  /** Seen since the last look. */
  #pending: Symptom[] = [];
  #judgedAs: AgentState | undefined;
  #judgedSince: number | undefined;
  #lastLook: number | undefined;
  /** Something was found since the last look. */
  #hasNews = false;
  /** netem counts nothing of what is looked at, and asking it takes a while. */
  #countsDelays = true;
  #cancel: () => void = () => {};
  #unfollow: () => void = () => {};

  constructor(ports: FidelityPorts) {
    this.#ports = ports;
    this.#judge = new Judge({ onChange: (cause) => this.#record(cause) });
    this.#probes = ports.echoes && new Probes(ports.echoes, this.#underlayLoss);
    this.#traffic = new TrafficWatch(ports.traffic, this.#probes);
    this.#attempts = new Attempts(ports.onFailure);
    this.#counters = new Counters({
      ...{ lateBoundMs: CAUSES.PACKETS_LATE.bound, leastPackets: LEAST_PACKETS },
      ...{ tickMs: ports.tickMs, tickBound: CAUSES.TICKS_LATE.bound },
    });
  }

  start(): void {
    const { timers, runLog } = this.#ports;
    this.#cancel = timers.every(LOOK_MS, () => this.look());
    this.#probes?.start(timers, () => this.#ports.clock.now(), {
      attempt: (turn) => this.#attempts.run('probing', turn),
      onTurn: (isNews) => this.#lookEarly([isNews, this.#isMeshNews(), this.#isWorkNews()].includes(true)),
    });
    this.#unfollow = runLog.follow((entry) => {
      if (entry.kind === 'epoch') this.#noteEvents(entry);
    });
  }

  stop(): void {
    this.#cancel();
    this.#unfollow();
    this.#probes?.stop();
  }

  /** What is installed at an endpoint was read back; `corrected`: what had to be put back, in words. */
  readBack(endpoint: string, corrected: readonly string[]): void {
    this.#traffic.proofs.readBack(endpoint, corrected.length === 0, this.#ports.clock.now());
    if (corrected.length === 0) return;
    // Steps of a plan have their reason behind them (agent/enforce/plan.ts); what is at arrival is named in words.
    const isArrival = corrected.every((what) => !what.includes('  # ') && !what.includes('counting'));
    this.#pending.push({
      code: 'RULES_CHANGED',
      path: isArrival ? `* > ${endpoint}` : `${endpoint} > *`,
      measured: corrected.length,
      message: `somebody removed or changed what netfold has installed at ${endpoint}, and it was put back: ${shortened(corrected[0]!)}`,
    });
  }

  #noteEvents({
    dueMicros,
    settledMicros,
    epoch,
  }: {
    dueMicros: number;
    settledMicros: number;
    epoch: number;
  }): void {
    const measured = toMillis(micros(settledMicros - dueMicros));
    if (measured <= CAUSES.EVENTS_LATE.bound) return;
    const since = this.#ports.clock.now() - measured;
    // Of commands that were due before, as those that who joins gets from others, nobody has judged anything.
    if (since < (this.#judgedSince ?? 0)) return;
    const message = `the events of epoch ${epoch} were in force ${measured.toFixed(0)} ms after their instant`;
    this.#pending.push({ code: 'EVENTS_LATE', measured, message, since });
    this.#hasNews = true;
  }

  #silentHosts(): string[] {
    const { mesh, clock } = this.#ports;
    return mesh.view.silentHosts(clock.now());
  }

  #isMeshNews(): boolean {
    const times = this.#ports.mesh.clocks.answerTimes();
    return this.#silences.isNews(this.#silentHosts()) || this.#slowAnswers.isNews(times);
  }

  #isWorkNews(): boolean {
    const { load, clock } = this.#ports;
    return load !== undefined && this.#machine.noteWork(clock.now(), idleMs());
  }

  /** Of what probes have found, of late events, and of a host that has fallen silent or become slow, the verdict tells at once. */
  #lookEarly(isNews: boolean): void {
    if (isNews) this.#hasNews = true;
    const last = this.#lastLook;
    if (this.#hasNews && last !== undefined && this.#ports.clock.now() - last >= EARLY_LOOK_MS) this.look();
  }

  /** To be called every `LOOK_MS`. Never throws. */
  look(): void {
    const { clock, kept, state } = this.#ports;
    const now = clock.now();
    this.#hasNews = false;
    const as = state();
    const isJudged = kept.shapedAt !== undefined && (as === 'ready' || as === 'running');
    if (!isJudged) {
      this.#judgedAs = undefined;
      this.#pending = [];
      return;
    }
    if (this.#judgedAs !== as) this.#begin(as, now);
    const symptoms = [...this.#pending, ...this.#stalled(now)];
    this.#pending = [];
    this.#lastLook = now;
    for (const [what, source] of this.#sources(now))
      this.#attempts.run(`judging ${what}`, () => symptoms.push(...source()));
    this.#judge.observe(now, symptoms);
  }

  #begin(as: AgentState, now: number): void {
    this.#judgedAs = as;
    this.#judgedSince = now;
    this.#lastLook = undefined;
    this.#judge.forget();
    this.#counters.forget();
    this.#machine.forget();
    this.#underlayLoss.forget();
    this.#traffic.begin(now);
    this.#pending = as === 'running' ? this.#lateStart(now) : [];
  }

  /**
   * Who begins in the middle, as after a crash, has not judged what was before. Who had all in force at the start is not late, however
   * long the start of its applications takes.
   */
  #lateStart(now: number): Symptom[] {
    const { isWhole, sinceStart, host, kept } = this.#ports;
    const startedAt = now - toMillis(micros(sinceStart() ?? 0));
    const measured = (kept.shapedAt ?? now) - startedAt;
    if (!isWhole || measured <= CAUSES.AGENT_LATE.bound) return [];
    const message = `the agent of ${host} had all in force ${millisToSeconds(measured).toFixed(1)} s after the start of the experiment, as after a crash: nobody has judged what was before`;
    return [{ code: 'AGENT_LATE', measured, message, since: startedAt }];
  }

  #stalled(now: number): Symptom[] {
    if (this.#lastLook === undefined) return [];
    const measured = now - this.#lastLook - LOOK_MS;
    if (measured <= CAUSES.AGENT_STALLED.bound) return [];
    const message = `the agent of ${this.#ports.host} did not run for ${millisToSeconds(measured).toFixed(1)} s: somebody stopped it, or kept the processor from it`;
    return [{ code: 'AGENT_STALLED', measured, message, since: this.#lastLook }];
  }

  #sources(now: number): [string, () => readonly Symptom[]][] {
    const { mesh, host, slowPaths, load, local } = this.#ports;
    return [
      ['what is counted', () => this.#counters.look(now, this.#counted())],
      ['what is kept', () => this.#unkept()],
      ['the mesh', () => this.#silences.look(now, this.#silentHosts())],
      ['commands', () => apart(mesh.view.hosts())],
      ['conflicts', () => conflicting(mesh.view.conflicts(now))],
      ['clocks', () => skewed(host, mesh.clocks.status())],
      ['answers', () => this.#slowAnswers.look(mesh.clocks.answerTimes(), this.#isBusy)],
      ['the real network', () => [...slowed(slowPaths(this.#longer)), ...this.#lossy(now)]],
      ['memory', memory],
      ['the machine', () => (load ? this.#machine.look(now, load()) : [])],
      ['connections', () => this.#traffic.look(now, local(), slackOf(this.#counters.meanLateMs))],
    ];
  }

  get #isBusy(): boolean {
    return this.#counters.areTicksLate || (this.#ports.load !== undefined && this.#machine.isSaturated);
  }

  get #longer(): ReadonlyMap<string, Micros> {
    return this.#probes?.hosts.longer(this.#isBusy) ?? NOWHERE;
  }

  #lossy(now: number): Symptom[] {
    const others = this.#ports.segments();
    this.#probes?.hosts.keep(others);
    return this.#underlayLoss.look(now, others);
  }

  #counted() {
    const { delay, usage, strays, names, ticks } = this.#ports;
    const counters = this.#countsDelays ? delay.counters() : undefined;
    this.#countsDelays = counters?.work !== undefined;
    return {
      released: counters?.work?.released ?? 0,
      lateMs: counters?.work?.lateMs ?? 0,
      unattended: counters?.unattended ?? 0,
      overflowed: counters?.overflowed ?? 0,
      uncounted: usage.uncounted() + usage.unlisted,
      ticks: ticks(),
      strays: new Map(Array.from(strays(), ([number, frames]) => [names[number]!, frames])),
    };
  }

  #unkept(): Symptom[] {
    const { kept, failing } = this.#ports;
    const { unenforced, placeProblems } = kept;
    for (const { endpoint } of unenforced) if (endpoint !== null) this.#traffic.proofs.lost(endpoint);
    return [
      ...unenforced.map(({ endpoint, reason: message }): Symptom => {
        return {
          code: 'NOT_ENFORCED',
          measured: 1,
          message,
          ...(endpoint !== null && { path: `${endpoint} > *` }),
        };
      }),
      ...firstOf('PLACE_WRONG', placeProblems),
      ...firstOf('WORK_FAILS', failing()),
    ];
  }

  #record({ code, host = this.#ports.host, path, message, until }: JudgedCause): void {
    const { weight } = CAUSES[code];
    this.#ports.runLog.append({
      ...{ kind: 'cause', code, weight, host, path: path ?? null, message },
      present: until === undefined,
    } as const);
  }

  /** `all`: otherwise, of the causes that have ended, the latest. */
  verdict(all = false): AgentVerdict {
    const judged = this.#judge.causes.map((cause) => this.#told(cause));
    const going = judged.filter(({ until }) => until === null);
    const causes = all
      ? judged
      : [...judged.filter(({ until }) => until !== null).slice(-IN_STATUS), ...going];
    return {
      verdict: stateOf(judged),
      now: stateOf(going),
      since: judged[0]?.since ?? this.#date(this.#judgedSince),
      causes,
      forgotten: this.#judge.forgotten + judged.length - causes.length,
    };
  }

  #told({ code, host = this.#ports.host, path, message, measured, bound, since, until }: JudgedCause): Cause {
    const { weight, unit } = CAUSES[code];
    const rounded = Number(measured.toPrecision(4));
    const times = { since: this.#date(since)!, until: this.#date(until) };
    return { code, weight, ...times, host, path: path ?? null, message, measured: rounded, bound, unit };
  }

  /** Of netfold's own, since the start. */
  get probes(): ProbesCounted {
    return (
      this.#probes?.counted ?? { ...{ sent: 0, lost: 0, workMs: 0 }, ...{ turns: 0, behind: 0, paths: 0 } }
    );
  }

  /** `undefined`: nothing is probed here. */
  get probing(): ProbesStatus | undefined {
    return this.#probes?.status();
  }

  proofs(): AgentProofs {
    const { host, local } = this.#ports;
    return this.#traffic.tell(
      host,
      local().map(({ name }) => name),
      (at) => this.#date(at),
    );
  }

  /** What TCP has measured of paths after an instant of the agent's clock. */
  measured(after: number): readonly PathMeasurement[] {
    return this.#traffic.measured(after);
  }

  /** Of an instant of the agent's clock, by the machine's date now. */
  #date(at: number | undefined): string | null {
    if (at === undefined) return null;
    const { clock } = this.#ports;
    return new Date(Math.round(clock.wallNow() - (clock.now() - at))).toISOString();
  }
}

const NOWHERE: ReadonlyMap<string, Micros> = new Map();

function memory(): Symptom[] {
  const uses = memoryUses();
  const message = memoryProblem(uses);
  if (message === undefined) return [];
  const measured = Math.max(...uses.map(({ usedBytes, limitBytes }) => usedBytes / limitBytes));
  return [{ code: 'AGENT_MEMORY', measured, message }];
}

function firstOf(code: Symptom['code'], problems: readonly string[]): Symptom[] {
  const [message] = problems;
  return message === undefined ? [] : [{ code, message, measured: problems.length }];
}

const LONGEST = 200;
const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text);
