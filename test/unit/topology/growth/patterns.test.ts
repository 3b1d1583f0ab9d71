/** Every grammar of a value, with long inputs that almost match: the time must not grow with the square of the length. */
import { describe, expect, it } from 'vitest';
import {
  DISTANCE_PATTERN,
  LOSS_MODEL_PATTERN,
  parseDistance,
  parseLossModel,
  parseQuantiles,
  parseSlots,
  QUANTILES_PATTERN,
  SLOT_PATTERN,
} from '../../../../proto/models.ts';
import { parseQueue, QUEUE_PATTERN } from '../../../../proto/queue.ts';
import {
  BANDWIDTH_PATTERN,
  BYTES_PATTERN,
  DURATION_PATTERN,
  LATENCY_PATTERN,
  MAX_QUANTITY_LENGTH,
  PERCENTAGE_PATTERN,
  parseBandwidth,
  parseBytes,
  parseContainerMemory,
  parseDuration,
  parseLatency,
  parsePercentage,
  UnitError,
} from '../../../../proto/units.ts';
import { EVENT_PATTERN, parseAction, parseEvent } from '../../../../topology/events/grammar.ts';
import { parseCommand } from '../../../../topology/formats/kollaps/command.ts';
import { parseScript } from '../../../../topology/formats/thunderstorm/parse.ts';
import { loadTopology, TopologyError } from '../../../../topology/load.ts';
import { parsePorts, parseVolume } from '../../../../topology/model/container-settings.ts';
import { Findings } from '../../../../topology/model/diagnostics.ts';
import { NAME_PATTERN, nameProblem, parseReference } from '../../../../topology/model/names.ts';
import { splitWords } from '../../../../topology/model/shell-words.ts';
import { growthOf } from '../../../support/growth.ts';

type Hostile = (length: number) => string;
/** What lets a pattern with two neighbours of one class try every cut between them. */
const HOSTILE: Readonly<Record<string, Hostile>> = {
  digits: (length) => `${'1'.repeat(length)}!`,
  'digits with a point': (length) => `1.${'1'.repeat(length)}!`,
  zeros: (length) => `-${'0'.repeat(length)}!`,
  points: (length) => '.'.repeat(length),
  'digits, points': (length) => '1.'.repeat(length / 2),
  'parts of a duration': (length) => `${'1m'.repeat(length / 2)}!`,
  spaces: (length) => `1${' '.repeat(length)}!`,
  'spaces before': (length) => `${' '.repeat(length)}!`,
  letters: (length) => `1${'m'.repeat(length)}!`,
  signs: (length) => '+'.repeat(length),
  brackets: (length) => `[${']'.repeat(length)}!`,
  'brackets, spaces': (length) => `[${'] '.repeat(length / 2)}!`,
  quotes: (length) => `"${'\\"'.repeat(length / 2)}`,
  dashes: (length) => `a${'-'.repeat(length)}`,
  'points and digits': (length) => `a${'.1'.repeat(length / 2)}!`,
};

const PATTERNS = {
  LATENCY_PATTERN,
  BANDWIDTH_PATTERN,
  BYTES_PATTERN,
  DURATION_PATTERN,
  PERCENTAGE_PATTERN,
  QUEUE_PATTERN,
  DISTANCE_PATTERN,
  LOSS_MODEL_PATTERN,
  QUANTILES_PATTERN,
  SLOT_PATTERN,
  EVENT_PATTERN,
  NAME_PATTERN,
};
const AT = { file: 'a', line: 1, column: 1 };
const quiet =
  (parse: (text: string) => unknown): ((text: string) => void) =>
  (text) => {
    try {
      parse(text);
    } catch (error) {
      if (!(error instanceof UnitError) && !(error instanceof TopologyError)) throw error;
    }
  };
const PARSERS: Readonly<Record<string, (text: string) => void>> = {
  latency: quiet(parseLatency),
  bandwidth: quiet(parseBandwidth),
  bytes: quiet(parseBytes),
  percentage: quiet(parsePercentage),
  'memory of a container': quiet(parseContainerMemory),
  ports: (text) => void parsePorts(text),
  volume: (text) => void parseVolume(text),
  words: (text) => void splitWords(text),
  duration: quiet(parseDuration),
  queue: quiet(parseQueue),
  'model of loss': quiet(parseLossModel),
  slots: quiet(parseSlots),
  distance: quiet(parseDistance),
  quantiles: quiet(parseQuantiles),
  'event line': (text) => void parseEvent(`at ${text}`, AT, '', new Findings('a')),
  command: (text) => void parseAction(`set a--b latency=${text}`, false, new Findings('a')),
  script: (text) => void parseScript(`at 1s a--b set latency=${text}`, 'a.tdl', new Findings('a')),
  reference: (text) => void parseReference(text),
  name: (text) => void nameProblem(text),
  'list of arguments': (text) => void parseCommand(text),
  'native YAML': quiet((text) =>
    loadTopology(
      `services:\n  a: {}\nbridges: [s]\nlinks:\n  - from: a\n    to: s\n    latency: ${text}\n`,
      'a.yaml',
    ),
  ),
  'Kollaps XML': quiet((text) =>
    loadTopology(
      `<experiment><services><service name="a" image="i" replicas='${text}'/></services><links><link origin="a" dest="a" latency='${text}'/></links></experiment>`,
      'a.xml',
    ),
  ),
};
const LENGTH = 20_000;

describe('a text of four times the length takes no sixteen times as long', { timeout: 60_000 }, () => {
  it.each(Object.entries(PATTERNS))('%s', (_, pattern) => {
    const regex = new RegExp(pattern, 'u');
    for (const [name, hostile] of Object.entries(HOSTILE)) {
      expect(
        growthOf(LENGTH, (size) => void regex.test(hostile(size))),
        name,
      ).toBeLessThan(10);
    }
  });

  it.each(Object.entries(PARSERS))('%s', (_, parse) => {
    for (const [name, hostile] of Object.entries(HOSTILE)) {
      expect(
        growthOf(LENGTH, (size) => parse(hostile(size))),
        name,
      ).toBeLessThan(10);
    }
  });
});

describe('a number with its unit has a length', () => {
  const parsers = [parseLatency, parseBandwidth, parseBytes, parsePercentage, parseDuration, parseQueue];
  it.each(parsers.map((parse) => [parse.name, parse] as const))('%s', (_, parse) => {
    const long = '0'.repeat(MAX_QUANTITY_LENGTH);
    expect(() => parse(`${long}1`)).toThrow(/characters, too many for/);
    expect(() => parse(`${long}1`)).toThrow(UnitError);
    // The message is as short as others.
    expect(() => parse('1'.repeat(1e6))).toThrow(/^.{1,200}$/);
  });

  it('and no unit that every object has', () => {
    for (const parse of parsers) expect(() => parse('1constructor')).toThrow(UnitError);
  });

  it('also where the format writes none', () => {
    const links = `<link origin="a" dest="s" latency="${'1'.repeat(8000)}" upload="1Mbps"/>`;
    const text = `<experiment><services><service name="a" image="i"/></services><bridges><bridge name="s"/></bridges><links>${links}</links></experiment>`;
    expect(() => loadTopology(text, 'a.xml')).toThrow(/is not a number of milliseconds/);
  });
});
