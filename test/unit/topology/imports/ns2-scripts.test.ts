/**
 * Twenty whole scripts with the constructs of public ones. What each gives stands at its end, in comments: nodes, LANs, links, events,
 * sequences, traffic, and what is told. Of a link that is the same in both directions, one is shown.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatBps, formatMicros, formatRatio, toSeconds } from '../../../../proto/units.ts';
import { eventLine } from '../../../../topology/events/write.ts';
import { nativeText } from '../../../../topology/formats/native/write.ts';
import { loadTopology } from '../../../../topology/load.ts';
import type { LinkPair, Topology } from '../../../../topology/model/model.ts';
import type { Sequence } from '../../../../topology/model/sequences.ts';
import type { Traffic } from '../../../../topology/model/traffic.ts';
import { imported } from './support.ts';

const FOLDER = join(import.meta.dirname, 'scripts');
const MARK = '#> ';
const FILES = readdirSync(FOLDER).toSorted();

it('there are twenty', () => {
  expect(FILES).toHaveLength(20);
});

it.each(FILES)('%s', (file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const { topology, told } = imported(text, file);
  const expected = text
    .split('\n')
    .flatMap((line) => (line.startsWith(MARK) ? [line.slice(MARK.length)] : []));
  expect([...summary(topology), ...told.map((line) => `told ${shortened(line)}`)]).toEqual(expected);
  // What convert writes is the same topology; links that differ by direction are two lines there.
  const again = loadTopology(nativeText(topology), 'again.yaml').topology;
  expect(withoutLinks(again)).toEqual(withoutLinks(topology));
});

const withoutLinks = (topology: Topology): string[] =>
  summary(topology).filter((line) => !line.startsWith('link '));

/** The line and the code alone: sentences have tests of their own. */
const shortened = (line: string): string => line.split(' ').slice(0, 2).join(' ');

function summary({ services, bridges, links, events, sequences = [], traffic = [] }: Topology): string[] {
  return [
    `nodes ${services.map(({ name, run }) => (run === undefined ? name : `${name} (${run})`)).join(', ')}`,
    ...(bridges.length > 0 ? [`LANs ${bridges.map(({ name }) => name).join(', ')}`] : []),
    ...links.map((link) => `link ${link.from}--${link.to} ${linkText(link)}`),
    ...events.map((event) => `event ${eventLine(event)}`),
    ...sequences.flatMap(sequenceLines),
    ...traffic.map(trafficLine),
  ];
}

function linkText({ up, down }: LinkPair): string {
  const one = ({ latency, bandwidth, loss, queuePackets, queueBytes, aqm }: LinkPair['up']): string =>
    [
      formatMicros(latency),
      formatBps(bandwidth),
      formatRatio(loss),
      ...queueText(queuePackets, queueBytes),
      ...(aqm === undefined ? [] : [aqm]),
    ].join(' ');
  if (!down) return `one way ${one(up)}`;
  return one(up) === one(down) ? one(up) : `${one(up)} / ${one(down)}`;
}

function sequenceLines({ name, start, steps }: Sequence): string[] {
  const begins =
    'at' in start
      ? `at ${toSeconds(start.at)}s`
      : `after ${start.after.name}${start.after.fails ? ' fails' : ''}`;
  return [`sequence ${name} ${begins}`, ...steps.map(({ line }) => `step ${line}`)];
}

function trafficLine({
  name,
  from,
  to,
  kind,
  protocol,
  rate,
  size,
  start,
  stop,
  simulated,
}: Traffic): string {
  const times = `${toSeconds(start)}-${stop === undefined ? '' : toSeconds(stop)}`;
  const what = [
    kind,
    protocol,
    ...(rate === undefined ? [] : [formatBps(rate)]),
    `${size}B`,
    ...(simulated ? ['simulated'] : []),
  ];
  return `traffic ${name} ${from.name}>${to.name} ${what.join(' ')} ${times}`;
}

function queueText(packets: number | undefined, bytes: number | undefined): string[] {
  if (bytes !== undefined) return [`${bytes} bytes`];
  return packets === undefined ? [] : [`${packets} packets`];
}
