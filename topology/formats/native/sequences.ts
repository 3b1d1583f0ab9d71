/** `sequences:` of a file → the model. */
import { z } from 'zod';
import { micros, parseDuration, UnitError } from '../../../proto/units.ts';
import { parseStep } from '../../events/steps.ts';
import { isCondition, parseCondition } from '../../expect/condition.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import { isName, NAME_PATTERN } from '../../model/names.ts';
import type { Position } from '../../model/position.ts';
import type { Sequence, SequenceStart } from '../../model/sequences.ts';
import type { NativeDocument, Path } from './yaml/placed.ts';

export const sequence = z
  .strictObject({
    at: z
      .string()
      .optional()
      .meta({ description: 'When it begins. Default: 0s, at the start.', examples: ['5s'] }),
    after: z
      .string()
      .optional()
      .meta({
        description:
          'Instead: what it begins after, the end of a sequence (`NAME`, `NAME fails`), or what is notified (`NAME`).',
        examples: ['deploy', 'deploy fails'],
      }),
    steps: z
      .array(z.string())
      .min(1)
      .meta({
        description: 'Each begins when the one before it has ended.',
        examples: [['run server "migrate" exit 0 timeout 30s', 'wait 2s', 'set a--s latency=50ms']],
      }),
  })
  .meta({ description: 'Steps that happen one after the other.' });

export const sequences = z
  .record(z.string().regex(new RegExp(NAME_PATTERN)), sequence)
  .optional()
  .meta({ description: 'What happens one after the other, by name. Default: nothing.' });

type NativeSequences = z.output<typeof sequences>;

/** `placeOf`: where the text at a path begins in the file. */
export function readSequences(
  data: NativeSequences,
  document: Pick<NativeDocument, 'field'>,
  placeOf: (path: Path) => Position,
  findings: Findings,
): readonly Sequence[] {
  return Object.entries(data ?? {}).map(([name, { at, after, steps }]): Sequence => {
    const path = ['sequences', name];
    const position = placeOf(path);
    const wrong = (message: string, remedy: string): void =>
      findings.error('SEQUENCE', position, document.field(path), message, remedy);
    if (at !== undefined && after !== undefined) wrong('it has both at: and after:', 'leave one of them out');
    return {
      ...{ name, position },
      start: after === undefined ? timeOf(at, wrong) : causeOf(after, wrong),
      steps: steps.flatMap((line, index) => {
        const at = [...path, 'steps', index];
        const parse = isCondition(line) ? parseCondition : parseStep;
        return parse(line, placeOf(at), document.field(at), findings) ?? [];
      }),
    };
  });
}

type Wrong = (message: string, remedy: string) => void;

function timeOf(text: string | undefined, wrong: Wrong): SequenceStart {
  if (text === undefined) return { at: micros(0) };
  try {
    return { at: parseDuration(text) };
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    wrong(`at: ${error.message}`, error.remedy ?? 'write e.g. at: 5s');
    return { at: micros(0) };
  }
}

function causeOf(text: string, wrong: Wrong): SequenceStart {
  const [, name = '', fails] = /^\s*(\S+)(\s+fails)?\s*$/.exec(text) ?? [];
  if (!isName(name)) wrong(`after: ${quote(text)} is no name`, 'write after: NAME, or after: NAME fails');
  return { after: { name, fails: fails !== undefined } };
}
