/** When traffic flows: its own times, events of the file, commands, steps of sequences. */
import { describe, expect, it } from 'vitest';
import { Player } from '../../../agent/timeline/player.ts';
import type { Command } from '../../../proto/command.ts';
import { micros, toSeconds } from '../../../proto/units.ts';
import { nativeText } from '../../../topology/formats/native/write.ts';
import { loadTopology } from '../../../topology/load.ts';
import { timelineRows } from '../../../topology/report/timeline.ts';

const LAB = `services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 1ms }]
traffic:
  - { from: a, to: b, name: cbr, rate: 1Mbps }
  - { from: a, to: b, name: bulk, start: 2s, stop: 8s }
  - { from: b, to: a, rate: 1Mbps }
`;

const topologyOf = (rest: string) => loadTopology(LAB + rest, 'lab.yaml').topology;
const player = (rest = ''): Player =>
  new Player(topologyOf(rest), (_, { message }) => {
    throw new Error(message);
  });
const windowsOf = (one: Player): string[] =>
  one.trafficWindows.map((all) =>
    all.map(({ from, until }) => `${toSeconds(from)}-${toSeconds(until)}`).join(' '),
  );

let number = 0;
const command = (at: number, text: string): Command => ({
  ...{ origin: 'host0', incarnation: 1, number: ++number, text },
  ...{ issuedAt: micros((at - 0.1) * 1e6), at: micros(at * 1e6) },
});

describe('traffic flows', () => {
  it('from its start to its stop', () => {
    expect(windowsOf(player())).toEqual(['0-Infinity', '2-8', '0-Infinity']);
  });

  it('from the events that start it to those that stop it, and not before the first', () => {
    const events = 'events: [at 1s start cbr, at 3s stop cbr bulk, at 5s start b>a, at 6s start cbr]\n';
    expect(windowsOf(player(events))).toEqual(['1-3 6-Infinity', '2-3', '5-Infinity']);
  });

  it('as * says of all; again while it flows changes nothing', () => {
    const events = "events: ['at 1s start *', 'at 4s stop *', at 4s start cbr, at 5s start cbr]\n";
    expect(windowsOf(player(events))).toEqual(['1-4 4-Infinity', '1-4', '1-4']);
  });

  it('as commands say, until they are reset', () => {
    const one = player();
    one.advance(micros(1e6));
    const before = one.trafficWindows;
    expect(one.trafficWindows).toBe(before);
    one.command(command(3, 'stop cbr'), micros(2.9e6));
    one.command(command(5, 'start cbr'), micros(2.9e6));
    expect(windowsOf(one)[0]).toBe('0-3 5-Infinity');
    expect(one.trafficWindows).not.toBe(before);
    one.advance(micros(3e6));
    one.command(command(4, 'reset'), micros(3.9e6));
    one.advance(micros(4e6));
    expect(windowsOf(one)[0]).toBe('0-Infinity');
  });

  it('as a step of a sequence says, once its time is known', () => {
    const one = player('sequences: { x: { after: go, steps: [start cbr, wait 2s, stop cbr] } }\n');
    one.advance(micros(1e6));
    expect(windowsOf(one)[0]).toBe('');
    one.command(command(3, 'notify go'), micros(2.9e6));
    expect(windowsOf(one)[0]).toBe('3-5');
  });

  it('not by names that nothing has', () => {
    expect(() => player('events: [at 1s start cbx]\n')).toThrow('there is no traffic "cbx"');
    expect(() => player('sequences: { x: { steps: [stop cbx] } }\n')).toThrow('there is no traffic "cbx"');
    expect(() => player('events: ["at 1s start"]\n')).toThrow('the name of traffic');
    expect(() => player('events: [from 1s to 2s start cbr]\n')).toThrow('happens at one instant');
  });
});

it('starts and stops of traffic stand in the timeline, and begin no epoch', () => {
  const rows = timelineRows(topologyOf('events: [at 1s start cbr, at 3s stop cbr bulk]\n'));
  expect(rows.map(({ atMs, epoch, verb, target }) => [atMs, epoch, verb, target])).toEqual([
    [1000, 0, 'start', 'cbr'],
    [3000, 0, 'stop', 'cbr bulk'],
  ]);
});

it('what is started by events is written as it was read', () => {
  const topology = topologyOf('events: [at 1s start cbr, at 3s stop cbr bulk]\n');
  const again = loadTopology(nativeText(topology), 'lab.yaml').topology;
  expect(again.traffic!.map(({ name, start }) => [name, start])).toEqual(
    topology.traffic!.map(({ name, start }) => [name, start]),
  );
  expect(again.events.map(({ at, action: { verb } }) => [at, verb])).toEqual([
    [1e6, 'start'],
    [3e6, 'stop'],
  ]);
});
