/** Load of machine and agent → symptoms. Pure. */
import type { MachineLoad } from '../health/machine-load.ts';
import { CAUSES, type Symptom } from './causes.ts';
import { Window } from './window.ts';

/** Of each look: so long ago at least was the one before. */
const LOOK_MS = 900;

export class Machine {
  readonly #window = new Window<'total' | 'idle' | 'stolen' | 'activeMs' | 'idleMs'>(LOOK_MS);

  forget(): void {
    this.#window.forget();
  }

  look(now: number, { total, idle, stolen, activeMs, idleMs, available }: MachineLoad): Symptom[] {
    const { grown } = this.#window.add(now, { total, idle, stolen, activeMs, idleMs });
    const symptoms = available < CAUSES.MEMORY_SHORT.bound ? [short(available)] : [];
    if (grown.total > 0) symptoms.push(...processors(grown.idle / grown.total, grown.stolen / grown.total));
    const own = grown.activeMs + grown.idleMs;
    const busy = own > 0 ? grown.activeMs / own : 0;
    if (busy > CAUSES.AGENT_BUSY.bound)
      symptoms.push({
        code: 'AGENT_BUSY',
        measured: busy,
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
