/** `traffic:` of a file: its schema, and how it becomes `Traffic`. */
import { z } from 'zod';
import {
  BANDWIDTH_PATTERN,
  BYTES_PATTERN,
  DURATION_PATTERN,
  fromMillis,
  fromSeconds,
  micros,
  parseBandwidth,
  parseBytes,
  parseDuration,
} from '../../../proto/units.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { EventAction } from '../../model/events.ts';
import type { Bridge, Service } from '../../model/model.ts';
import { NAME_PATTERN, parseReference, suggest } from '../../model/names.ts';
import {
  datagramsOf,
  FLOW_TRACE_PATTERN,
  PACKET_TRACE_PATTERN,
  readFlowTrace,
  readPacketTrace,
} from '../../model/packet-trace.ts';
import type { Position } from '../../model/position.ts';
import {
  FTP,
  hasRate,
  isBursty,
  isConversation,
  MAX_FLOW_DATAGRAMS,
  MAX_REAL_SOURCES,
  MAX_TRAFFIC_SOURCES,
  NEVER,
  PROTOCOLS,
  type Protocol,
  sourcesOf,
  TRAFFIC_KINDS,
  type Traffic,
  type TrafficKind,
  trafficLabel,
  usualProtocol,
  WEB,
} from '../../model/traffic.ts';
import { quantity } from './quantity.ts';
import type { NativeDocument } from './yaml/placed.ts';

/** An event starts it, or nothing does. */
const NEVER_WORD = 'never';

const time = (description: string) =>
  quantity(parseDuration, { description, pattern: DURATION_PATTERN, examples: ['10s'] }).optional();

const node = (what: string) =>
  z
    .string()
    .min(1)
    .meta({ description: `${what}: an endpoint, or a service; simulated, also a bridge.` });

export const traffic = z
  .strictObject({
    from: node('Who sends; of kind web, who asks'),
    to: node('Who receives: of a service, the replica with the number of the sender'),
    name: z
      .string()
      .regex(new RegExp(NAME_PATTERN))
      .optional()
      .meta({ description: 'Of its statistics, and for events: start NAME, stop NAME. Default: FROM>TO.' }),
    kind: z.enum(TRAFFIC_KINDS).optional().meta({
      description:
        'A constant rate; bursts with exponential or Pareto times; keys of telnet; a trace of packets, or of flows; or TCP: a connection that always has something to send, files of ftp, pages of web. Default: constant with a rate, trace with a trace, flows with flows, else greedy.',
    }),
    protocol: z
      .enum(PROTOCOLS)
      .optional()
      .meta({ description: 'Default: udp; tcp for telnet and flows. greedy, ftp and web are tcp.' }),
    rate: quantity(parseBandwidth, {
      description: 'While it sends, of frames as links count them: of kinds constant, exponential, pareto.',
      pattern: BANDWIDTH_PATTERN,
      examples: ['2Mbps'],
    }).optional(),
    size: quantity(parseBytes, {
      description:
        'Of a message; of UDP, 24B to 1472B. Default: 1000B, 1B for telnet. Of ftp, the mean size of files. Default: 2000000B.',
      pattern: BYTES_PATTERN,
      examples: ['1000B'],
    }).optional(),
    on: time('Mean time of a burst. Default: 500ms.'),
    off: time(
      'Mean time between bursts, between files of ftp, or between pages of web. Default: 500ms, 3m, 30s.',
    ),
    shape: z
      .number()
      .gt(1)
      .max(100)
      .optional()
      .meta({ description: 'Of the Pareto distribution of times. Default: 1.5.' }),
    interval: time(
      'Of telnet: mean time between messages, exponential. Default: the distribution of tcplib.',
    ),
    trace: z
      .string()
      .optional()
      .meta({
        description: `A file of CSV with the columns time and size, of pcap or pcapng; or what it becomes when the file is expanded (${PACKET_TRACE_PATTERN}…).`,
        examples: ['packets.csv'],
      }),
    flows: z
      .string()
      .optional()
      .meta({
        description: `A file of CSV with the columns time, from, to and bytes, one flow a row, instead of from and to; or what of it goes from one to the other when the file is expanded (${FLOW_TRACE_PATTERN}…).`,
        examples: ['flows.csv'],
      }),
    start: quantity((text) => (text.trim() === NEVER_WORD ? NEVER : parseDuration(text)), {
      description:
        'When it begins; never: with an event or a command. Default: 0s; with an event if one of the file starts it.',
      pattern: String.raw`^\s*never\s*$|${DURATION_PATTERN}`,
      examples: ['10s'],
    }).optional(),
    stop: time('When it ends. Default: never.'),
    count: z.int().min(1).max(100_000).default(1).meta({ description: 'So many of the same. Default: 1.' }),
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(1)
      .meta({ description: 'Of all that is drawn, which is the same in each run. Default: 1.' }),
    simulated: z.boolean().default(false).meta({
      description:
        'Whether it only takes its shares of links, as real traffic of this rate would, and sends no packet. Default: false.',
    }),
  })
  .meta({ description: 'Traffic that netfold itself makes.' });

export type NativeTraffic = z.output<typeof traffic>;

interface Nodes {
  readonly services: readonly Service[];
  readonly bridges: readonly Bridge[];
}

/** Entries that are wrong are left out, and told. `actions`: of all events and steps, which may start entries. */
export function readTraffic(
  entries: readonly NativeTraffic[],
  { services, bridges }: Nodes,
  actions: Iterable<EventAction>,
  document: NativeDocument,
  positionOf: (index: number) => Position,
  findings: Findings,
): Traffic[] {
  const replicas = new Map(services.map((service) => [service.name, service.replicas]));
  const known = { replicas, bridges: new Set(bridges.map(({ name }) => name)), started: started(actions) };
  const found = entries.flatMap((entry, index) => {
    const complain: Complain = (key, message, remedy, code = 'VALUE_INVALID') => {
      const path = ['traffic', index, ...(key === '' ? [] : [key])] as const;
      findings.error(code, document.at(path), document.field(path), message, remedy);
      return undefined;
    };
    return readOne(entry, positionOf(index), known, complain) ?? [];
  });
  refuseTooMany(found, replicas, document, findings);
  return found;
}

/** Names of what begins with an event. */
function started(actions: Iterable<EventAction>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const action of actions)
    if (action.verb === 'start') for (const { name } of action.traffic) names.add(name);
  return names;
}

interface Known {
  readonly replicas: ReadonlyMap<string, number>;
  readonly bridges: ReadonlySet<string>;
  readonly started: ReadonlySet<string>;
}

function readOne(
  entry: NativeTraffic,
  position: Position,
  known: Known,
  complain: Complain,
): Traffic | undefined {
  const ends = [end(entry, 'from', known, complain), end(entry, 'to', known, complain)] as const;
  if (!ends[0] || !ends[1]) return undefined;
  const [from, to] = ends;
  if (from.name === to.name && (from.replica ?? 0) === (to.replica ?? 0))
    return complain('to', 'traffic to itself crosses no link', 'name another node');
  if (entry.trace !== undefined && !readPacketTrace(entry.trace))
    return complain(
      'trace',
      'this is no trace of packets',
      'write the name of a file of CSV with the columns time and size',
    );
  if (entry.flows !== undefined && !readFlowTrace(entry.flows))
    return complain(
      'flows',
      'this is no trace of flows',
      'write the name of a file of CSV with the columns time, from, to and bytes',
    );
  const name = entry.name ?? trafficLabel({ from, to });
  const isStarted = known.started.has(name) || known.started.has('*');
  return completed(entry, { from, to, name, isStarted, position }, complain);
}

function end(entry: NativeTraffic, key: 'from' | 'to', { replicas, bridges }: Known, complain: Complain) {
  const text = entry[key];
  const reference = parseReference(text);
  const count = reference && replicas.get(reference.name);
  if (reference && count !== undefined && (reference.replica ?? 0) < count) return reference;
  if (reference?.replica === undefined && bridges.has(text)) {
    if (entry.simulated) return reference;
    return complain(
      key,
      `${quote(text)} is a bridge, which sends nothing`,
      'name an endpoint, or write simulated: true',
    );
  }
  const remedy = suggest(text, [...replicas.keys(), ...bridges], 'name an endpoint, e.g. client.0');
  return complain(key, `there is no ${quote(text)}`, remedy, 'NAME_UNKNOWN');
}

function refuseTooMany(
  traffic: readonly Traffic[],
  replicas: ReadonlyMap<string, number>,
  document: NativeDocument,
  findings: Findings,
): void {
  const countOf = (some: readonly Traffic[]): number =>
    some.reduce((sum, one) => sum + sourcesOf(one, replicas), 0);
  const [all, real] = [countOf(traffic), countOf(traffic.filter(({ simulated }) => !simulated))];
  const datagrams = traffic.reduce((sum, { flows, protocol }) => {
    const trace = flows !== undefined && protocol === 'udp' ? readFlowTrace(flows) : undefined;
    return sum + (trace ? datagramsOf(trace) : 0);
  }, 0);
  const refuse = (message: string, remedy: string): void =>
    findings.error('LIMIT', document.at(['traffic']), 'traffic', message, remedy);
  const fewer = 'write fewer of a higher rate';
  if (real > MAX_REAL_SOURCES)
    refuse(`there are ${real} sources of traffic that send packets, more than ${MAX_REAL_SOURCES}`, fewer);
  else if (all > MAX_TRAFFIC_SOURCES)
    refuse(`there are ${all} sources of traffic, more than ${MAX_TRAFFIC_SOURCES}`, fewer);
  if (datagrams > MAX_FLOW_DATAGRAMS)
    refuse(`the flows of UDP have ${datagrams} datagrams, more than ${MAX_FLOW_DATAGRAMS}`, 'cut their file');
}

type Complain = (
  key: string,
  message: string,
  remedy: string,
  code?: 'VALUE_INVALID' | 'NAME_UNKNOWN',
) => undefined;

const DATAGRAM = { least: 24, most: 1472 } as const;
const MESSAGE = { least: 1, most: 65_536, usual: 1000, key: 1 } as const;
const FILE = { least: 1, most: 1_000_000_000 } as const;
const BURST = fromMillis(500);
const SHAPE = 1.5;

/** What each key is for; others are for all kinds. */
const KEYS: Readonly<Record<string, (kind: TrafficKind) => boolean>> = {
  on: isBursty,
  off: (kind) => isBursty(kind) || kind === 'ftp' || kind === 'web',
  shape: (kind) => kind === 'pareto',
  interval: (kind) => kind === 'telnet',
  trace: (kind) => kind === 'trace',
  flows: (kind) => kind === 'flows',
  size: (kind) => kind !== 'web' && kind !== 'trace' && kind !== 'flows',
};

/** An entry with its defaults; `undefined`: it is wrong, which was told. */
function completed(
  entry: NativeTraffic,
  {
    isStarted,
    ...rest
  }: Pick<Traffic, 'from' | 'to' | 'name' | 'position'> & { readonly isStarted: boolean },
  complain: Complain,
): Traffic | undefined {
  const { rate, simulated, trace, flows, interval, stop, count, seed } = entry;
  const kind = entry.kind ?? kindOf(entry);
  if (isWrong(entry, kind, complain)) return undefined;
  const { protocol = usualProtocol(kind) } = entry;
  if (protocol === 'udp' && isConversation(kind))
    return complain('protocol', `${kind} traffic is TCP`, 'remove it');
  const { size = usualSize(kind, protocol) } = entry;
  const { least, most } = kind === 'ftp' ? FILE : protocol === 'tcp' ? MESSAGE : DATAGRAM;
  if (size < least || size > most)
    return complain(
      'size',
      `${size} bytes are no ${kind === 'ftp' ? 'file' : protocol === 'tcp' ? 'message' : 'datagram'}`,
      `write ${least}B to ${most}B`,
    );
  const { start = isStarted ? NEVER : micros(0) } = entry;
  if (stop !== undefined && stop <= start && Number.isFinite(start))
    return complain('stop', 'it ends before it begins', 'write a later time');
  if (entry.on === 0) return complain('on', 'a burst of no time', 'write e.g. on: 500ms');
  return {
    ...rest,
    ...{ kind, size, start, count, seed, simulated, protocol },
    ...(rate !== undefined && { rate }),
    ...(interval !== undefined && { interval }),
    ...(trace !== undefined && { trace }),
    ...(flows !== undefined && { flows }),
    ...(stop !== undefined && { stop }),
    on: entry.on ?? BURST,
    off: entry.off ?? usualPause(kind),
    shape: entry.shape ?? SHAPE,
  };
}

function kindOf({ rate, trace, flows }: NativeTraffic): TrafficKind {
  if (trace !== undefined) return 'trace';
  if (flows !== undefined) return 'flows';
  return rate === undefined ? 'greedy' : 'constant';
}

/** Whether something is wrong with the keys of its kind, which is told. */
function isWrong(entry: NativeTraffic, kind: TrafficKind, complain: Complain): boolean {
  const { rate, trace, flows, simulated } = entry;
  if (!hasRate(kind) && rate !== undefined) {
    const takes = kind === 'greedy' ? 'takes what it can get' : 'has no rate of its own';
    complain('rate', `${kind} traffic ${takes}`, 'remove the rate, or write kind: constant');
    return true;
  }
  if (hasRate(kind) && rate === undefined) {
    complain('kind', `${kind} traffic has a rate`, 'add e.g. rate: 2Mbps');
    return true;
  }
  if (kind === 'trace' && trace === undefined) {
    complain('kind', 'trace traffic plays a file', 'add e.g. trace: packets.csv');
    return true;
  }
  if (kind === 'flows' && flows === undefined) {
    complain('kind', 'flows are those of a file', 'add e.g. flows: flows.csv, without from and to');
    return true;
  }
  if (simulated && kind !== 'constant' && kind !== 'greedy') {
    complain(
      'kind',
      `${kind} traffic can't be simulated`,
      'write kind: constant or greedy, or simulated: false',
    );
    return true;
  }
  for (const [key, isFor] of Object.entries(KEYS)) {
    if (entry[key as keyof NativeTraffic] === undefined || isFor(kind)) continue;
    complain(key, `${kind} traffic has no ${key}`, 'remove it, or write another kind');
    return true;
  }
  return false;
}

function usualSize(kind: TrafficKind, protocol: Protocol): number {
  if (kind === 'ftp') return FTP.meanBytes;
  if (kind !== 'telnet') return MESSAGE.usual;
  return protocol === 'udp' ? DATAGRAM.least : MESSAGE.key;
}

function usualPause(kind: TrafficKind) {
  if (kind === 'ftp') return fromSeconds(FTP.pauseSeconds);
  return kind === 'web' ? fromSeconds(WEB.pauseSeconds) : BURST;
}
