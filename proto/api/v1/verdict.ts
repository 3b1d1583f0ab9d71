/** The verdict on an experiment, and the proofs for its paths (docs/fidelity.md). */
import { z } from 'zod';
import { verdictSchema } from './agent.ts';

const date = z.string().nullable();

export const experimentVerdictSchema = verdictSchema
  .extend({
    paths: z
      .array(
        z.object({
          from: z.string(),
          to: z.string(),
          fromHost: z.string().nullable(),
          toHost: z.string().nullable(),
          setSince: z.string().describe('Since when the path has its present properties.'),
          inForceSince: date.describe('Since when the rules of both ends are as they should be.'),
          readBackAt: date.describe('When the one that waits longest was read back.'),
          roundTripMs: z.number().nullable().describe('As the topology says.'),
          measuredMs: z
            .number()
            .nullable()
            .describe('What a TCP connection of the applications measured last.'),
          retransmitted: z.number().nullable(),
          measuredAt: date,
          worksSince: date.describe(
            'Since when it is seen to work, with the rules in force: round trips of TCP or of probes are as the path says.',
          ),
          workedAt: date.describe('When that was seen last.'),
          probes: z
            .object({
              sent: z.number(),
              lost: z.number(),
              latestMs: z
                .number()
                .nullable()
                .describe(
                  'There and, with netem, back; with the delay line, back as the real network takes it.',
                ),
            })
            .optional()
            .describe('Of netfold itself, where no TCP measures the path.'),
        }),
      )
      .readonly()
      .describe('Those that have carried traffic lately.'),
  })
  .describe('Whether the run is what its topology says, as the agents of this machine have seen it.');
