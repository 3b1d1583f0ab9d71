/** The accuracy bench: tables of the literature, for each delay backend that the machine has. */
import type { DelayBackendChoice } from '../../proto/bootstrap.ts';
import { formatBps } from '../../proto/units.ts';
import { type Interruption, withLab } from '../lab.ts';
import { chosenBackends } from '../measure/backend.ts';
import { withBareLab } from '../measure/bare-lab.ts';
import type { Table } from '../report/model.ts';
import { type Context, FULL, QUICK } from './context.ts';
import { delays } from './delays.ts';
import { frameRateTable } from './frame-rates.ts';
import { jitters } from './jitters.ts';
import { losses } from './losses.ts';
import { tcpRates } from './tcp-rates.ts';
import { transmissions } from './transmissions.ts';
import { measureUnshaped } from './unshaped.ts';

/** Each has a lab of its own. */
const TABLES: readonly ((context: Context) => Promise<Table>)[] = [
  tcpRates,
  delays,
  transmissions,
  frameRateTable,
  losses,
  jitters,
];

export interface AccuracyOptions {
  /** `auto`: all backends that the machine has, one after the other. */
  readonly backend: DelayBackendChoice;
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureAccuracy({
  backend,
  quick,
  interruption,
  say,
}: AccuracyOptions): Promise<Table[]> {
  const tables: Table[] = [];
  for (const name of chosenBackends(backend)) {
    const context = {
      backend: name,
      effort: quick ? QUICK : FULL,
      say: (text: string) => say(`${name}: ${text}`),
      withLab: <T>(text: string, use: Parameters<typeof withLab<T>>[3]) =>
        withLab(text, name, interruption, use),
      withBareLab: <T>(names: readonly string[], use: Parameters<typeof withBareLab<T>>[2]) =>
        withBareLab(names, interruption, use),
    };
    context.say('TCP unshaped');
    const unshaped = await measureUnshaped(context);
    context.say(`TCP unshaped: ${formatBps(Math.round(unshaped.goodputBps))}`);
    for (const measure of TABLES) tables.push(await measure({ ...context, unshaped }));
  }
  return tables;
}
