import { describe, expect, test } from 'vitest';
import { Player } from '../../../agent/timeline/player.ts';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';

const seconds = (value: number) => micros(value * 1e6);

function player(...events: string[]): { player: Player; problems: string[] } {
  const { topology } = loadTopology(
    `services: { client: { replicas: 3 }, server: {} }
bridges: [s]
links:
  - { from: client, to: s, latency: 5ms, up: 10Mbps, down: 3Mbps }
  - { from: s, to: server, latency: 1ms }
events:
${events.map((event) => `  - ${event}`).join('\n')}`,
    'test.yaml',
  );
  const problems: string[] = [];
  return { player: new Player(topology, (_, { message }) => problems.push(message)), problems };
}

const latencyOf = (graph: ReturnType<typeof graphAt>, name: string): number =>
  graph.links.find((link) => link.name === name)!.latency;

describe('a timeline', () => {
  test('says when the next step is due, and nothing after its end', () => {
    const { player: one } = player('at 2s set s--server latency=9ms', 'at 500ms crash client.1');
    expect(one.nextAt).toBe(seconds(0.5));
    one.advance(seconds(0.5));
    expect(one.nextAt).toBe(seconds(2));
    one.advance(seconds(2));
    expect(one.nextAt).toBeUndefined();
  });

  test('plays what is due, and gives the topology after it', () => {
    const { player: one } = player('at 1s set s--server latency=9ms', 'at 2s set s--server latency=+1ms');
    expect(one.advance(seconds(0.9))).toEqual({ atoms: [], graph: undefined });
    const first = one.advance(seconds(1));
    expect(first.atoms.map(({ verb }) => verb)).toEqual(['set']);
    expect(latencyOf(first.graph!, 's->server.0')).toBe(9000);
    expect(latencyOf(one.advance(seconds(5)).graph!, 's->server.0')).toBe(10_000);
  });

  test('makes one version of what is due at one instant, and none of what happens to processes', () => {
    const { player: one } = player(
      'at 1s set s--server latency=9ms',
      'at 1s crash client.1',
      'at 2s run client.0 "true"',
      'at 3s leave client.2',
      'at 4s join client.2',
    );
    one.advance(seconds(1));
    expect(one.epoch).toBe(1);
    expect(one.advance(seconds(2))).toMatchObject({ atoms: [{ verb: 'run' }], graph: undefined });
    expect(one.epoch).toBe(1);
    // A step that comes late plays two instants at once: two versions, of which the last is given.
    const { atoms, graph } = one.advance(seconds(4));
    expect(atoms.map(({ verb }) => verb)).toEqual(['leave', 'join']);
    expect(graph).toBeDefined();
    expect(one.epoch).toBe(3);
  });

  test('knows which endpoints are present: those that join later are not before', () => {
    const { player: one } = player('at 1s join client 2', 'at 2s crash client.0');
    const present = () => [0, 1, 2, 3].map((endpoint) => one.isPresent(endpoint));
    expect(present()).toEqual([false, false, false, true]);
    one.advance(seconds(1));
    expect(present()).toEqual([true, true, false, true]);
    one.advance(seconds(2));
    expect(present()).toEqual([false, true, false, true]);
  });

  test('comes to the same topologies whatever the steps, and to those that `--at` shows', () => {
    const events = [
      'from 1s to 3s flap client.0--s every 250ms',
      'at 1500ms set s--server bandwidth=50%',
      'from 2s to 4s partition client.1 | server',
      'from 1s to 4s churn client 30% every 400ms replace seed 7',
    ];
    const { topology } = loadTopology(
      `services: { client: { replicas: 3 }, server: {} }
bridges: [s]
links:
  - { from: client, to: s, latency: 5ms, bandwidth: 10Mbps }
  - { from: s, to: server, latency: 1ms, bandwidth: 8Mbps }
events:
${events.map((event) => `  - ${event}`).join('\n')}`,
      'test.yaml',
    );
    const fail = (): never => {
      throw new Error('nothing can go wrong here');
    };
    for (const step of [0.05, 0.3, 1.7, 5]) {
      const one = new Player(topology, fail);
      for (let at = 0; at < 5; at += step) one.advance(seconds(at));
      one.advance(seconds(5));
      expect(one.graph).toEqual(graphAt(topology, seconds(5)));
    }
    const one = new Player(topology, fail);
    for (let at = 0; at <= 5; at += 0.125) {
      one.advance(seconds(at));
      expect(one.graph).toEqual(graphAt(topology, seconds(at)));
    }
  });
});
