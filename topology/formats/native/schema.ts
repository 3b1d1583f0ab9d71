/**
 * The native topology file as one zod schema: it validates, gives the types, and is published as JSON Schema
 * (`topology/netfold.schema.json`, made by `build-schema.ts`). Units and defaults are described here and nowhere else.
 */
import { z } from 'zod';
import {
  FILE_PROPERTIES,
  type FileKey,
  type FileProperty,
  PROPERTIES,
  type PropertyValue,
} from '../../../proto/impairment.ts';
import { MOST_LANES } from '../../../proto/lanes.ts';
import type { FileField } from '../../../proto/property.ts';
import type { QueueSize } from '../../../proto/queue.ts';
import { parseTrace, TRACE_PATTERN } from '../../../proto/trace.ts';
import { DURATION_PATTERN, parseDuration } from '../../../proto/units.ts';
import { EVENT_PATTERN } from '../../events/grammar.ts';
import { EXPECTATION_PATTERN } from '../../expect/grammar.ts';
import { MAX_ENDPOINTS } from '../../model/limits.ts';
import { MAX_WEIGHT, RELATIONSHIPS, RESTARTS, ROUTINGS, TRANSMISSIONS } from '../../model/model.ts';
import { NAME_PATTERN } from '../../model/names.ts';
import { containerFields, healthcheck, resources } from './container-schema.ts';
import { LANGUAGE_KEYS } from './expand/language.ts';
import { linesOf, QUEUE_KEYS, quantity, queueOf } from './quantity.ts';
import { ROUTE_PATTERN } from './routes.ts';
import { sequence, sequences } from './sequences.ts';
import { traffic } from './traffic.ts';

const tags = z
  .array(z.string().regex(new RegExp(NAME_PATTERN)))
  .default([])
  .meta({ description: 'Names for events to select by: `crash tag:edge`. Default: none.' });

/** Links have taken their latency from it when the file was expanded (expand/settings.ts). */
const location = z
  .tuple([z.number().min(-90).max(90), z.number().min(-180).max(180)])
  .optional()
  .meta({ description: 'Latitude and longitude in degrees. Default: none.' });

function fieldOf(field: FileField): z.ZodOptional {
  const about = { description: field.description, ...(field.examples && { examples: [...field.examples] }) };
  if (field.kind === 'integer') {
    const { description, least, most, examples = [] } = field;
    return z
      .int()
      .min(least)
      .max(most)
      .optional()
      .meta({ description, examples: examples.map(Number) });
  }
  if (field.kind === 'choice') return z.enum(field.choices).optional().meta(about);
  if (field.kind === 'queue') return queueOf(about).optional();
  if (field.kind === 'lines') return linesOf(field.parse, { ...about, pattern: field.pattern }).optional();
  if (field.kind === 'text') return quantity(field.parse, { ...about, pattern: field.pattern }).optional();
  return quantity(field.parse, { ...about, pattern: field.pattern }).optional();
}

type FieldValue<P extends FileProperty> = P extends 'queuePackets'
  ? QueueSize & { readonly aqm?: string }
  : PropertyValue<P>;
type ImpairmentFields = {
  [P in FileProperty as FileKey<P>]: z.ZodOptional<z.ZodType<FieldValue<P>, unknown>>;
};
const { queue, ...impairment } = Object.fromEntries(
  FILE_PROPERTIES.map(({ file }) => [file.key, fieldOf(file)]),
) as unknown as ImpairmentFields;

const { file: bandwidth } = PROPERTIES.bandwidth;
const rate = fieldOf(bandwidth).unwrap() as ReturnType<ImpairmentFields['bandwidth']['unwrap']>;
const directionSettings = z.strictObject({ ...impairment, queue });
const ofDirection = (description: string) =>
  z
    .union([rate, directionSettings])
    .optional()
    .meta({ description, examples: ['20Mbps', { latency: '5ms', bandwidth: '20Mbps' }] });

const ready = z
  .strictObject({
    command: z.string().min(1).optional().meta({
      description:
        'Shell command in the endpoint that exits with 0 when the service is ready; tried until it does, for five seconds at most each time.',
    }),
    port: z.int().min(1).max(65_535).optional().meta({
      description: 'TCP port at which something in the endpoint listens when the service is ready.',
    }),
    log: z.string().min(1).optional().meta({
      description: "Text, no pattern, that is in the endpoint's log when the service is ready.",
    }),
    timeout: quantity(parseDuration, {
      description:
        'Told when the service is not ready so long after its start; the check goes on. Default: 60s.',
      pattern: DURATION_PATTERN,
      examples: ['30s'],
    }).optional(),
  })
  .meta({
    description:
      'How it is seen that the service is ready: a command, a port or a text. Default: when its command has started.',
    examples: [{ port: 6379 }, { log: 'listening' }, { command: 'redis-cli ping', timeout: '30s' }],
  });

const service = z
  .strictObject({
    replicas: z.int().min(1).max(MAX_ENDPOINTS).default(1).meta({
      description: 'How many instances there are; instance i of `server` is `server.i`. Default: 1.',
    }),
    run: z.string().min(1).optional().meta({
      description:
        'Shell command of each replica in the local lab; $NETFOLD_REPLICA is its number. With `--engine`, `image` and `command` stand in its place. Default: none, the endpoint is idle.',
    }),
    restart: z.enum(RESTARTS).optional().meta({
      description:
        'When `run`, or the container, is started again after its end, while its endpoint is present: never, after an end with another code than 0 or by a signal, or after any end. Default: no.',
    }),
    ready: ready.optional(),
    after: z
      .union([z.string().min(1), z.array(z.string().min(1))])
      .transform((value) => (typeof value === 'string' ? [value] : value))
      .optional()
      .meta({
        description:
          'Services of which all endpoints that are present have to be ready before `run` is started. Default: none.',
        examples: ['db', ['db', 'cache']],
      }),
    env: z
      .record(z.string(), z.string())
      .optional()
      .meta({
        description:
          'Variables of its environment: names and texts, which no shell expands. Names that begin with NETFOLD_ are reserved. Default: those of `netfold up` alone.',
        examples: [{ PORT: '8080' }],
      }),
    cwd: z.string().min(1).optional().meta({
      description:
        'Folder in which its commands start in the local lab: a path from / on, or one below $NETFOLD_DATA, the folder of the endpoint, which `.` is. Default: where `netfold up` was called.',
    }),
    user: z
      .union([z.string().min(1), z.int().nonnegative()])
      .optional()
      .meta({
        description:
          'User as which its commands run, a name or a number: of the machine in the local lab; in a container of the image, also with a group (`1000:1000`). Default: root, or what the image says.',
      }),
    processes: z.int().min(16).max(4_194_304).optional().meta({
      description:
        'How many processes and threads each endpoint may have at a time; the kernel refuses more. Default: 4096.',
    }),
    descriptors: z.int().min(16).max(1_073_741_816).optional().meta({
      description:
        'How many files, sockets among them, each process may have open; the kernel refuses more. Default: 16384.',
    }),
    cap_add: z
      .array(z.string().min(1))
      .max(64)
      .optional()
      .meta({
        description:
          'Capabilities of Linux that its commands have besides the default ones, as in Docker Compose; ALL stands for all. Default: none.',
        examples: [['NET_ADMIN']],
      }),
    cap_drop: z
      .array(z.string().min(1))
      .max(64)
      .optional()
      .meta({
        description:
          'Capabilities of Linux that its commands do not have, as in Docker Compose; ALL stands for all. Default: none.',
        examples: [['NET_RAW'], ['ALL']],
      }),
    ...containerFields,
    tags,
    forward: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether paths between others may lead through it. Default: false.' }),
    share: z.boolean().default(false).meta({
      description: 'Whether all replicas share each link of the service. Default: false, a link per replica.',
    }),
    location,
  })
  .meta({ description: 'An application. Without settings it is written `name: {}`.' });

const reference = (what: string) =>
  z.string().meta({
    description: `${what}: a service (each of its replicas), a replica such as client.0, or a bridge.`,
  });

const weight = z.int().min(1).max(MAX_WEIGHT).meta({ description: 'Of this direction. Default: 1.' });

const link = z
  .strictObject({
    from: reference('Where the link starts'),
    to: reference('Where the link ends'),
    name: z.string().regex(new RegExp(NAME_PATTERN)).optional().meta({
      description:
        'Tells it from other links between the same two nodes: an event names it as `s1--s2:NAME`. Default: none.',
    }),
    ...impairment,
    up: ofDirection(bandwidth.directions.up),
    down: ofDirection(bandwidth.directions.down),
    oneway: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether there is no way back from `to` to `from`. Default: false.' }),
    queue,
    weight: z
      .union([weight, z.strictObject({ up: weight.default(1), down: weight.default(1) })])
      .optional()
      .meta({
        description:
          'What the link costs where `routing` is `weight`, of each direction or of both. Default: 1.',
        examples: [10, { up: 1, down: 10 }],
      }),
    relationship: z.enum(RELATIONSHIPS).optional().meta({
      description:
        'What `to` is for `from` where `routing` is `valley-free`: its customer, peer or provider. Default: both are of one system.',
    }),
    tags,
  })
  .meta({
    description:
      'A link in both directions, or in one if `oneway`. What it does to packets holds per direction; `up` and `down` say what only one does.',
  });

const bridgeSettings = z.strictObject({ tags, location });

export const topologySchema = z
  .strictObject({
    name: z
      .string()
      .regex(new RegExp(NAME_PATTERN))
      .optional()
      .meta({ description: 'Name of the experiment. Default: the name of the file.' }),
    routing: z.enum(ROUTINGS).default('latency').meta({
      description:
        'Which path is taken: that of least latency, fewest hops or least weight; or, valley-free, the one that systems with customers, peers and providers choose. Default: latency.',
    }),
    ecmp: z
      .int()
      .min(2)
      .max(MOST_LANES)
      .optional()
      .meta({
        description:
          'How many paths of equal cost a pair of endpoints may have: of equal latency over equally many links, of equally many links, or of equal weight, by what `routing` says. Flows are spread over them by addresses, protocol and ports. Default: one path.',
        examples: [4],
      }),
    transmission: z.enum(TRANSMISSIONS).optional().meta({
      description:
        'Which links of a path take time for the bytes of a packet, its size divided by their bandwidth: every link that has one, only the slowest, or none. Default: every link.',
    }),
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
    routes: z
      .array(z.string().meta({ pattern: ROUTE_PATTERN }))
      .default([])
      .meta({
        description:
          'Paths between services, node by node, instead of the shortest ones; `<>` for both directions. Default: none.',
        examples: [['client > s1 > s3 > server', 'a <> s2 <> b']],
      }),
    traces: z
      .record(
        z.string().regex(new RegExp(NAME_PATTERN)),
        quantity(parseTrace, { description: 'A trace.', pattern: TRACE_PATTERN }),
      )
      .optional()
      .meta({
        description:
          'Traces by name, which events give to links (`set a--b trace=night`) and links may have (`trace: night`). Default: none.',
        examples: [{ night: 'night.csv' }],
      }),
    events: z
      .array(z.string().meta({ pattern: EVENT_PATTERN }))
      .default([])
      .meta({
        description: 'The timeline, one event a line.',
        examples: [['at 30s set client--s1 latency=10ms']],
      }),
    sequences,
    expect: z
      .array(z.string().meta({ pattern: EXPECTATION_PATTERN }))
      .optional()
      .meta({
        description: 'What a run must satisfy, one expectation a line, for `netfold test`.',
        examples: [['rtt client server p99 < 50ms']],
      }),
    traffic: z
      .array(traffic)
      .optional()
      .meta({
        description: 'Traffic that netfold itself makes, or only reckons with. Default: none.',
        examples: [[{ from: 'client', to: 'server', rate: '2Mbps' }]],
      }),
  })
  .meta({ title: 'netfold topology', description: 'A network topology for netfold.' });

export type NativeFile = z.output<typeof topologySchema>;
export type NativeLink = NativeFile['links'][number];

/** The valid keys at each place of the file, for suggestions: `` (top), `services.*`, `links.*`, `bridges.*`. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': [...Object.keys(topologySchema.shape), ...LANGUAGE_KEYS],
  'services.*': Object.keys(service.shape),
  'services.*.ready': Object.keys(ready.shape),
  'services.*.resources': Object.keys(resources.shape),
  'services.*.healthcheck': Object.keys(healthcheck.shape),
  'sequences.*': Object.keys(sequence.shape),
  'links.*': [...Object.keys(link.shape), 'profile'],
  'links.*.up': Object.keys(directionSettings.shape),
  'links.*.down': Object.keys(directionSettings.shape),
  'links.*.queue': QUEUE_KEYS,
  'bridges.*': Object.keys(bridgeSettings.shape),
  'traffic.*': Object.keys(traffic.shape),
};
