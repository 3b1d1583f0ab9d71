/** Events and commands. Times are milliseconds since the start of the experiment. */
import { z } from 'zod';
import { MAX_COMMAND_BYTES } from '../../command.ts';
import { commandIdPattern, duration, hostName, instant } from './names.ts';

/** Below the time after which a silent agent counts as unreachable. */
const MAX_LOG_WAIT_MS = 8000;
/** Rows of the timeline in one answer. */
export const MAX_EVENTS = 10_000;

export const commandIdSchema = z
  .string()
  .regex(commandIdPattern)
  .describe('As the answer to its POST has it.');

export const commandRequestSchema = z
  .strictObject({
    text: z
      .string()
      .min(1)
      .max(MAX_COMMAND_BYTES)
      .describe(
        'As on the command line: `set a--b latency=50ms`, `crash server.1`, `partition a | b`, `reset`.',
      ),
    at: instant.optional().describe('When; absent: as soon as all agents can know it.'),
    for: duration.optional().describe('It is undone after this time.'),
    host: hostName.optional().describe('Which agent takes it; absent: any.'),
    alone: z.boolean().optional().describe('Accept it even if this agent receives from no other.'),
  })
  .describe('A command of live control.');

const state = z.enum(['pending', 'done', 'undone', 'failed']);

export const commandSchema = z.object({
  id: z.string(),
  text: z.string(),
  by: z.string().describe('Who gave it.'),
  issuedAtMs: z.number(),
  atMs: z.number(),
  untilMs: z.number().nullable(),
  state,
  problem: z.string().optional().describe('Why it changed nothing.'),
  hit: z.array(z.string()).readonly().optional().describe('The first of those that it has hit.'),
  hitCount: z.number().optional(),
});

export const commandsSchema = z.array(commandSchema).readonly();

export const givenSchema = z.object({
  id: z.string(),
  atMs: z.number(),
  nowMs: z.number().nullable(),
  host: z.string().describe('Whose agent has taken it.'),
});

export const commandStateSchema = commandSchema.extend({
  nowMs: z.number().nullable(),
  hosts: z
    .array(
      z.object({
        host: z.string(),
        state: z.enum(['pending', 'done', 'undone', 'failed', 'unknown', 'unreachable']),
      }),
    )
    .readonly()
    .describe('What each agent of this machine says of it.'),
  inStep: z.array(z.string()).readonly().describe('Hosts, also of other machines, that have all commands.'),
  behind: z.array(z.string()).readonly().describe('Hosts that do not have all of them yet, or are silent.'),
  everywhere: z.boolean().describe('Its outcome is known, and every host has it.'),
});

export const eventsSchema = z.object({
  nowMs: z.number().nullable(),
  events: z
    .array(
      z.object({
        atMs: z.number(),
        epoch: z.number(),
        verb: z.string(),
        target: z.string(),
        detail: z.string().optional(),
        file: z.string(),
        line: z.number(),
        past: z.boolean(),
      }),
    )
    .readonly()
    .describe('Of the file, as single changes in their order.'),
  omitted: z.number().describe('How many more there are.'),
});

export const logQuery = z.strictObject({
  host: hostName.optional().describe('Whose agent; absent: the first of this machine.'),
  from: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('From this position on; absent: from now on.'),
  waitMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_LOG_WAIT_MS)
    .default(0)
    .describe('Waits so long for an entry.'),
});

export const runLogEntrySchema = z.looseObject({
  kind: z.string(),
  position: z.number(),
  atMicros: z.number().nullable(),
});

export const runLogSchema = z
  .object({
    host: z.string(),
    incarnation: z.number().describe('Another one: the agent was restarted, and counts from 0 again.'),
    entries: z.array(runLogEntrySchema).readonly(),
    next: z.number(),
    forgotten: z.number(),
  })
  .describe('What has happened, as an agent saw it.');
