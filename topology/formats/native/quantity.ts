/** Values with units in files of YAML. */
import { z } from 'zod';
import { UnitError } from '../../../proto/units.ts';

/** A text that `parse` reads. What it throws (`UnitError`) becomes the issue; `params`: what that tells besides the remedy. */
export function quantityOf<T>(text: z.ZodString, parse: (text: string) => T, params: object = {}) {
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
