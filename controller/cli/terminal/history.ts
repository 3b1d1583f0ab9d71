/** Commands that an experiment was given, as a table. */

import { shownText } from '../../../proto/command.ts';
import type { HistoryEntry } from '../../../proto/control.ts';
import { formatMicros, micros } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { namesText } from './faults.ts';
import { print, step, table } from './output.ts';

type Row = Pick<HistoryEntry, 'at' | 'by' | 'text' | 'until' | 'state' | 'problem' | 'hit' | 'hitCount'>;

/** `folded`: how many older ones are left out of it. */
export function printHistory(entries: readonly Row[], folded = 0): void {
  if (entries.length === 0) {
    print('no commands yet');
    return;
  }
  const rows = entries.map(({ at, by, text, until, state, problem, hit, hitCount = 0 }) => [
    formatMicros(micros(at)),
    until === undefined ? '' : formatMicros(micros(until)),
    by,
    shownText(text),
    problem === undefined ? state : `${state}: ${problem}`,
    hit ? namesText(text.startsWith('partition') ? ' | ' : ' ', hit, hitCount) : '',
  ]);
  print(table(['at', 'until', 'by', 'command', '', 'hit'], rows));
  if (folded > 0) step(`not shown: ${count(folded, 'older command')} of which nothing is left`);
}
