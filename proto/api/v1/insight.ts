/** Why a path is as it is, the topology as a picture, and traffic of netfold's own. */
import { z } from 'zod';
import { trafficSchema } from './agent.ts';
import { nodeName } from './names.ts';

const milliseconds = z.number();
const rate = z.number().nullable();
const names = z.array(z.string()).readonly();

export const explanationQuery = z.strictObject({
  from: nodeName.describe('An endpoint, or a service of one replica.'),
  to: nodeName.describe('The same.'),
});

const reachableSchema = z.object({
  from: z.string(),
  to: z.string(),
  reachable: z.literal(true),
  latencyMs: milliseconds,
  jitterMs: milliseconds,
  loss: z.number(),
  roundTripMs: z.number().nullable().describe('null: there is no way back.'),
  bandwidthBps: rate.describe('null: no limit.'),
  routing: z.enum(['latency', 'hops', 'weight', 'valley-free']),
  isGiven: z.boolean().describe('Whether the file gives the path.'),
  links: z
    .array(
      z.object({
        name: z.string(),
        latencyMs: milliseconds,
        jitterMs: milliseconds,
        loss: z.number(),
        bandwidthBps: rate,
        isNarrowest: z.boolean(),
        rules: names.optional().describe('For parts of the traffic, in their order.'),
      }),
    )
    .readonly(),
  backLinks: names.describe('Of the way back, where it is another one.'),
  competitors: z
    .array(
      z.object({
        from: z.string(),
        to: z.string(),
        demandBps: rate.describe('null: as much as it gets.'),
        shareBps: rate,
        limitedBy: z.string().nullable(),
        roundTripMs: milliseconds,
        sharedLinks: names,
      }),
    )
    .readonly()
    .describe('Flows that cross limited links of the path.'),
  shareBps: rate.describe('Of a flow that takes what it gets; null: nothing limits it.'),
  limitedBy: z.string().nullable(),
  whatIf: z
    .array(z.object({ what: z.string(), shareBps: rate }))
    .readonly()
    .describe('What would change its share.'),
});

export const explanationSchema = z
  .union([
    reachableSchema,
    z.object({ from: z.string(), to: z.string(), reachable: z.literal(false), why: z.string() }),
  ])
  .describe('Why a path has its latency, its bandwidth and its share, with the flows of now.');

export const pictureQuery = z.strictObject({
  format: z.enum(['mermaid', 'dot', 'svg']).default('mermaid').describe('`dot`: of Graphviz.'),
});

export const pictureSchema = z
  .object({ format: pictureQuery.shape.format.unwrap(), text: z.string() })
  .describe('The topology that is in force now, drawn.');

export const trafficTableSchema = z
  .object({
    nowMs: milliseconds.describe('Since the start of the experiment.'),
    traffic: z
      .array(
        trafficSchema.omit({ delaySumMs: true, mostDelayMs: true }).extend({
          lost: z.number().nullable().describe('With what is on its way; null: of a TCP connection.'),
          meanDelayMs: z.number().nullable(),
          mostDelayMs: z.number().nullable(),
        }),
      )
      .readonly()
      .describe('A row for each entry of the file and pair of endpoints.'),
    silent: z
      .array(z.object({ host: z.string(), reason: z.string() }))
      .readonly()
      .describe('Hosts whose agent does not answer, and which the rows lack.'),
  })
  .describe("What netfold's own traffic has sent, and what has arrived.");
