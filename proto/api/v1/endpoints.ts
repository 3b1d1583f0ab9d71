/** What happens inside of endpoints: outputs, and commands that are run there. */
import { z } from 'zod';
import { duration } from './names.ts';

/** Bytes of one answer. */
export const MAX_LOG_BYTES = 262_144;
/** Bytes that are kept of each output. */
export const MAX_OUTPUT_BYTES = 1_048_576;
export const MAX_TAIL_LINES = 10_000;

export const logsQuery = z.strictObject({
  tail: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_TAIL_LINES)
    .default(1000)
    .describe('Begins with so many of the last lines.'),
  from: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Instead of `tail`: goes on where an earlier answer ended (`next`).'),
});

export const logsSchema = z.object({
  endpoint: z.string(),
  text: z.string().describe('At most 256 KiB; more follows from `next` on.'),
  next: z
    .number()
    .nullable()
    .describe('Where to go on; null: the engine keeps this log, which only has a tail.'),
});

export const execSchema = z
  .strictObject({
    command: z
      .array(z.string().min(1).max(4096))
      .min(1)
      .max(256)
      .describe('Program and arguments, without a shell.'),
    stdin: z.string().max(65_536).optional(),
    timeout: duration.default('1m').describe('It is ended after this time, at most 10m.'),
    user: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/)
      .optional(),
    privileged: z.boolean().default(false).describe('With all capabilities: to look at its network.'),
  })
  .describe('A command to be run inside of an endpoint, as `netfold exec` does.');

export const executedSchema = z.object({
  code: z.number().describe('Its exit code; 128 and the number of the signal that ended it.'),
  stdout: z.string(),
  stderr: z.string(),
  truncated: z.boolean().describe('Of an output, only the first mebibyte was kept.'),
  timedOut: z.boolean(),
});
