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

/** Characters of one message to a terminal; a longer text is sent in pieces. */
export const MAX_INPUT_LENGTH = 500;

/** Characters of a terminal, most of them. */
const MAX_COLUMNS = 500;
const MAX_ROWS = 200;
const size = {
  columns: z.number().int().min(2).max(MAX_COLUMNS),
  rows: z.number().int().min(2).max(MAX_ROWS),
};

export const terminalQuery = z.strictObject({
  columns: z.coerce.number().int().min(2).max(MAX_COLUMNS).default(80),
  rows: z.coerce.number().int().min(2).max(MAX_ROWS).default(24),
});

export const terminalInputSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('input'), text: z.string().max(MAX_INPUT_LENGTH) }),
    z.strictObject({ type: z.literal('size'), ...size }),
  ])
  .describe('A message to a terminal: what was typed, or its new size in characters.');

export type TerminalInput = z.infer<typeof terminalInputSchema>;

/** Everything else that comes from a terminal is binary: what its programs write. */
export const terminalEndSchema = z
  .object({ type: z.literal('end'), reason: z.string() })
  .describe('The last message of a terminal; those before are binary: what its programs write.');
