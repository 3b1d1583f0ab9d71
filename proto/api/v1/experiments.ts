/** Experiments: what is known of them, and how one is started. */
import { z } from 'zod';
import { DELAY_BACKENDS } from '../../bootstrap.ts';
import { agentReportSchema } from './agent.ts';
import { injectedHostSchema, injectSchema } from './injections.ts';
import { duration, experimentName } from './names.ts';
import { atSchema, attachSchema } from './standing.ts';

/** The longest text of a topology, and of a script, in a request. */
export const MAX_TOPOLOGY_LENGTH = 900_000;

/** Where containers are made. */
export const ENGINES = ['docker'] as const;

export const experimentSchema = z.object({
  name: z.string(),
  topologyFile: z.string().nullable().describe('As it was given; null: its state file is missing.'),
  startedAt: z.string().nullable(),
  platform: z.string().nullable(),
  hosts: z.number().describe('How many hosts of it this machine has.'),
  endpoints: z.number().describe('How many endpoints of it this machine has.'),
});

export const experimentsSchema = z.array(experimentSchema).readonly();

export const experimentDetailSchema = experimentSchema.extend({
  agents: z.array(agentReportSchema).readonly().describe('Those of this machine, one for each host.'),
});

export const startSchema = z
  .strictObject({
    topology: z
      .string()
      .min(1)
      .max(MAX_TOPOLOGY_LENGTH)
      .describe('The text of a topology file, in any format that netfold reads.'),
    file: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/)
      .default('topology.yaml')
      .describe(
        'Its name, for messages; the name of the experiment follows from it where the text has none.',
      ),
    script: z
      .string()
      .min(1)
      .max(MAX_TOPOLOGY_LENGTH)
      .optional()
      .describe('A ThunderStorm script of events.'),
    set: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), z.string().max(1000))
      .optional()
      .describe('Variables instead of those of the file: {"delay": "20ms"}.'),
    name: experimentName.optional(),
    hosts: z.int().min(1).max(1000).default(1).describe('Emulated hosts of the local lab.'),
    delayBackend: z.enum(DELAY_BACKENDS).default('auto'),
    duration: duration.optional().describe('The experiment ends after this time.'),
    engine: z
      .enum(ENGINES)
      .optional()
      .describe(
        "A container of the machine's engine is made of each endpoint, from the image of its service. Default: the local lab.",
      ),
    pull: z.boolean().optional().describe('With engine: images that it lacks are fetched.'),
    attach: attachSchema.optional(),
    at: atSchema.optional(),
    inject: injectSchema.optional(),
  })
  .describe(
    'A topology to run: in the local lab of the machine, with engine in containers, with attach in those that run already, with at on interfaces, with inject on hosts over SSH.',
  );

export const startedSchema = z.object({
  name: z.string(),
  warnings: z.array(z.string()).readonly().describe('Of the topology, one line each.'),
  injected: z
    .array(injectedHostSchema)
    .readonly()
    .optional()
    .describe('With inject: the hosts on which it runs.'),
});

export const removedSchema = z.object({
  experiment: z.string(),
  facts: z.array(z.string()).readonly().describe('What was removed.'),
  problems: z.array(z.string()).readonly().describe('What is lost.'),
});
