/**
 * The native topology file as one zod schema: it validates, gives the types, and is published as JSON Schema
 * (`topology/netfold.schema.json`, made by `build-schema.ts`). Units and defaults are described here and nowhere else.
 */
import { z } from 'zod';
import { DISTRIBUTIONS, MAX_QUEUE_PACKETS } from '../../../proto/impairment.ts';
import {
  type Bps,
  type Micros,
  parseBandwidth,
  parseLatency,
  parsePercentage,
  type Ratio,
  UnitError,
} from '../../../proto/units.ts';
import { MAX_ENDPOINTS } from '../../model/limits.ts';
import { NAME_PATTERN } from '../../model/names.ts';

/** A text with a unit. A bare number is refused with a message of its own, since it is what people try first. */
function quantity<T>(parse: (text: string) => T, about: { description: string; examples: string[] }) {
  return z
    .string({ error: (issue) => (typeof issue.input === 'number' ? UNITLESS : undefined) })
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
        context.issues.push({
          code: 'custom',
          input: text,
          message: error.message,
          params: { remedy: error.remedy, diagnostic: 'UNIT' },
        });
        return z.NEVER;
      }
    })
    .meta(about);
}

/** Stands for "write a unit"; the reader of issues replaces it, knowing the value and the field's example. */
export const UNITLESS = 'has no unit';

const latency = (what: string) =>
  quantity<Micros>(parseLatency, {
    description: `${what}, with its unit: us, ms or s; at most 10 minutes. Default: none (0ms).`,
    examples: ['10ms', '250us'],
  });
const bandwidth = (what: string) =>
  quantity<Bps>(parseBandwidth, {
    description: `${what}, with its unit: bps, Kbps, Mbps or Gbps (decimal); Ethernet frames without preamble and FCS. Default: no limit.`,
    examples: ['60Mbps', '128Kbps'],
  });
const loss = quantity<Ratio>(parsePercentage, {
  description: 'How many packets are lost in each direction, in percent. Default: none (0%).',
  examples: ['0.1%', '2%'],
});

const tags = z
  .array(z.string().regex(new RegExp(NAME_PATTERN)))
  .default([])
  .meta({ description: 'Names for events to select by: `crash tag:edge`. Default: none.' });

const queue = z
  .string({ error: (issue) => (typeof issue.input === 'number' ? UNITLESS : undefined) })
  .regex(/^[1-9]\d{0,7} ?packets?$/, { error: 'is not a number of packets' })
  .transform((text) => Number.parseInt(text, 10))
  .refine((packets) => packets <= MAX_QUEUE_PACKETS, { error: `is more than ${MAX_QUEUE_PACKETS} packets` })
  .meta({
    description: 'How many packets may wait for the link. Default: derived from bandwidth and delay.',
    examples: ['200 packets'],
  });

const service = z
  .strictObject({
    replicas: z.int().min(1).max(MAX_ENDPOINTS).default(1).meta({
      description: 'How many instances there are; instance i of `server` is `server.i`. Default: 1.',
    }),
    run: z.string().min(1).optional().meta({
      description:
        'Shell command of each replica in the local lab; $NETFOLD_REPLICA is its number. Default: none, the endpoint is idle.',
    }),
    image: z.string().min(1).optional().meta({ description: 'Container image, for Docker and Kubernetes.' }),
    command: z
      .union([z.string().min(1), z.array(z.string())])
      .transform((value) => (typeof value === 'string' ? ['/bin/sh', '-c', value] : value))
      .optional()
      .meta({
        description:
          'Arguments of the container; a single text is run by /bin/sh -c. Default: what the image says.',
      }),
    tags,
    forward: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether paths between others may lead through it. Default: false.' }),
    share: z.boolean().default(false).meta({
      description: 'Whether all replicas share each link of the service. Default: false, a link per replica.',
    }),
  })
  .meta({ description: 'An application. Without settings it is written `name: {}`.' });

const reference = (what: string) =>
  z.string().meta({
    description: `${what}: a service (each of its replicas), a replica such as client.0, or a bridge.`,
  });

const link = z
  .strictObject({
    from: reference('Where the link starts'),
    to: reference('Where the link ends'),
    latency: latency('Delay of each direction').optional(),
    jitter: latency('Standard deviation of the delay').optional(),
    distribution: z.enum(DISTRIBUTIONS).optional().meta({
      description: 'Shape of the jitter, whose standard deviation is `jitter` in each case. Default: normal.',
    }),
    loss: loss.optional(),
    bandwidth: bandwidth('Rate of each direction').optional(),
    up: bandwidth('Rate from `from` to `to`; instead of bandwidth').optional(),
    down: bandwidth('Rate from `to` to `from`; instead of bandwidth').optional(),
    oneway: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether there is no way back from `to` to `from`. Default: false.' }),
    queue: queue.optional(),
    tags,
  })
  .meta({
    description:
      'A link in both directions, or in one if `oneway`. Latency, jitter, its distribution and loss hold per direction.',
  });

const bridgeSettings = z.strictObject({ tags });

export const topologySchema = z
  .strictObject({
    name: z
      .string()
      .regex(new RegExp(NAME_PATTERN))
      .optional()
      .meta({ description: 'Name of the experiment. Default: the name of the file.' }),
    routing: z
      .enum(['latency', 'hops'])
      .default('latency')
      .meta({ description: 'Which path is the shortest: least latency, or fewest hops. Default: latency.' }),
    services: z
      .record(z.string().regex(new RegExp(NAME_PATTERN)), service)
      .meta({ description: 'The applications, by name.' }),
    bridges: z
      .union([
        z.array(z.string().regex(new RegExp(NAME_PATTERN))),
        z.record(z.string().regex(new RegExp(NAME_PATTERN)), bridgeSettings),
      ])
      .default([])
      .meta({ description: 'Switches and routers: a list of names, or a mapping from name to settings.' }),
    links: z.array(link).default([]).meta({ description: 'What connects them.' }),
    events: z
      .array(z.string())
      .default([])
      .meta({
        description: 'The timeline, one event a line.',
        examples: [['at 30s set client--s1 latency=10ms']],
      }),
  })
  .meta({ title: 'netfold topology', description: 'A network topology for netfold.' });

export type NativeFile = z.output<typeof topologySchema>;
export type NativeLink = NativeFile['links'][number];

/** The keys that each place of the file knows, for suggestions: `` (top), `services.*`, `links.*`, `bridges.*`. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(topologySchema.shape),
  'services.*': Object.keys(service.shape),
  'links.*': Object.keys(link.shape),
  'bridges.*': Object.keys(bridgeSettings.shape),
};

/** The published JSON Schema, as text. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(topologySchema, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ $id: 'netfold.schema.json', ...schema }, null, 2)}\n`;
}
