/** The verdict as lines of text, for `netfold verdict`, `status`, `top` and `up --strict`. */
import type { Cause, VerdictState } from '../../../proto/status.ts';
import { count } from '../../../proto/words.ts';
import type { ExperimentVerdict } from '../../fidelity/verdict.ts';
import { styled } from './output.ts';

const COLOURS = { faithful: 'green', degraded: 'yellow', invalid: 'red' } as const;
/** Readable without colours, too. */
const SIGNS = { faithful: '✓', degraded: '!', invalid: '✗' } as const;

export const stateText = (state: VerdictState): string => styled(COLOURS[state], `${SIGNS[state]} ${state}`);

/** One line: the state, since when, and how many causes there are. */
export function verdictLine({ verdict, now, since, causes, forgotten }: ExperimentVerdict): string {
  if (since === null) return 'not judged yet: not everything is in force';
  if (verdict === 'faithful') return `${stateText(verdict)} since ${clockTime(since)}`;
  const going = causes.filter(({ until }) => until === null).length;
  const all = count(causes.length + forgotten, 'cause');
  const goes = going === 0 ? 'none goes on' : going === 1 ? '1 goes on' : `${going} go on`;
  const present = now === verdict ? '' : `; now ${stateText(now)}`;
  return `${stateText(verdict)} since ${clockTime(since)}: ${all}, ${goes}${present}`;
}

/** Two lines for each cause: when, where and which; and what it is. */
export function causeLines(causes: readonly Cause[]): string[] {
  return causes.flatMap((cause) => {
    const { code, weight, since, until, host, path, message } = cause;
    const when = `${clockTime(since)} – ${until === null ? 'now' : clockTime(until)}`;
    const where = path === null ? host : `${host}, ${path}`;
    const head = `${styled(COLOURS[weight], `${SIGNS[weight]} ${code}`)}  ${when}  ${where}`;
    return [head, `    ${message} (${valueText(cause)})`];
  });
}

function valueText({ measured, bound, unit }: Cause): string {
  const value = (one: number): string =>
    unit === 'ratio' ? String(Number(one.toPrecision(3))) : `${Number(one.toPrecision(3))} ${unit}`;
  return `${value(measured)}; bound ${value(bound)}`;
}

/** In this machine's time zone. */
export function clockTime(date: string): string {
  const [, time] = new Date(date).toLocaleString('sv-SE').split(' ');
  return time!;
}
