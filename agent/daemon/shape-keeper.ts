/**
 * Keeps the kernel in step with the endpoints that become known, and knows whether all of it is in force. What fails shows in
 * `degraded`; the rest goes on.
 */
import type { Timers } from '../clock/clock.ts';
import type { DelayBackend } from '../enforce/ports.ts';
import type { CurrentEpoch } from '../epoch/current-epoch.ts';
import { AgentError } from '../errors.ts';
import type { RunLog } from '../runlog/run-log.ts';
import type { KnownEndpoint, Shaping } from '../shape/shaping.ts';
import type { AgentLog } from './ports.ts';

/** Hosts join one after the other; those that join within this time are shaped for at once, and planned for once. */
const SETTLE_MS = 150;

/**
 * How often an interface is compared with its desired state. It costs about 0.3 ms; with 100 endpoints on a host each has
 * its turn every 20 s. Several at once would make events wait.
 */
const AUDIT_MS = 200;

export interface ShapeKeeperPorts {
  readonly timers: Timers;
  readonly log: AgentLog;
  readonly runLog: RunLog;
  readonly epoch: CurrentEpoch;
  readonly shaping: Shaping;
  readonly delay: Pick<DelayBackend, 'failure'>;
  /** How many endpoints there must be before all can be in force. */
  readonly awaited: () => number;
  /** Interfaces have what they need, so that a difference is somebody else's doing. */
  readonly mayAudit: () => boolean;
  /** Runs the code that changes take, before the first of them; gives whether one is quick on this machine. */
  readonly rehearse: () => Promise<boolean>;
  /** All is in force for the first time. */
  readonly onShaped: () => void;
}

export class ShapeKeeper {
  readonly #ports: ShapeKeeperPorts;
  #isShaped = false;
  #isQuick = false;
  #failure: string | undefined;
  #reported: readonly string[] = [];
  /** One change after the other: shaping waits for the delay backend. */
  #reshaping: Promise<void> = Promise.resolve();
  #rehearsing: Promise<void> | undefined;
  #cancelReshape: () => void = () => {};
  #cancelAudit: () => void = () => {};

  constructor(ports: ShapeKeeperPorts) {
    this.#ports = ports;
  }

  /** Everything is in force and was read back once. */
  get isShaped(): boolean {
    return this.#isShaped;
  }

  /** A change is done soon enough to come before all applications. */
  get isQuick(): boolean {
    return this.#isQuick;
  }

  /** What can't be enforced, in words. */
  get degraded(): string[] {
    const { delay, shaping } = this.#ports;
    const reasons = [this.#failure, delay.failure, ...shaping.degraded.values()];
    return reasons.filter((reason) => reason !== undefined);
  }

  start(): void {
    this.#cancelAudit = this.#ports.timers.every(AUDIT_MS, () => this.#audit());
  }

  async stop(): Promise<void> {
    this.#cancelReshape();
    this.#cancelAudit();
    await this.#reshaping;
    await this.#rehearsing;
  }

  /** Shapes for these endpoints: soon, if more are to come. */
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

  /** The agent goes on with what works; status says what does not. */
  fail(error: Error): void {
    this.#failure = error.message;
    this.#ports.log.error(error);
    this.#report();
  }

  async #reshape(known: readonly KnownEndpoint[]): Promise<void> {
    const { shaping, awaited } = this.#ports;
    await shaping.setKnown(known);
    if (this.#rehearsing || known.length < awaited()) return;
    const missing = await shaping.verify();
    if (missing.length > 0) {
      throw new AgentError(
        'READBACK_MISMATCH',
        `the kernel did not take: ${missing.slice(0, 3).join('\n')}`,
        'run `netfold doctor`',
      );
    }
    this.#failure = undefined;
    // Beside all else: others may just be joining.
    this.#rehearsing = this.#rehearse().catch((error: Error) => this.fail(error));
  }

  async #rehearse(): Promise<void> {
    this.#isQuick = await this.#ports.rehearse();
    this.#isShaped = true;
    this.#ports.onShaped();
  }

  /** An interface that is gone, or that somebody has changed, shows within seconds, also where nothing flows. */
  #audit(): void {
    const { shaping, log, mayAudit } = this.#ports;
    if (mayAudit())
      for (const repaired of shaping.audit(1))
        log.warn({}, `corrected what another program has changed: ${repaired}`);
    this.#report();
  }

  /** What is different from what the run log has. */
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
