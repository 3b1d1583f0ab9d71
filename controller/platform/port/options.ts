import type { z } from 'zod';
import { ControllerError } from '../../errors.ts';

/** A platform's own options, checked. Throws `PLACEMENT_OPTIONS`, which names what is wrong. */
export function readOptions<T>(platform: string, schema: z.ZodType<T>, options: unknown): T {
  const read = schema.safeParse(options);
  if (read.success) return read.data;
  const wrong = read.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new ControllerError(
    'PLACEMENT_OPTIONS',
    `the platform "${platform}" does not take these options: ${wrong}`,
    'see docs/platforms.md, and `netfold up --help`',
  );
}
