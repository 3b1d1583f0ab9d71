/**
 * The published JSON Schema: what a user may write, which is more than what is left when variables, ranges and the like are
 * expanded (expand/expand.ts).
 */
import { z } from 'zod';
import { DISTRIBUTIONS } from '../../../proto/impairment.ts';
import { MATRIX_KEYS } from './expand/matrix.ts';
import { PROFILES } from './expand/profiles.ts';
import { topologySchema } from './schema.ts';

type Json = Record<string, unknown>;

/** Where a variable stands, any text does. */
const VARIABLE = String.raw`\$\{[^{}]*\}`;
const RANGE = String.raw`\[(?:[A-Za-z_]\w*=)?\d+\.\.\d+\]`;
const withVariable = { type: 'string', pattern: VARIABLE };

/** As text. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(topologySchema, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ $id: 'netfold.schema.json', ...authorSchema(schema) }, null, 2)}\n`;
}

/** `schema`: of the expanded file. */
function authorSchema(schema: object): object {
  const author = opened(structuredClone(schema)) as Json;
  const properties = author.properties as Json;
  const link = (properties.links as Json).items as Json;
  const service = (properties.services as Json).additionalProperties as Json;
  const bridge = bridgeOf(properties.bridges as Json);
  const linkFields = link.properties as Json;
  for (const fields of [linkFields, ...directionsOf(linkFields)])
    Object.assign(fields, { distribution: DISTRIBUTION, trace: TRACE });
  (properties.traces as Json).additionalProperties = TRACE;
  linkFields.profile = PROFILE;
  (service.properties as Json).location = LOCATION;
  (bridge.properties as Json).location = LOCATION;
  const { from: _from, to: _to, name: _name, profile: _profile, ...defaults } = linkFields;
  const fields = { type: 'object', properties: defaults, additionalProperties: false };
  Object.assign(properties, languageOf(fields, service));
  const traffic = (properties.traffic as Json).items as Json;
  const ofTraffic = traffic.properties as Json;
  ofTraffic.trace = packetTrace(ofTraffic.trace as Json);
  ofTraffic.ends = ENDS;
  // The rows of a file of flows have both ends.
  Object.assign(traffic, {
    required: undefined,
    anyOf: [{ required: ['from', 'to'] }, { required: ['flows'] }],
  });
  author.required = undefined;
  return JSON.parse(JSON.stringify(author)) as object;
}

/** A file by its name, or one direction of a capture. */
function packetTrace({ description, examples, ...text }: Json): Json {
  const address = (what: string): Json => ({
    type: 'string',
    description: `${what}. Default: as in the first packet.`,
  });
  return {
    description,
    examples: [...(examples as unknown[]), { file: 'call.pcap', from: '10.0.0.1', to: '10.0.0.2' }],
    anyOf: [
      text,
      {
        type: 'object',
        properties: {
          file: { type: 'string', description: 'Of pcap or pcapng.' },
          from: address('Address of the sender'),
          to: address('Address of the receiver'),
          port: { type: 'integer', description: 'Of UDP or TCP, at either end. Default: any.' },
        },
        required: ['file'],
        additionalProperties: false,
      },
    ],
  };
}

const ENDS = {
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'With flows: the endpoint of each address in the file. Default: its rows name endpoints.',
  examples: [{ '10.0.0.1': 'client.0', '10.0.0.2': 'server' }],
};

/** What only one direction has. */
function directionsOf(link: Json): Json[] {
  return ['up', 'down'].map((key) => {
    const mapping = ((link[key] as Json).anyOf as Json[]).find((one) => one.type === 'object')!;
    return mapping.properties as Json;
  });
}

const DISTRIBUTION = {
  anyOf: [{ enum: DISTRIBUTIONS }, { type: 'string', pattern: String.raw`\.\w{1,8}$` }, withVariable],
  description:
    'Shape of the jitter, whose standard deviation is `jitter` in each case: one of these, or a file of samples (.dist of netem, or one a line). Default: normal.',
  examples: ['pareto', 'delays.csv'],
};

const TRACE = {
  anyOf: [
    { type: 'string' },
    {
      type: 'object',
      properties: {
        file: { type: 'string', description: 'Of Mahimahi, CSV, or a capture.' },
        loop: {
          anyOf: [{ type: 'boolean' }, withVariable],
          description: 'Whether it begins again at its end. Default: true.',
        },
        phase: {
          type: 'string',
          description:
            'Where in it the experiment begins: a time, or seed, which the names of the link decide. Default: 0s.',
        },
        from: { type: 'string', description: 'Of a capture: the sender. Default: as in its first packet.' },
        to: { type: 'string', description: 'Of a capture: the receiver. Default: as in its first packet.' },
        port: {
          type: 'integer',
          description: 'Of a capture: of UDP or TCP, at either end. Default: any.',
        },
      },
      required: ['file'],
      additionalProperties: false,
    },
  ],
  description:
    'How rate, latency and loss change over time, instead of those of the link: a file of Mahimahi, CSV with time and some of rate, latency, loss, or a capture (pcap, pcapng), whose rate it then has. Default: they do not.',
  examples: ['lte.down', { file: 'leo.csv', loop: false, phase: '3s' }],
};

const PROFILE = {
  type: 'string',
  description: `What kind of link it is; \`from\` is the subscriber's end. Of the file's \`profiles\`, or ${Object.keys(PROFILES).join(', ')}. Default: none.`,
  examples: Object.keys(PROFILES),
};

const LOCATION = {
  type: 'array',
  items: { anyOf: [{ type: 'number' }, withVariable] },
  minItems: 2,
  maxItems: 2,
  description:
    'Latitude and longitude in degrees. A link between two places has the latency of their distance, unless it says another.',
  examples: [[46.95, 7.45]],
};

const table = (what: string, example: string): Json => ({
  anyOf: [
    { type: 'string' },
    { type: 'object', additionalProperties: { type: 'object', additionalProperties: { type: 'string' } } },
  ],
  description: `${what}: a mapping of mappings, CSV over several lines, the name of a .csv or .json file, or one value for all.`,
  examples: [example],
});

const MATRIX_FIELDS: Readonly<Record<string, Json>> = {
  groups: {
    type: 'object',
    additionalProperties: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    description: 'Group → its services. Default: each name of the table is a service.',
    examples: [{ eu: ['web', 'db'], us: 'cache' }],
  },
  rtt: table('Round-trip times, half of each one way', 'regions.csv'),
  latency: table('Latencies one way, instead of `rtt`', 'oneway.csv'),
  jitter: table('Jitter one way', '1ms'),
  loss: table('Loss one way', '0.1%'),
  bandwidth: table('Bandwidth from one group to the other, for all of their members together', '1Gbps'),
};

function lansOf(fields: Json): Json {
  const { properties } = fields as { properties: Json };
  const leg = { type: 'object', properties, additionalProperties: false };
  return {
    type: 'object',
    additionalProperties: {
      ...leg,
      properties: {
        members: {
          anyOf: [
            { type: 'array', items: { type: 'string' } },
            { type: 'object', additionalProperties: { anyOf: [leg, { type: 'null' }] } },
          ],
          description: 'Services and bridges: a list, or each with what its leg has instead.',
          examples: [['a', 'b'], { a: {}, b: { bandwidth: '10Mbps' } }],
        },
        ...properties,
      },
      required: ['members'],
      description:
        'A bridge with a link to each member. Half of its latency is on each leg, and its loss is that of two legs.',
    },
    description: 'Local networks by name: services that reach each other by one bridge. Default: none.',
    examples: [{ office: { members: ['a', 'b'], latency: '1ms', bandwidth: '100Mbps' } }],
  };
}

function languageOf(fields: Json, service: Json): Json {
  return {
    include: {
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      description: 'Other files that belong to this one, relative to it. Default: none.',
      examples: [['racks.yaml']],
    },
    vars: {
      type: 'object',
      propertyNames: { pattern: String.raw`^[A-Za-z_]\w*$` },
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      description: 'Variables, which texts have as `${name}`, and `--set name=value` changes. Default: none.',
      examples: [{ delay: '20ms', racks: 4 }],
    },
    defaults: {
      type: 'object',
      properties: {
        link: { ...fields, description: 'What links have that do not say it themselves. Default: nothing.' },
        service: {
          ...service,
          description: 'What services have that do not say it themselves. Default: nothing.',
        },
      },
      additionalProperties: false,
      description: 'What each entry has that does not say it itself. Default: nothing.',
      examples: [{ link: { bandwidth: '1Gbps' } }],
    },
    profiles: {
      type: 'object',
      additionalProperties: fields,
      description: 'Kinds of links, for `profile`. Default: the built-in ones alone.',
      examples: [{ office: { latency: '2ms', bandwidth: '1Gbps' } }],
    },
    distance: {
      type: 'object',
      properties: {
        factor: {
          type: 'number',
          minimum: 1,
          maximum: 100,
          description: 'How many times the distance a cable is long. Default: as ITU-T G.826 has it.',
        },
      },
      additionalProperties: false,
      description: 'How latency follows from `location`: 5 µs for each kilometre of cable.',
    },
    matrix: {
      type: 'object',
      properties: Object.fromEntries(MATRIX_KEYS.map((key) => [key, MATRIX_FIELDS[key]])),
      additionalProperties: false,
      description: 'Links among groups of services, each with each. Default: none.',
    },
    lans: lansOf(fields),
  };
}

function bridgeOf(bridges: Json): Json {
  const mapping = (bridges.anyOf as Json[]).find((one) => one.type === 'object')!;
  return mapping.additionalProperties as Json;
}

/** With variables wherever a value stands, and ranges in names. */
function opened(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(opened);
  if (typeof node !== 'object' || node === null) return node;
  const { description, examples, default: standard, ...rest } = node as Json;
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, opened(value)]));
  const about = {
    ...(description !== undefined && { description }),
    ...(examples !== undefined && { examples }),
    ...(standard !== undefined && { default: standard }),
  };
  const { type } = rest;
  if (typeof rest.pattern === 'string')
    return { ...about, ...inner, pattern: `(?:${rest.pattern})|${VARIABLE}|${RANGE}` };
  if (type === 'integer' || type === 'boolean' || Array.isArray(rest.enum))
    return { ...about, anyOf: [inner, withVariable] };
  return { ...about, ...inner };
}
