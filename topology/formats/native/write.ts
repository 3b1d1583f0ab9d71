/** `Topology` → the text of a native file that gives the same topology, for `netfold convert`. */
import { FILE_PROPERTIES, type Impairment, impairment, isSameImpairment } from '../../../proto/impairment.ts';
import { ruleLines } from '../../../proto/rules.ts';
import {
  formatBps,
  formatContainerMemory,
  formatMicros,
  formatRatio,
  UNLIMITED,
} from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import { eventLine } from '../../events/write.ts';
import {
  type ContainerSettings,
  formatPort,
  formatVolume,
  type Healthcheck,
} from '../../model/container-settings.ts';
import type { TopologyEvent } from '../../model/events.ts';
import {
  type Bridge,
  type LinkPair,
  type Ready,
  reversed,
  type Service,
  type Topology,
} from '../../model/model.ts';
import { formatReference } from '../../model/names.ts';
import type { Sequence } from '../../model/sequences.ts';
import { isBursty, type Traffic, trafficLabel, usualProtocol } from '../../model/traffic.ts';

/** `heading`: lines of comments at the beginning, without the `#`. Events that no line says are left out: `unwritable` has them. */
export function nativeText(topology: Topology, heading: readonly string[] = []): string {
  const {
    name,
    routing,
    ecmp,
    transmission,
    services,
    bridges,
    links,
    routes = [],
    traces = {},
    events,
    sequences = [],
    traffic = [],
  } = topology;
  const lines = events.flatMap((event) => eventLine(event) ?? []);
  const counts = [
    count(services.length, 'service'),
    count(bridges.length, 'bridge'),
    count(links.length, 'link'),
  ];
  return [
    ...[...heading, `${counts.join(', ')}.`].map((line) => `# ${line}`),
    `name: ${scalar(name)}`,
    ...(routing === 'latency' ? [] : [`routing: ${routing}`]),
    ...(ecmp === undefined ? [] : [`ecmp: ${ecmp}`]),
    ...(transmission === undefined ? [] : [`transmission: ${scalar(transmission)}`]),
    'services:',
    ...services.map((service) => `  ${scalar(service.name)}: ${flow(serviceFields(service))}`),
    ...bridgeLines(bridges),
    ...(links.length === 0 ? [] : ['links:']),
    ...links.flatMap(linkLines),
    ...(routes.length === 0 ? [] : ['routes:']),
    ...routes.map(({ nodes }) => `  - ${nodes.join(' > ')}`),
    ...(Object.keys(traces).length === 0 ? [] : ['traces:']),
    ...Object.entries(traces).map(([one, text]) => `  ${scalar(one)}: ${quoted(text)}`),
    ...(lines.length === 0 ? [] : ['events:', ...lines.map((line) => `  - ${quoted(line)}`)]),
    ...(sequences.length === 0 ? [] : ['sequences:']),
    ...sequences.flatMap(sequenceLines),
    ...(traffic.length === 0 ? [] : ['traffic:']),
    ...traffic.map((one) => `  - ${flow(trafficFields(one))}`),
    '',
  ].join('\n');
}

/** Events that a topology file has no words for. */
export function unwritable({ events }: Pick<Topology, 'events'>): readonly TopologyEvent[] {
  return events.filter((event) => eventLine(event) === undefined);
}

/** What YAML 1.1 and 1.2 take for something else than a text, such as `no`, and what is no plain word, is quoted. */
const PLAIN = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z0-9_.-]*$/i;
const QUANTITY = /^\d+(?:\.\d+)?(?:us|ms|s|%|bps|Kbps|Mbps|Gbps|B| packets)$/;

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  return PLAIN.test(value) || QUANTITY.test(value) ? value : quoted(value);
}

/** JSON's texts are texts of YAML, but for characters that YAML wants escaped. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

type Fields = Readonly<Record<string, string | number | readonly string[]>>;
type Value = string | number | boolean | readonly (string | number)[] | Fields;
type Field = readonly [string, Value];

function flow(fields: readonly Field[]): string {
  if (fields.length === 0) return '{}';
  return `{ ${fields.map(([key, value]) => `${key}: ${valueText(value)}`).join(', ')} }`;
}

function valueText(value: Value): string {
  if (typeof value !== 'object') return scalar(value);
  if (Array.isArray(value)) return `[${value.map(scalar).join(', ')}]`;
  const entries = Object.entries(value).map(([key, one]) => `${scalar(key)}: ${innerText(one)}`);
  return `{ ${entries.join(', ')} }`;
}

function innerText(value: string | number | readonly string[]): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? quoted(value) : `[${value.map(quoted).join(', ')}]`;
}

function sequenceLines({ name, start, steps }: Sequence): string[] {
  const begins =
    'at' in start
      ? `at: ${formatMicros(start.at)}`
      : `after: ${start.after.name}${start.after.fails ? ' fails' : ''}`;
  return [
    `  ${scalar(name)}:`,
    `    ${begins}`,
    '    steps:',
    ...steps.map(({ line }) => `      - ${quoted(line)}`),
  ];
}

function trafficFields(one: Traffic): Field[] {
  const { from, to, kind, protocol, rate, size, on, off, shape, interval, trace, flows, start, stop } = one;
  const { count: copies, seed, simulated } = one;
  const label = trafficLabel(one);
  const hasOff = isBursty(kind) || kind === 'ftp' || kind === 'web';
  const hasSize = kind !== 'greedy' && kind !== 'web' && kind !== 'trace' && kind !== 'flows';
  const fields: [string, Value | undefined | false][] = [
    ['from', formatReference(from)],
    ['to', formatReference(to)],
    ['name', one.name !== label && one.name],
    ['kind', kind],
    ['protocol', protocol !== usualProtocol(kind) && protocol],
    ['rate', rate !== undefined && formatBps(rate)],
    ['size', hasSize && `${size}B`],
    ['on', isBursty(kind) && formatMicros(on)],
    ['off', hasOff && formatMicros(off)],
    ['shape', kind === 'pareto' && shape],
    ['interval', interval !== undefined && formatMicros(interval)],
    ['trace', trace],
    ['flows', flows],
    // Also where an event of the file starts it, which says the same.
    ['start', start > 0 && (Number.isFinite(start) ? formatMicros(start) : 'never')],
    ['stop', stop !== undefined && formatMicros(stop)],
    ['count', copies > 1 && copies],
    ['seed', seed !== 1 && seed],
    ['simulated', simulated],
  ];
  return fields.filter((field): field is [string, Value] => field[1] !== undefined && field[1] !== false);
}

function serviceFields(service: Service): Field[] {
  const fields: [string, Value | undefined | false][] = [
    ['replicas', service.replicas > 1 && service.replicas],
    ['run', service.run],
    ['restart', service.restart],
    ['ready', service.ready && readyFields(service.ready)],
    ['after', service.after],
    ['env', service.env],
    ['cwd', service.cwd?.path],
    ['user', service.user?.name],
    ['processes', service.processes],
    ['descriptors', service.descriptors],
    ['cap_add', service.capAdd],
    ['cap_drop', service.capDrop],
    ['image', service.image],
    ['command', service.command],
    ...containerFields(service.container ?? {}),
    ['tags', service.tags.length > 0 && service.tags],
    ['location', service.location ?? false],
    ['forward', service.forward],
    ['share', service.shareLinks],
  ];
  return fields.filter((field): field is [string, Value] => field[1] !== undefined && field[1] !== false);
}

function containerFields(container: ContainerSettings): [string, Value | undefined][] {
  const { entrypoint, workingDir, volumes, ports, cpus, memory, healthcheck } = container;
  const resources = {
    ...(cpus !== undefined && { cpu: cpus }),
    ...(memory !== undefined && { memory: formatContainerMemory(memory) }),
  };
  return [
    ['entrypoint', entrypoint],
    ['working_dir', workingDir],
    ['volumes', volumes?.map(formatVolume)],
    ['ports', ports?.map(formatPort)],
    ['resources', Object.keys(resources).length > 0 ? resources : undefined],
    ['healthcheck', healthcheck && healthFields(healthcheck)],
  ];
}

function healthFields({ test, interval, timeout, startPeriod, retries }: Healthcheck): Fields {
  return {
    ...(test && { test }),
    ...(interval !== undefined && { interval: formatMicros(interval) }),
    ...(timeout !== undefined && { timeout: formatMicros(timeout) }),
    ...(startPeriod !== undefined && { start_period: formatMicros(startPeriod) }),
    ...(retries !== undefined && { retries }),
  };
}

function readyFields({ check, timeout }: Ready): Record<string, string | number> {
  const value = check.kind === 'command' ? check.command : check.kind === 'port' ? check.port : check.text;
  return { [check.kind]: value, timeout: formatMicros(timeout) };
}

function bridgeLines(bridges: readonly Bridge[]): string[] {
  if (bridges.length === 0) return [];
  if (bridges.every(({ tags, location }) => tags.length === 0 && !location))
    return ['bridges:', ...bridges.map(({ name }) => `  - ${scalar(name)}`)];
  return [
    'bridges:',
    ...bridges.map(({ name, tags, location }) => {
      const fields: Field[] = [
        ...(tags.length > 0 ? [['tags', tags] as const] : []),
        ...(location ? [['location', location] as const] : []),
      ];
      return `  ${scalar(name)}: ${flow(fields)}`;
    }),
  ];
}

/** One line; two one-way links if the directions differ in more than bandwidth. */
function linkLines({ from, to, name, up, down, weights, relationship, tags }: LinkPair): string[] {
  const line = (a: string, b: string, fields: readonly Field[]): string => {
    const seen = relationship && a === to ? reversed(relationship) : relationship;
    const all: Field[] = [
      ['from', a],
      ['to', b],
    ];
    if (name !== undefined) all.push(['name', name]);
    all.push(...fields);
    if (seen) all.push(['relationship', seen]);
    return `  - ${flow(tags.length > 0 ? [...all, ['tags', tags]] : all)}`;
  };
  const weight = (of: number | undefined): Field[] => (of === undefined || of === 1 ? [] : [['weight', of]]);
  const oneWay = (of: Impairment, weighs: number | undefined): Field[] => [
    ...properties(of),
    ...rate('bandwidth', of),
    ...weight(weighs),
    ['oneway', true],
  ];
  if (!down) return [line(from, to, oneWay(up, weights?.up))];
  if (!isSameImpairment(withoutRate(up), withoutRate(down)) || weights?.up !== weights?.down)
    return [line(from, to, oneWay(up, weights?.up)), line(to, from, oneWay(down, weights?.down))];
  const rates =
    up.bandwidth === down.bandwidth ? rate('bandwidth', up) : [...rate('up', up), ...rate('down', down)];
  return [line(from, to, [...properties(up), ...rates, ...weight(weights?.up)])];
}

const withoutRate = (of: Impairment): Impairment => impairment({ ...of, bandwidth: UNLIMITED });

function rate(key: string, { bandwidth }: Impairment): Field[] {
  return Number.isFinite(bandwidth) ? [[key, formatBps(bandwidth)]] : [];
}

/** All but the bandwidth; those that have their default are left out. */
function properties(of: Impairment): Field[] {
  return FILE_PROPERTIES.flatMap(({ name, file }): Field[] => {
    switch (name) {
      case 'latency':
      case 'jitter':
        return of[name] === 0 ? [] : [[file.key, formatMicros(of[name])]];
      case 'loss':
        return of.loss === 0 ? [] : [[file.key, formatRatio(of.loss)]];
      case 'distribution':
        return of.distribution === undefined || of.distribution === 'normal'
          ? []
          : [[file.key, of.distribution]];
      case 'duplicate':
      case 'corrupt':
      case 'reorder':
      case 'jitterCorrelation': {
        const value = of[name];
        return value === undefined ? [] : [[file.key, formatRatio(value)]];
      }
      case 'mtu':
        return of.mtu === undefined ? [] : [[file.key, of.mtu]];
      case 'reorderDistance':
        return of.reorderDistance === undefined ? [] : [[file.key, `${of.reorderDistance} packets`]];
      case 'rules':
        return of.rules === undefined ? [] : [[file.key, ruleLines(of.rules)]];
      case 'quantiles':
      case 'lossModel':
      case 'slots':
      case 'overhead':
      case 'trace':
      case 'aqm': {
        const value = of[name];
        return value === undefined ? [] : [[file.key, value]];
      }
      case 'queuePackets':
        return queue(of);
      default:
        return [];
    }
  });
}

function queue({ queuePackets, queueBytes, queueTime }: Impairment): Field[] {
  if (queuePackets !== undefined) return [['queue', `${queuePackets} packets`]];
  if (queueBytes !== undefined) return [['queue', `${queueBytes}B`]];
  return queueTime === undefined ? [] : [['queue', formatMicros(queueTime)]];
}
