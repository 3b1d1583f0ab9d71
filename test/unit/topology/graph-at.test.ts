import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros } from '../../../proto/units.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import type { Graph, GraphLink } from '../../../topology/model/model.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';
import { native } from './support.ts';

const BASE = `services: { client: { replicas: 3, tags: [edge] }, server: {}, spare: {} }
bridges: { s1: {}, s2: {} }
links:
  - { from: client, to: s1, latency: 5ms, tags: [access], up: 10Mbps, down: 20Mbps }
  - { from: s2, to: s1, latency: 10ms, jitter: 2ms, loss: 10%, up: 50Mbps, down: 60Mbps }
  - { from: server, to: s2, latency: 1ms, bandwidth: 100Mbps }
  - { from: spare, to: s2, latency: 1ms }
events:
`;
const at = (seconds: number, ...lines: string[]): Graph =>
  graphAt(
    native(BASE + (lines.length === 0 ? '  []' : lines.map((line) => `  - ${line}\n`).join(''))),
    micros(seconds * 1e6),
  );
const link = (graph: Graph, name: string): GraphLink => graph.links.find((one) => one.name === name)!;

/** Endpoints with an edge. */
function present(graph: Graph): string {
  const linked = new Set(graph.edges.flatMap(({ from, to }) => [from, to]));
  return graph.endpoints.filter((_, number) => linked.has(number)).join(' ');
}

function reaches(graph: Graph, from: string, to: string): boolean {
  return new Folding(graph).path(graph.endpoints.indexOf(from), graph.endpoints.indexOf(to)) !== undefined;
}

describe('the graph at an instant', () => {
  it('is that of the file where nothing has happened yet', () => {
    const graph = at(4, 'at 5s crash client');
    expect(graph).toEqual(expandGraph(native(BASE.replace('events:\n', ''))));
  });

  it('keeps numbers of nodes and links, whatever is absent', () => {
    const [before, after] = [at(0), at(5, 'at 5s crash client.1', 'at 5s leave s1')];
    expect([after.nodes, after.links]).toEqual([before.nodes, before.links]);
    expect(after.edges.length).toBeLessThan(before.edges.length);
  });

  it('lacks what joins later, and only that', () => {
    expect(present(at(0, 'at 5s join client'))).toBe('server.0 spare.0');
    expect(present(at(5, 'at 5s join client'))).toBe('client.0 client.1 client.2 server.0 spare.0');
    expect(present(at(0, 'at 5s join client.1'))).toBe('client.0 client.2 server.0 spare.0');
    expect(present(at(5, 'at 5s join client 2'))).toBe('client.0 client.1 server.0 spare.0');
    expect(present(at(0, 'at 5s crash client', 'at 6s join client'))).toContain('client');
  });

  it('takes the highest replicas away first and brings the lowest back', () => {
    const lines = ['at 1s leave client 2', 'at 2s join client 1', 'at 3s crash tag:edge 1'];
    expect(present(at(1, ...lines))).toBe('client.0 server.0 spare.0');
    expect(present(at(2, ...lines))).toBe('client.0 client.1 server.0 spare.0');
    expect(present(at(3, ...lines))).toBe('client.0 server.0 spare.0');
  });

  it('cuts disconnected endpoints until reconnected, or until the window ends', () => {
    expect(present(at(2, 'at 1s disconnect client 2', 'at 2s reconnect client 1'))).toBe(
      'client.0 client.1 server.0 spare.0',
    );
    const window = 'from 1s to 3s disconnect *';
    expect([present(at(1, window)), present(at(3, window))]).toEqual([
      '',
      'client.0 client.1 client.2 server.0 spare.0',
    ]);
  });

  it('lacks links and bridges that have left, each direction by itself', () => {
    expect(reaches(at(1, 'at 1s leave s1--s2'), 'client.0', 'server.0')).toBe(false);
    const oneWay = at(1, 'at 1s leave s1->s2');
    expect([reaches(oneWay, 'client.0', 'server.0'), reaches(oneWay, 'server.0', 'client.0')]).toEqual([
      false,
      true,
    ]);
    expect(reaches(at(1, 'at 1s leave s2'), 'server.0', 'spare.0')).toBe(false);
    expect(reaches(at(2, 'at 1s leave s2', 'at 2s join s2'), 'server.0', 'spare.0')).toBe(true);
    expect(reaches(at(3, 'from 1s to 3s leave s1--s2'), 'client.0', 'server.0')).toBe(true);
  });

  it('has the properties that were set, absolute and relative', () => {
    const settled = (change: string): GraphLink => link(at(1, `at 1s set s1--s2 ${change}`), 's2->s1');
    expect(settled('latency=7ms').latency).toBe(7000);
    expect(settled('latency=150%').latency).toBe(15_000);
    expect(settled('latency=-3ms').latency).toBe(7000);
    expect(settled('latency=-30ms').latency).toBe(0);
    expect(settled('jitter=+1ms').jitter).toBe(3000);
    expect(settled('loss=25%').loss).toBe(0.25);
    expect(settled('loss=+95%').loss).toBe(1);
    expect(settled('bandwidth=10Mbps').bandwidth).toBe(10e6);
    expect(settled('bandwidth=unlimited').bandwidth).toBe(Number.POSITIVE_INFINITY);
    expect(settled('latency=7ms')).toMatchObject({ jitter: 2000, loss: 0.1, bandwidth: 50e6 });
  });

  it('keeps the distribution of a jitter that is set', () => {
    const text = BASE.replace('jitter: 2ms', 'jitter: 2ms, distribution: uniform');
    const graph = graphAt(native(`${text}  - at 1s set s1->s2 jitter=7ms`), micros(1e6));
    expect(link(graph, 's1->s2')).toMatchObject({ jitter: 7000, distribution: 'uniform' });
    expect(link(graph, 's2->s1')).toMatchObject({ jitter: 2000, distribution: 'uniform' });
  });

  it('means by up the direction in which the event names the link', () => {
    const rates = (name: string): number[] => {
      const graph = at(1, `at 1s set ${name} up=1Mbps down=2Mbps`);
      return [link(graph, 's2->s1').bandwidth, link(graph, 's1->s2').bandwidth];
    };
    expect(rates('s2--s1')).toEqual([1e6, 2e6]);
    expect(rates('s1--s2')).toEqual([2e6, 1e6]);
    const tagged = at(1, 'at 1s set tag:access up=1Mbps');
    expect([link(tagged, 'client.2->s1').bandwidth, link(tagged, 's1->client.2').bandwidth]).toEqual([
      1e6, 20e6,
    ]);
  });

  it('sets one replica, a tag, or all links', () => {
    const changed = (targets: string): string[] =>
      at(1, `at 1s set ${targets} latency=77ms`)
        .links.filter((one) => one.latency === 77_000)
        .map((one) => one.name);
    expect(changed('client.1--s1')).toEqual(['client.1->s1', 's1->client.1']);
    expect(changed('client.1->s1')).toEqual(['client.1->s1']);
    expect(changed('tag:access')).toHaveLength(6);
    expect(changed('*')).toHaveLength(12);
  });

  it('takes a setting of a window back at its end, and keeps what was set meanwhile', () => {
    const lines = [
      'from 1s to 5s set s1--s2 latency=100%',
      'from 1s to 5s set s1--s2 latency=20ms',
      'at 3s set s1--s2 jitter=9ms',
    ];
    const seen = [0, 1, 3, 5].map((second) => link(at(second, ...lines), 's1->s2'));
    expect(seen.map(({ latency, jitter }) => [latency, jitter])).toEqual([
      [10_000, 2000],
      [20_000, 2000],
      [20_000, 9000],
      [10_000, 9000],
    ]);
  });

  it('flaps: down at the start, in turn each period, up at the end', () => {
    const up = [0, 1, 1.5, 2, 2.5, 3, 3.5, 4].map((second) =>
      reaches(at(second, 'from 1s to 3.6s flap s1--s2 every 500ms'), 'client.0', 'server.0'),
    );
    expect(up).toEqual([true, false, true, false, true, false, true, true]);
    expect(reaches(at(1.2, 'from 1s to 1.3s flap s1--s2 every 500ms'), 'client.0', 'server.0')).toBe(false);
    expect(reaches(at(1.3, 'from 1s to 1.3s flap s1--s2 every 500ms'), 'client.0', 'server.0')).toBe(true);
  });

  it('churns the same on every host, by the seed', () => {
    const crashed = (second: number, rest: string): string =>
      present(at(second, `from 1s to 9s churn client 1 every 2s ${rest}`));
    expect(crashed(1, 'seed 3').split(' ')).toHaveLength(4);
    expect(crashed(3, 'seed 3').split(' ')).toHaveLength(3);
    expect(crashed(1, 'seed 3')).toBe(crashed(1, 'seed 3'));
    expect(new Set([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => crashed(1, `seed ${seed}`))).size).toBeGreaterThan(
      1,
    );
    expect(crashed(9, 'replace').split(' ')).toHaveLength(5);
  });

  it('separates the groups of a partition and no others, until healed', () => {
    const lines = ['at 1s partition client.0 | client.1 server', 'at 2s heal'];
    const graph = at(1, ...lines);
    expect(reaches(graph, 'client.0', 'server.0')).toBe(false);
    expect(reaches(graph, 'client.1', 'client.0')).toBe(false);
    expect(reaches(graph, 'client.1', 'server.0')).toBe(true);
    expect(reaches(graph, 'client.0', 'client.2')).toBe(true);
    expect(graph.edges).toEqual(at(0).edges);
    expect(at(2, ...lines)).toEqual(at(0));
  });

  it('takes * in a partition for all that no other group names', () => {
    const graph = at(1, 'at 1s partition client.0 server | *');
    const groups = Object.fromEntries(
      graph.endpoints.map((name, number) => [name, graph.partitions![0]![number]]),
    );
    expect(groups).toEqual({ 'client.0': 0, 'client.1': 1, 'client.2': 1, 'server.0': 0, 'spare.0': 1 });
    expect(reaches(at(1, 'at 1s partition * | s1'), 'client.0', 'client.1')).toBe(true);
  });

  it('counts a percentage of those that the verb can change, to the nearest', () => {
    expect(present(at(1, 'at 1s crash client 50%'))).toBe('client.0 server.0 spare.0');
    expect(present(at(2, 'at 1s crash client 50%', 'at 2s join client 50%'))).toContain('client.1');
    expect(present(at(2, 'at 1s leave client.0', 'at 2s leave client 50%'))).toBe(
      'client.1 server.0 spare.0',
    );
  });

  it('takes a bridge in a partition for the endpoints that are linked to it', () => {
    const graph = at(1, 'from 1s to 2s partition s1 | s2');
    expect([
      reaches(graph, 'client.0', 'server.0'),
      reaches(graph, 'client.0', 'client.1'),
      reaches(graph, 'server.0', 'spare.0'),
    ]).toEqual([false, true, true]);
  });

  it('depends on the times of events, not on their order in the file', () => {
    const lines = [
      'at 1s leave client 2',
      'at 2s set * latency=200%',
      'at 3s join client 1',
      'from 4s to 6s leave s1',
      'at 5s crash server',
    ];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(lines, { minLength: 5 }),
        fc.integer({ min: 0, max: 7 }),
        (shuffled, second) => {
          expect(at(second, ...shuffled)).toEqual(at(second, ...lines));
        },
      ),
      { numRuns: 50, seed: 5 },
    );
  });
});
