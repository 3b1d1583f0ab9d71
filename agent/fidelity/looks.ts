/** What an agent knows of mesh, clocks and real network → symptoms. Pure. */
import type { ClockStatus, SlowPaths } from '../../proto/status.ts';
import { millisToSeconds } from '../../proto/units.ts';
import type { AnswerTime } from '../clock/clock-sync.ts';
import { CAUSES, type Symptom } from './causes.ts';

/** Hosts that were dropped since nothing was heard of them, each until it is heard again. */
export class Silences {
  /** Host → when it was heard last. */
  readonly #since = new Map<string, number>();

  /** Whether one of these was not silent at the last look. */
  isNews(silent: readonly string[]): boolean {
    return silent.some((host) => !this.#since.has(host));
  }

  look(now: number, silent: readonly string[]): Symptom[] {
    for (const host of this.#since.keys()) if (!silent.includes(host)) this.#since.delete(host);
    return silent.map((host) => {
      const { bound } = CAUSES.HOST_SILENT;
      const since = this.#since.get(host) ?? now - bound;
      this.#since.set(host, since);
      const measured = now - since;
      const message = `${host} has not been heard for ${millisToSeconds(measured).toFixed(0)} s: its agent is stopped or has ended, or the network between hosts is cut; its flows take no share meanwhile`;
      return { code: 'HOST_SILENT', host, since, measured, message };
    });
  }
}

/** Other hosts whose latest message did not have the same commands. */
export function apart(hosts: readonly { name: string; self: boolean; inStep: boolean }[]): Symptom[] {
  return hosts
    .filter(({ self, inStep }) => !self && !inStep)
    .map(({ name: host }) => {
      const message = `${host} does not have the same commands as others: it may have another network`;
      return { code: 'COMMANDS_APART', host, measured: 1, message };
    });
}

export function conflicting(conflicts: readonly unknown[]): Symptom[] {
  if (conflicts.length === 0) return [];
  const message = `hosts contradict each other: ${JSON.stringify(conflicts[0])}`;
  return [{ code: 'MESH_CONFLICT', measured: conflicts.length, message }];
}

/** By how much this host's time differs from the reference's for certain. */
export function skewed(host: string, { reference, offsetMs, errorMs }: ClockStatus): Symptom[] {
  if (reference === null || reference === host || offsetMs === null || errorMs === null) return [];
  const measured = Math.abs(offsetMs) - errorMs;
  if (measured <= CAUSES.CLOCK_APART.bound) return [];
  const message = `the time of ${host} is ${Math.abs(offsetMs).toFixed(1)} ± ${errorMs.toFixed(1)} ms ${offsetMs > 0 ? 'behind' : 'ahead of'} that of ${reference}: events come at different instants`;
  return [{ code: 'CLOCK_APART', measured, message }];
}

/** Hosts whose agents take long to answer. */
export class SlowAnswers {
  #slow: readonly string[] = [];
  #isBusy = false;

  /** Whether one of these was not slow at the last look. */
  isNews(times: readonly AnswerTime[]): boolean {
    return this.#of(times).some(({ host }) => !this.#slow.includes(host));
  }

  /** `isBusy`: this machine has no time left, or ticks are late, so answers wait here. Then only what lasts is the other's. */
  look(times: readonly AnswerTime[], isBusy: boolean): Symptom[] {
    this.#isBusy = isBusy;
    const slow = this.#of(times);
    this.#slow = slow.map(({ host }) => host);
    return slow.map(({ host, ms }) => {
      const message = `the agent of ${host} takes ${ms.toFixed(0)} ms to answer: it hears of flows and commands late`;
      return { code: 'GOSSIP_SLOW', host, measured: ms, message };
    });
  }

  #of(times: readonly AnswerTime[]): { readonly host: string; readonly ms: number }[] {
    return times
      .map(({ host, ms, lastingMs }) => ({ host, ms: this.#isBusy ? lastingMs : ms }))
      .filter(({ ms }) => ms > CAUSES.GOSSIP_SLOW.bound);
  }
}

/** Paths for which the real network is too slow. */
export function slowed({ worst }: SlowPaths): Symptom[] {
  return worst.map(({ from, to, latencyMs, realMs }) => ({
    code: 'UNDERLAY_SLOW',
    path: `${from} > ${to}`,
    measured: realMs,
    bound: latencyMs,
    message: `the real network takes ${text(realMs)} ms from ${from} to ${to}, and the path should take ${text(latencyMs)} ms`,
  }));
}

const text = (ms: number): string => String(Number(ms.toFixed(2)));
