/** The network of a running experiment: topology, paths, flows, endpoints. */
import { z } from 'zod';
import { DISTRIBUTIONS } from '../../impairment.ts';
import { flowSchema } from './agent.ts';
import { duration, nodeName } from './names.ts';

/** Rows of one answer; of more pairs, `from` or `to` has to be named. */
export const MAX_PATHS = 100_000;

const impairmentFields = {
  latencyMs: z.number(),
  jitterMs: z.number().describe('Standard deviation.'),
  distribution: z.enum(DISTRIBUTIONS).optional().describe('Of the jitter; absent: normal.'),
  loss: z.number().describe('Ratio, 0 to 1; besides that of the model.'),
  bandwidthBps: z.number().nullable().describe('null: no limit.'),
};
/** What few links have, as the topology file writes it. */
const rareFields = {
  quantiles: z.string().optional().describe('Shape of the jitter, instead of a distribution.'),
  jitterCorrelation: z.number().optional().describe('Of each packet with the one before.'),
  lossModel: z.string().optional().describe('As in the topology file.'),
  duplicate: z.number().optional(),
  corrupt: z.number().optional(),
  reorder: z.number().optional(),
  reorderDistance: z.number().optional().describe('In packets.'),
  slots: z.string().optional().describe('Times between them.'),
  aqm: z.string().optional().describe('How the queue is managed before it is full.'),
  rules: z.string().optional().describe('For parts of the traffic, in their order, with `; ` between them.'),
  mtu: z.number().optional().describe('The largest IP packet, in bytes.'),
  overhead: z.string().optional().describe('Of each frame, at the bandwidth; as in the topology file.'),
};

export const topologyQuery = z.strictObject({
  text: z
    .enum(['true', 'false'])
    .default('false')
    .describe("Whether the file's text is a part of the answer."),
});

export const topologySchema = z
  .object({
    file: z.string(),
    text: z.string().optional(),
    nowMs: z.number().nullable().describe('Since the start of the experiment; null before it.'),
    epoch: z.number().describe('How many versions of the topology there were before.'),
    routing: z.enum(['latency', 'hops', 'weight', 'valley-free']),
    nodes: z
      .array(
        z.object({
          name: z.string(),
          kind: z.enum(['endpoint', 'bridge']),
          service: z.string().nullable().describe('Of which an endpoint is a replica.'),
          location: z
            .tuple([z.number(), z.number()])
            .readonly()
            .optional()
            .describe('Latitude and longitude in degrees, where the file says so.'),
        }),
      )
      .readonly(),
    links: z
      .array(
        z.object({
          name: z.string(),
          from: z.string(),
          to: z.string(),
          weight: z.number().optional().describe('Where routing is by weight; 1 if absent.'),
          ...impairmentFields,
          ...rareFields,
          trace: z.string().optional().describe('That it has one; the other fields have its values now.'),
          queuePackets: z.number().optional(),
          queueBytes: z.number().optional(),
          queueMs: z.number().optional(),
        }),
      )
      .readonly()
      .describe('One for each direction.'),
    partitions: z
      .array(z.array(z.array(z.string()).readonly()).readonly())
      .readonly()
      .describe('Of each partition in force, the endpoints of its groups.'),
  })
  .describe('The topology that is in force now, with all events and commands until now.');

export const pathsQuery = z.strictObject({
  from: nodeName.optional(),
  to: nodeName.optional(),
  at: duration
    .optional()
    .describe('By the file, with its events until this time; absent: what is in force now.'),
});

export const pathSchema = z.object({
  from: z.string(),
  to: z.string(),
  reachable: z.literal(false).optional().describe('There is no path; the other fields are absent then.'),
  latencyMs: z.number().optional(),
  jitterMs: z.number().optional(),
  distribution: z.enum(DISTRIBUTIONS).optional(),
  loss: z.number().optional(),
  ...rareFields,
  bandwidthBps: z.number().nullable().optional(),
  smallPacketMs: z.number().optional().describe('How long a packet of 60 bytes is under way.'),
  path: z.number().optional().describe('Of a pair with several paths (ecmp): which, from 1 on.'),
  paths: z.number().optional().describe('Of how many.'),
  fullPacketMs: z.number().optional().describe('The same of 1514 bytes.'),
  hops: z.number().optional(),
  links: z.array(z.string()).readonly().optional(),
});

export const pathsSchema = z.array(pathSchema).readonly();

export const liveFlowSchema = flowSchema.extend({
  host: z.string().describe('Of the sender.'),
  announced: z
    .literal(true)
    .optional()
    .describe('Of a host of another machine: as its agent has announced it, without its share.'),
});

export const flowsSchema = z.array(liveFlowSchema).readonly();

export const endpointSchema = z.object({
  name: z.string(),
  service: z.string(),
  host: z.string(),
  addresses: z.array(z.string()).readonly(),
  process: z.string().nullable().describe('Its command: the pid, or how it ended; null: it has none.'),
});

export const endpointsSchema = z.array(endpointSchema).readonly();
