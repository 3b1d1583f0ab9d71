/** Values with units in files of YAML. */
import { z } from 'zod';
import { UnitError } from '../../../proto/units.ts';

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
        params: { remedy: error.remedy, ...params },
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

/** Stands for "write a unit"; the reader of issues replaces it, because it has the value and the field's example. */
export const UNITLESS = 'has no unit';
