/**
 * The properties of a link or a path: `PROPERTIES` declares each once: its syntax in the file, its fold from links to a path,
 * its possible changes by events, its encoding. impairment.ts makes types, folding, equality and encoding of it.
 *
 * latency = Σ latency; jitter = √Σ jitter²; loss = 1 − Π(1 − loss); bandwidth = min bandwidth (Gouveia et al.,
 * "Kollaps", EuroSys 2020; Amaro's thesis, 2021, section 3.1.6). Jitter of a single link keeps its distribution; that
 * of several is taken as normal, which sums of independent delays approach (central limit theorem). docs/impairments.md has
 * the rules for the others.
 */

import {
  anyOf,
  anyOfAndOtherModels,
  bandwidthOfSlowest,
  bytesOfShortest,
  byteTimes,
  greatest,
  longestByteTime,
  longestSlots,
  none,
  ofTheOnly,
  ofTheSlowest,
  packetsOfShortest,
  rootOfSquares,
  sum,
  worstModel,
} from './folds.ts';
import {
  DISTANCE_PATTERN,
  formatDistance,
  LOSS_MODEL_EXAMPLES,
  LOSS_MODEL_PATTERN,
  parseDistance,
  parseLossModel,
  parseQuantiles,
  parseSlots,
  QUANTILES_PATTERN,
  SLOT_PATTERN,
} from './models.ts';
import {
  choiceChange,
  FRAME_PROPERTIES,
  PART_CHANGE,
  type Property,
  parseTraceName,
  RATE_CHANGE,
  RATE_ENCODING,
  RULE_PROPERTIES,
  TIME,
  TIME_CHANGE,
  textChange,
  valueChange,
} from './property.ts';
import { AQM_EXAMPLES, AQM_PATTERN, parseAqm } from './queue.ts';
import { parseTrace, TRACE_PATTERN, traceHead } from './trace.ts';
import {
  BANDWIDTH_PATTERN,
  formatRatio,
  fromMillis,
  type Micros,
  micros,
  type NanosPerByte,
  nanosPerByte,
  PERCENTAGE_PATTERN,
  parseBandwidth,
  parsePercentage,
  type Ratio,
  ratio,
  toMillis,
  UNLIMITED,
} from './units.ts';

/** The possible distributions of jitter; its value is the standard deviation for each of them. */
export const DISTRIBUTIONS = ['normal', 'uniform', 'pareto'] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];

const TIME_UNITS = 'with its unit: us, ms or s; at most 10 minutes. Default: none (0ms).';
const RATE_UNITS =
  'with its unit: bps, Kbps, Mbps or Gbps (decimal); Ethernet frames without preamble and FCS. Default: no limit.';
const PART = { kind: 'quantity', parse: parsePercentage, pattern: PERCENTAGE_PATTERN } as const;
const RATIO_ENCODING = { encode: (value: Ratio): number => value, decode: ratio } as const;
const inMillis = (time: Micros): number => toMillis(time);
const same = <T>(value: T): T => value;

/** In the order in which they are written and printed. */
export const PROPERTIES = {
  latency: {
    isOptional: false,
    default: micros(0),
    fold: sum,
    concerns: 'packets',
    file: { ...TIME, key: 'latency', description: `Delay of each direction, ${TIME_UNITS}`, example: '10ms' },
    change: TIME_CHANGE,
    encoding: { key: 'latencyMs', encode: inMillis, decode: fromMillis },
  },
  /** Standard deviation of the latency. */
  jitter: {
    isOptional: false,
    default: micros(0),
    fold: rootOfSquares,
    concerns: 'packets',
    file: {
      ...TIME,
      key: 'jitter',
      description: `Standard deviation of the delay, ${TIME_UNITS}`,
      example: '1ms',
    },
    change: TIME_CHANGE,
    encoding: { key: 'jitterMs', encode: inMillis, decode: fromMillis },
  },
  /** Shape of the jitter; absent: normal. */
  distribution: {
    isOptional: true,
    default: 'normal',
    fold: ofTheOnly('jitter'),
    concerns: 'packets',
    file: {
      kind: 'choice',
      key: 'distribution',
      choices: DISTRIBUTIONS,
      description: 'Shape of the jitter, whose standard deviation is `jitter` in each case. Default: normal.',
    },
    change: choiceChange(DISTRIBUTIONS, ['quantiles']),
    encoding: { key: 'distribution', encode: same<Distribution>, decode: same<Distribution> },
  },
  /** Shape of the jitter as quantiles of equal probability, instead of a distribution; mean and scale don't matter. */
  quantiles: {
    isOptional: true,
    default: undefined,
    fold: ofTheOnly('jitter'),
    concerns: 'packets',
    file: {
      kind: 'text',
      key: 'quantiles',
      parse: parseQuantiles,
      pattern: QUANTILES_PATTERN,
      description:
        'Shape of the jitter as ascending numbers of equal probability, in any unit. `distribution: FILE` writes it. Default: none.',
    },
    change: textChange(parseQuantiles, '1 2 3 4 5 6 7 9'),
    encoding: { key: 'quantiles', encode: same<string>, decode: same<string> },
  },
  /** Of the jitter of a packet with that of the packet before. Absent: jitter is a function of time. */
  jitterCorrelation: {
    isOptional: true,
    default: undefined,
    fold: ofTheOnly('jitter'),
    concerns: 'packets',
    file: {
      ...PART,
      key: 'jitter_correlation',
      description:
        'Draws the jitter for each packet, with this correlation to the packet before; 0% is independent. Default: it changes gradually in time.',
      example: '25%',
    },
    change: valueChange(parsePercentage, formatRatio, '25%'),
    encoding: { key: 'jitterCorrelation', ...RATIO_ENCODING },
  },
  loss: {
    isOptional: false,
    default: ratio(0),
    fold: anyOfAndOtherModels,
    concerns: 'packets',
    file: {
      kind: 'quantity',
      key: 'loss',
      parse: parsePercentage,
      pattern: PERCENTAGE_PATTERN,
      description: 'How many packets are lost in each direction, in percent. Default: none (0%).',
      example: '0.1%',
      examples: ['0.1%', '2%'],
    },
    change: PART_CHANGE,
    encoding: { key: 'loss', ...RATIO_ENCODING },
  },
  /** Loss besides `loss`, that depends on the packets before. */
  lossModel: {
    isOptional: true,
    default: undefined,
    fold: worstModel,
    concerns: 'packets',
    file: {
      kind: 'text',
      key: 'loss_model',
      parse: parseLossModel,
      pattern: LOSS_MODEL_PATTERN,
      description:
        'Loss that depends on the packets before, besides `loss`: bursts, correlated, gilbert-elliott, markov, or every N packets. Default: none.',
      example: 'bursts 1% of 5 packets',
      examples: LOSS_MODEL_EXAMPLES,
    },
    change: textChange(parseLossModel, 'bursts 1% of 5 packets'),
    encoding: { key: 'lossModel', encode: same<string>, decode: same<string> },
  },
  duplicate: {
    isOptional: true,
    default: ratio(0),
    fold: anyOf,
    concerns: 'packets',
    file: {
      ...PART,
      key: 'duplicate',
      description: 'How many packets arrive twice. Default: none (0%).',
      example: '1%',
    },
    change: PART_CHANGE,
    encoding: { key: 'duplicate', ...RATIO_ENCODING },
  },
  corrupt: {
    isOptional: true,
    default: ratio(0),
    fold: anyOf,
    concerns: 'packets',
    file: {
      ...PART,
      key: 'corrupt',
      description: 'How many packets have one bit flipped. Default: none (0%).',
      example: '0.1%',
    },
    change: PART_CHANGE,
    encoding: { key: 'corrupt', ...RATIO_ENCODING },
  },
  reorder: {
    isOptional: true,
    default: ratio(0),
    fold: anyOf,
    concerns: 'packets',
    file: {
      ...PART,
      key: 'reorder',
      description:
        'How many packets leave their place: they are not delayed, or wait for `reorder_distance`. Default: none (0%).',
      example: '1%',
    },
    change: PART_CHANGE,
    encoding: { key: 'reorder', ...RATIO_ENCODING },
  },
  /** How many packets overtake one that is reordered. Absent: it overtakes those before it, since it is not delayed. */
  reorderDistance: {
    isOptional: true,
    default: undefined,
    fold: greatest,
    concerns: 'packets',
    file: {
      kind: 'quantity',
      key: 'reorder_distance',
      parse: parseDistance,
      pattern: DISTANCE_PATTERN,
      description:
        'How many packets overtake one that `reorder` takes out. Default: none, it overtakes the ones before.',
      example: '3 packets',
    },
    change: valueChange(parseDistance, formatDistance, '3 packets'),
    encoding: { key: 'reorderDistance', encode: same<number>, decode: same<number> },
  },
  /** Times between the instants at which packets leave. */
  slots: {
    isOptional: true,
    default: undefined,
    fold: longestSlots,
    concerns: 'packets',
    file: {
      kind: 'text',
      key: 'slots',
      parse: parseSlots,
      pattern: SLOT_PATTERN,
      description:
        'Packets leave only at instants that are so far apart, as from a scheduler of DOCSIS or LTE: a time, or a range of which each is drawn. Default: none.',
      example: '5ms',
      examples: ['5ms', '2ms..4ms'],
    },
    change: textChange(parseSlots, '5ms'),
    encoding: { key: 'slots', encode: same<string>, decode: same<string> },
  },
  /** `UNLIMITED` if the file gives none. */
  bandwidth: {
    isOptional: false,
    default: UNLIMITED,
    fold: bandwidthOfSlowest,
    concerns: 'rate',
    file: {
      kind: 'quantity',
      key: 'bandwidth',
      parse: parseBandwidth,
      pattern: BANDWIDTH_PATTERN,
      description: `Rate of each direction, ${RATE_UNITS}`,
      example: '60Mbps',
      examples: ['60Mbps', '128Kbps'],
      directions: {
        up: `From \`from\` to \`to\`: its rate instead of bandwidth, ${RATE_UNITS} Or a mapping of all that differs in this direction.`,
        down: `From \`to\` to \`from\`: its rate instead of bandwidth, ${RATE_UNITS} Or a mapping of all that differs in this direction.`,
      },
    },
    change: RATE_CHANGE,
    encoding: { key: 'bandwidthBps', ...RATE_ENCODING },
  },
  ...FRAME_PROPERTIES,
  /**
   * How long a packet's byte takes at all links of the path that have a bandwidth: each of them receives a packet whole
   * before it passes it on (store and forward), but for those with cells. A link by itself has 0, since its bandwidth says it.
   */
  transmission: {
    isOptional: true,
    default: nanosPerByte(0),
    fold: byteTimes,
    concerns: 'packets',
    encoding: { key: 'transmissionNsPerByte', encode: same<NanosPerByte>, decode: nanosPerByte },
  },
  /** How long a byte takes at its slowest link alone: what a packet keeps away from the one before it. */
  spacing: {
    isOptional: true,
    default: nanosPerByte(0),
    fold: longestByteTime,
    concerns: 'packets',
    encoding: { key: 'spacingNsPerByte', encode: same<NanosPerByte>, decode: nanosPerByte },
  },
  /** How bandwidth, latency and loss change over time, instead of those; a path has those of the moment. */
  trace: {
    isOptional: true,
    default: undefined,
    fold: none,
    concerns: 'rate',
    file: {
      kind: 'text',
      key: 'trace',
      parse: parseTrace,
      pattern: TRACE_PATTERN,
      description:
        'How rate, latency and loss change over time: a file of Mahimahi, or CSV with time and some of rate, latency, loss. Default: they do not.',
      example: 'lte.csv',
    },
    change: textChange(parseTraceName, 'night'),
    encoding: { key: 'trace', encode: traceHead, decode: same<string> },
  },
  /** Overrides the queue that is derived from bandwidth and delay. */
  queuePackets: {
    isOptional: true,
    default: undefined,
    fold: packetsOfShortest,
    concerns: 'rate',
    file: {
      kind: 'queue',
      key: 'queue',
      description:
        'How much may wait for the link: packets, bytes (of frames without FCS), or the time that a full queue takes at its bandwidth. Default: derived from bandwidth and delay.',
      example: '200 packets',
      examples: ['200 packets', '64KB', '50ms'],
    },
    encoding: { key: 'queuePackets', encode: same<number>, decode: same<number> },
  },
  /** The same in bytes. */
  queueBytes: {
    isOptional: true,
    default: undefined,
    fold: bytesOfShortest,
    concerns: 'rate',
    encoding: { key: 'queueBytes', encode: same<number>, decode: same<number> },
  },
  /** The same as a time. A path has bytes instead. */
  queueTime: {
    isOptional: true,
    default: undefined,
    fold: none,
    concerns: 'rate',
    encoding: { key: 'queueMs', encode: inMillis, decode: fromMillis },
  },
  /** How the queue is managed before it is full. Absent: it drops its tail. */
  aqm: {
    isOptional: true,
    default: undefined,
    fold: ofTheSlowest,
    concerns: 'rate',
    file: {
      kind: 'text',
      key: 'aqm',
      parse: parseAqm,
      pattern: AQM_PATTERN,
      description:
        'How the queue is managed before it is full: RED or CoDel, with parameters; `queue: { kind: red, … }` says the same. Default: it drops what finds no room.',
      example: 'codel target=5ms',
      examples: AQM_EXAMPLES,
    },
    change: textChange(parseAqm, 'codel target=5ms'),
    encoding: { key: 'aqm', encode: same<string>, decode: same<string> },
  },
  ...RULE_PROPERTIES,
} as const satisfies Readonly<Record<string, Property>>;
