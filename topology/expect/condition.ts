/**
 * Steps of sequences that wait for an expectation:
 *
 *     condition = "wait" "for" statement ["timeout" T]
 *
 * The statement (grammar.ts) holds as after "after INSTANT within T", the instant being the step's beginning.
 */
import { formatMicros, type Micros, micros } from '../../proto/units.ts';
import { LineError, reportingLineErrors, Words } from '../events/words.ts';
import { type Findings, quote } from '../model/diagnostics.ts';
import { type Expectation, MEASURES, type When } from '../model/expectations.ts';
import type { Position } from '../model/position.ts';
import type { SequenceStep } from '../model/sequences.ts';
import { type Bare, statement } from './grammar.ts';
import { duration, type Form } from './parts.ts';

const KINDS = [...MEASURES, 'reach', 'no', 'processes', 'exit', 'verdict'];
/** Somebody may notify a name that is one of these words. */
const CONDITION = new RegExp(String.raw`^\s*wait\s+for\s+(?:${KINDS.join('|')})\s+(?!from(?:\s|$))(?!$)`);

export const isCondition = (line: string): boolean => CONDITION.test(line);

const NO_END: Extract<When, { kind: 'within' }> = {
  kind: 'within',
  within: micros(Number.MAX_SAFE_INTEGER),
  after: { at: micros(0) },
};
const FORM: Form = { kind: 'after', when: NO_END };

/** Parses such a line; an error goes to `findings` and gives `undefined`. `start`: where it stands in the file. */
export function parseCondition(
  line: string,
  start: Position,
  field: string,
  findings: Findings,
): SequenceStep | undefined {
  return reportingLineErrors(field, findings, () => {
    const words = new Words(line, start);
    words.demand('wait', '"wait"');
    words.demand('for', '"for"');
    const { position } = words;
    const found = statement(words, FORM);
    requireOneHost(found, position);
    const timeout = words.skip('timeout') ? timeoutFor(words, found) : undefined;
    if (!words.atEnd()) throw words.unexpected('the end of the line', 'write one step a line');
    const place = { line: line.trim(), position: start };
    const expectation: Expectation = { ...found, ...place };
    return { kind: 'condition', expectation, ...(timeout !== undefined && { timeout }), ...place };
  });
}

/** One host decides, without asking others. */
function requireOneHost({ what }: Bare<Expectation>, position: Position): void {
  if (what !== 'latency' && what !== 'verdict') return;
  throw new LineError(
    position,
    `no host alone can say ${quote(what)}`,
    what === 'latency' ? 'write rtt' : 'write it under expect:',
  );
}

function timeoutFor(words: Words, found: Bare<Expectation>): Micros {
  const { position } = words;
  const timeout = duration(words);
  const over = 'over' in found ? found.over : undefined;
  if (over === undefined || timeout >= over) return timeout;
  throw new LineError(
    position,
    `it is measured over ${formatMicros(over)}, which is longer than that`,
    'write a longer timeout, or a shorter time after over',
  );
}
