/**
 * Messages of the stream (`/experiments/{experiment}/stream`, a WebSocket): first a snapshot, then what has changed since the
 * message before. A reader that is slow gets fewer messages, each with more in it.
 */
import { z } from 'zod';
import { faultSchema, verdictState } from './agent.ts';
import { commandSchema, runLogEntrySchema } from './control.ts';
import { endpointSchema, liveFlowSchema, pathSchema } from './network.ts';

export const summarySchema = z.object({
  name: z.string(),
  epoch: z.number(),
  running: z.boolean(),
  nextEventMs: z.number().nullable(),
  faults: z.array(faultSchema).readonly(),
  verdict: verdictState.describe('Of the whole run so far.'),
  verdictNow: verdictState.describe('Of what goes on.'),
});

export const agentSummarySchema = z.object({
  host: z.string(),
  state: z.string().describe('As in the status; or unreachable.'),
  shaped: z.boolean(),
  endpoints: z.number(),
  known: z.number(),
  expected: z.number(),
  problems: z.array(z.string()).readonly(),
  corrected: z.number(),
  cpuSeconds: z.number(),
  memoryBytes: z.number(),
  tickMeanMs: z.number(),
  clockOffsetMs: z.number().nullable(),
});

/** Each part by its key: what is there, new or changed; and the keys that are gone. */
const changesOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    set: z.record(z.string(), item).optional(),
    removed: z.array(z.string()).readonly().optional(),
  });

const parts = {
  experiment: changesOf(summarySchema).optional(),
  agents: changesOf(agentSummarySchema).optional().describe('By host.'),
  endpoints: changesOf(endpointSchema).optional().describe('By name.'),
  flows: changesOf(liveFlowSchema).optional().describe('By `from>to`.'),
  paths: changesOf(pathSchema).optional().describe('Of each flow, by `from>to`: the path that it takes.'),
  commands: changesOf(commandSchema).optional().describe('By id.'),
};

const happenedSchema = runLogEntrySchema.extend({ host: z.string() });

export const streamMessageSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('snapshot'), nowMs: z.number().nullable(), ...parts }),
    z.object({
      type: z.literal('change'),
      nowMs: z.number().nullable(),
      ...parts,
      happened: z
        .array(happenedSchema)
        .readonly()
        .optional()
        .describe('Entries of the run logs: epochs, commands and outcomes, hosts, endpoints, problems.'),
      forgotten: z.number().optional().describe('How many entries this reader was too slow for.'),
    }),
    z.object({ type: z.literal('end'), reason: z.string() }),
  ])
  .describe('A message of the stream.');

export type StreamMessage = z.infer<typeof streamMessageSchema>;
export type PartName = keyof typeof parts;
