/** A topology, checked as `netfold check` does; and a start that is watched instead of waited for. */
import { z } from 'zod';
import { errorSchema } from './errors.ts';
import { startSchema } from './experiments.ts';
import { injectedHostSchema } from './injections.ts';

export const checkRequestSchema = startSchema
  .pick({ topology: true, file: true, script: true, set: true })
  .describe('A topology to be checked. Nothing is started.');

export const diagnosticSchema = z
  .object({
    severity: z.enum(['error', 'warning']),
    code: z.string(),
    file: z.string(),
    line: z.number().describe('From 1, as the column.'),
    column: z.number(),
    field: z.string().describe('Such as links[2].latency; empty: the file as a whole.'),
    message: z.string(),
    remedy: z.string(),
  })
  .describe('What is wrong, or may be, and where.');

export const checkedSchema = z
  .object({
    valid: z.boolean(),
    summary: z
      .object({
        name: z.string(),
        routing: z.string(),
        services: z.number(),
        endpoints: z.number(),
        bridges: z.number(),
        links: z.number().describe('As in the file: a pair counts once.'),
        events: z.number(),
      })
      .optional()
      .describe('Absent if the topology is not valid.'),
    diagnostics: z.array(diagnosticSchema).readonly().describe('In the order of the file.'),
  })
  .describe('As `netfold check --json`.');

export const startIdSchema = z.string().regex(/^[a-f0-9]{16}$/);

export const startStateSchema = z
  .object({
    id: startIdSchema,
    state: z.enum(['starting', 'up', 'failed']),
    progress: z.string().nullable().describe('What it is doing now, such as: making endpoints 12 of 40.'),
    name: z.string().nullable().describe('Of the experiment, once it is up.'),
    warnings: z.array(z.string()).readonly().describe('Of the topology, one line each, once it is up.'),
    error: errorSchema.nullable().describe('Why it has failed.'),
    injected: z
      .array(injectedHostSchema)
      .readonly()
      .describe('With inject: the hosts, once it is up, or once it has failed on some of them.'),
  })
  .describe('A start, from its request on.');
