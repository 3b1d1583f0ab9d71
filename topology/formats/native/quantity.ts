/** Values with units in files of YAML. */
import { z } from 'zod';
import { managedQueue, parseQueue, QUEUE_PATTERN, type QueueSize } from '../../../proto/queue.ts';
import { BYTES_PATTERN, LATENCY_PATTERN, PERCENTAGE_PATTERN, UnitError } from '../../../proto/units.ts';

/** A text that `parse` reads. What it throws (`UnitError`) becomes the issue; `params`: what that tells besides the remedy. */
export function quantityOf<T>(text: z.ZodType<string>, parse: (text: string) => T, params: object = {}) {
  return text.transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      context.issues.push({
        code: 'custom',
        input: value,
        message: error.message,
        params: { remedy: error.remedy, ...(error.at !== undefined && { at: error.at }), ...params },
      });
      return z.NEVER;
    }
  });
}

/** The parser refuses what `pattern` does not match, in better words. */
type About = { description: string; pattern: string; examples?: string[] };

/** A text with a unit. A bare number has an error message of its own, since it is the most frequent mistake. */
export function quantity<T>(parse: (text: string) => T, about: About) {
  const text = z.string({ error: (issue) => (typeof issue.input === 'number' ? UNITLESS : undefined) });
  return quantityOf(text, parse, { diagnostic: 'UNIT' }).meta(about);
}

/** One line that `parse` reads, or a list of them: together they are read once more. An empty list gives `undefined`. */
export function linesOf(parse: (text: string) => string, { pattern, ...about }: About) {
  const unit = { diagnostic: 'UNIT' };
  const line = quantityOf(z.string(), parse, unit).meta({ pattern });
  const joined = z.array(line).transform((lines) => lines.join('; '));
  const parseAll = (text: string): string | undefined => (text === '' ? undefined : parse(text));
  return z.union([line, quantityOf(joined, parseAll, unit)]).meta(about);
}

/** Stands for "write a unit"; the reader of issues replaces it, because it has the value and the field's example. */
export const UNITLESS = 'has no unit';

const THRESHOLD = [String.raw`^\s*0*[1-9]\d*\s*packets?\s*$`, BYTES_PATTERN].join('|');

/** A text with its unit; together they are read by `managedQueue`. */
const parameter = (description: string, pattern: string, example: string) =>
  z
    .string()
    .optional()
    .meta({ description, pattern, examples: [example] });

export const QUEUE_KEYS = [
  'kind',
  'limit',
  'min',
  'max',
  'probability',
  'weight',
  'target',
  'interval',
  'ecn',
];

/** `queue:` of a link: its size, or how it is managed as well. */
export function queueOf(about: {
  readonly description: string;
  readonly examples?: string[];
}): z.ZodType<QueueSize & { readonly aqm?: string }> {
  const managed = z
    .strictObject({
      kind: z
        .enum(['droptail', 'red', 'codel'])
        .meta({ description: 'How it is managed before it is full.' }),
      limit: quantity(parseQueue, { ...about, pattern: QUEUE_PATTERN }).optional(),
      min: parameter(
        'RED: below this on average nothing is dropped. Default: 5 packets.',
        THRESHOLD,
        '5 packets',
      ),
      max: parameter(
        'RED: from this on average all is dropped. Default: 15 packets.',
        THRESHOLD,
        '15 packets',
      ),
      probability: parameter(
        'RED: how many packets are dropped where the average comes to max. Default: 10%.',
        PERCENTAGE_PATTERN,
        '10%',
      ),
      weight: z.number().optional().meta({
        description: 'RED: of each packet in the average, as the nearest power of two. Default: 0.002.',
      }),
      target: parameter('CoDel: how long packets may wait. Default: 5ms.', LATENCY_PATTERN, '5ms'),
      interval: parameter(
        'CoDel: for how long they may wait longer. Default: 100ms.',
        LATENCY_PATTERN,
        '100ms',
      ),
      ecn: z.boolean().optional().meta({
        description: 'Whether packets that say so are marked (ECN) instead of dropped. Default: false.',
      }),
    })
    .transform((settings, context) => {
      try {
        return managedQueue(settings);
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
        const params = { remedy: error.remedy, diagnostic: 'UNIT' };
        context.issues.push({ code: 'custom', input: settings, message: error.message, params });
        return z.NEVER;
      }
    });
  return z.union([quantity(parseQueue, { ...about, pattern: QUEUE_PATTERN }), managed]).meta(about);
}
