/** The patterns of the published JSON Schema, by which editors mark mistakes, beside the parser. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQueue, QUEUE_PATTERN } from '../../../../proto/queue.ts';
import {
  BANDWIDTH_PATTERN,
  LATENCY_PATTERN,
  PERCENTAGE_PATTERN,
  parseBandwidth,
  parseLatency,
  parsePercentage,
} from '../../../../proto/units.ts';
import { EVENT_PATTERN, parseEvent } from '../../../../topology/events/grammar.ts';
import { jsonSchemaText } from '../../../../topology/formats/native/author-schema.ts';
import { Findings } from '../../../../topology/model/diagnostics.ts';

/** As validators read them. */
const regexOf = (pattern: string): RegExp => new RegExp(pattern, 'u');

const isEvent = (text: string): boolean =>
  parseEvent(text, { file: 'a.yaml', line: 1, column: 1 }, 'events[0]', new Findings('a.yaml')) !== undefined;
const accepts = (parse: (text: string) => unknown) => (text: string) => {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
};

const space = fc.constantFrom('', ' ', '\t', '  ');
const number = fc.constantFrom(
  '0',
  '1',
  '12',
  '100',
  '100.',
  '1.5',
  '.5',
  '007',
  '0100',
  '00.0',
  '99.9',
  '101',
);
const unit = fc.constantFrom(
  'us',
  'µs',
  'ms',
  's',
  'm',
  'h',
  'Kbps',
  'Mbps',
  'bps',
  '%',
  'KB',
  'MiB',
  'packets',
  'packet',
  '',
);
const quantity = fc
  .tuple(space, fc.constantFrom('', '+', '-'), number, space, unit, space)
  .map((parts) => parts.join(''));
const time = fc.constantFrom('30s', '1m30s', '.5s', '"10s"', '0s');
const event = fc
  .tuple(
    space,
    fc.oneof(
      time.map((at) => ['at', at]),
      time.map((to) => ['from', '1s', 'to', to]),
    ),
    fc.constantFrom(
      'leave a',
      'set a latency=1ms',
      'quit',
      'heal',
      'partition a|b',
      'run a "x y"',
      'nonsense a',
    ),
    space,
  )
  .map(([before, when, action, after]) => `${before}${when.join(' ')} ${action}${after}`);

describe('what the parser accepts, the schema accepts', () => {
  const kinds = [
    ['latency', LATENCY_PATTERN, accepts(parseLatency), quantity],
    ['bandwidth', BANDWIDTH_PATTERN, accepts(parseBandwidth), quantity],
    ['loss', PERCENTAGE_PATTERN, accepts(parsePercentage), quantity],
    ['queue', QUEUE_PATTERN, accepts(parseQueue), quantity],
    ['events', EVENT_PATTERN, isEvent, event],
  ] as const;
  it.each(kinds)('%s', (_, pattern, isAccepted, text) => {
    let accepted = 0;
    fc.assert(
      fc.property(text, (one) => {
        if (!isAccepted(one)) return;
        accepted++;
        expect(one).toMatch(regexOf(pattern));
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

it('the schema refuses what an editor should mark', () => {
  const { links, events } = JSON.parse(jsonSchemaText()).properties;
  const matches = (property: string, text: string): boolean => {
    const { pattern, anyOf } = links.items.properties[property];
    return regexOf(pattern ?? anyOf[0].pattern).test(text);
  };
  expect(matches('latency', 'banana')).toBe(false);
  expect(matches('latency', '10')).toBe(false);
  expect(matches('latency', '-10ms')).toBe(false);
  expect(matches('jitter', '10Mbps')).toBe(false);
  expect(matches('loss', '300%')).toBe(false);
  expect(matches('loss', '0.5')).toBe(false);
  expect(matches('up', '10ms')).toBe(false);
  expect(matches('bandwidth', '10MB')).toBe(false);
  expect(matches('queue', '0 packets')).toBe(false);
  const isMarked = (line: string): boolean => !regexOf(events.items.pattern).test(line);
  expect(isMarked('hello')).toBe(true);
  expect(isMarked('at 10s explode a')).toBe(true);
  expect(isMarked('from 10s leave a')).toBe(true);
  expect(isMarked('at 10s leave a')).toBe(false);
});
