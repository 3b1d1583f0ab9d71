/** The record of a running experiment: what it says so far, and its files. */
import { z } from 'zod';

const milliseconds = z.number();

export const recordSchema = z
  .object({
    id: z.string().describe('As `netfold records` lists it on that machine.'),
    state: z
      .enum(['recording', 'complete', 'cut off'])
      .describe('`cut off`: nobody writes it any more; `netfold resume` goes on with it.'),
    description: z
      .looseObject({ format: z.number(), experiment: z.string(), startedAt: z.string() })
      .describe('`record.json` (docs/records.md).'),
    lastMs: milliseconds.describe('From the beginning of the timeline to the last sample.'),
    samples: z.number(),
    flows: z
      .array(
        z.object({
          source: z.string(),
          destination: z.string(),
          samples: z.number(),
          meanRateBps: z.number(),
          mostRateBps: z.number(),
          meanShareBps: z.number().nullable().describe('null: it never had a limit.'),
        }),
      )
      .readonly()
      .describe('Those with the highest mean rates, at most 10,000.'),
    events: z
      .array(
        z.object({
          tMs: z.number().nullable().describe('When it was in force; null: it changed nothing.'),
          dueMs: milliseconds,
          untilMs: z.number().nullable(),
          origin: z.string().describe('`file`, or who gave the command.'),
          text: z.string(),
          outcome: z.string().nullable(),
        }),
      )
      .readonly()
      .describe('In the order in which they were due, the last 10,000.'),
    verdicts: z
      .array(
        z.object({
          tMs: milliseconds,
          state: z.string(),
          code: z.string(),
          host: z.string(),
          message: z.string(),
        }),
      )
      .readonly()
      .describe('When it changed, the last 10,000.'),
    agents: z
      .array(
        z.object({
          host: z.string(),
          cores: z.number().describe('Processor time by time.'),
          mostMemoryBytes: z.number(),
          mostTickMs: milliseconds,
        }),
      )
      .readonly(),
    files: z
      .array(z.object({ path: z.string(), bytes: z.number() }))
      .readonly()
      .describe('To be had one by one.'),
  })
  .describe('What is kept of the run so far.');

/** Rows of one list. */
export const MAX_RECORD_ROWS = 10_000;

/** The path of a file in a record; only those that the record has are served. */
export const recordFileQuery = z.strictObject({
  path: z.string().min(1).max(300).describe('One of `files` of the record.'),
});
