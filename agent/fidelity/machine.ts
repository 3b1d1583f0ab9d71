/** Load of machine and agent → symptoms. Pure. */
import { ratio } from '../../proto/units.ts';
import type { MachineLoad } from '../health/machine-load.ts';
import { CAUSES, type Symptom } from './causes.ts';
import { Window } from './window.ts';

/** Of each look: so long ago at least was the one before. */
const LOOK_MS = 900;
/** With less idle time there is none between two tasks: so long is enough then … */
const REST = ratio(0.01);
const NO_REST_MS = 1400;
/** … but not where the machine has no time left, and not in the beginning: applications start, and what is done for the first time takes longer. */
const SETTLED_MS = 10_000;

export class Machine {
  readonly #window = new Window<'total' | 'idle' | 'stolen' | 'activeMs' | 'idleMs'>(LOOK_MS);
  #begunAt: number | undefined;
  #isSaturated = true;
  #worked: { readonly at: number; readonly idleMs: number } | undefined;
  #restedAt = 0;
  #isTold = false;

  /** Whether the processors had no time left at the last look, as far as that is known: after two looks. */
  get isSaturated(): boolean {
    return this.#isSaturated;
  }

  forget(): void {
    this.#window.forget();
    this.#begunAt = undefined;
    this.#isSaturated = true;
    this.#worked = undefined;
  }

  /** To be called as often as may be, with the idle time of this thread so far. Whether a look would find something new. */
  noteWork(now: number, idleMs: number): boolean {
    const before = this.#worked;
    this.#worked = { at: now, idleMs };
    if (!before || idleMs - before.idleMs > REST * (now - before.at)) this.#restedAt = now;
    return this.#isRestless(now) && !this.#isTold;
  }

  #isRestless(now: number): boolean {
    if (this.#begunAt === undefined || now - this.#begunAt < SETTLED_MS) return false;
    return !this.#isSaturated && now - this.#restedAt >= NO_REST_MS;
  }

  look(now: number, { total, idle, stolen, activeMs, idleMs, available }: MachineLoad): Symptom[] {
    this.#begunAt ??= now;
    this.noteWork(now, idleMs);
    const { grown } = this.#window.add(now, { total, idle, stolen, activeMs, idleMs });
    const symptoms = available < CAUSES.MEMORY_SHORT.bound ? [short(available)] : [];
    this.#isSaturated = grown.total === 0 || grown.idle / grown.total < CAUSES.CPU_SATURATED.bound;
    if (grown.total > 0) symptoms.push(...processors(grown.idle / grown.total, grown.stolen / grown.total));
    const own = grown.activeMs + grown.idleMs;
    const busy = own > 0 ? grown.activeMs / own : 0;
    this.#isTold = this.#isRestless(now);
    if (busy > CAUSES.AGENT_BUSY.bound)
      symptoms.push({
        ...{ code: 'AGENT_BUSY', measured: busy },
        ...(this.#isTold && { since: this.#restedAt, holdsMs: 0 }),
        message: `this agent worked ${percent(busy)} of the time: ticks and events wait; use more hosts`,
      });
    return symptoms;
  }
}

function processors(idle: number, stolen: number): Symptom[] {
  const symptoms: Symptom[] = [];
  if (idle < CAUSES.CPU_SATURATED.bound)
    symptoms.push({
      code: 'CPU_SATURATED',
      measured: idle,
      message: `the processors of this machine are idle ${percent(idle)} of the time: applications wait for each other; use more hosts, or leave some of the time free`,
    });
  if (stolen > CAUSES.CPU_STOLEN.bound)
    symptoms.push({
      code: 'CPU_STOLEN',
      measured: stolen,
      message: `${percent(stolen)} of the processors' time was given to other virtual machines`,
    });
  return symptoms;
}

function short(available: number): Symptom {
  const message = `${percent(available)} of this machine's memory is available: the kernel takes pages from those who use them`;
  return { code: 'MEMORY_SHORT', measured: available, message };
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
