import { describe, expect, it } from 'vitest';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { endpointName, replicaOf, serviceOf } from '../../../topology/model/names.ts';
import { native } from './support.ts';

const names = (text: string): string[] => expandGraph(native(text)).links.map((link) => link.name);

describe('expanding a topology', () => {
  it('numbers services in code-unit order and replicas numerically, then bridges, whatever the order of the file', () => {
    const graph = expandGraph(
      native('services: { b: { replicas: 11 }, a: {}, C: {} }\nbridges: [z, y]\nlinks: [{ from: a, to: y }]'),
    );
    expect(graph.endpoints.slice(0, 4)).toEqual(['C.0', 'a.0', 'b.0', 'b.1']);
    expect(graph.endpoints.indexOf('b.10')).toBe(12);
    expect(graph.nodes.slice(13)).toEqual(['y', 'z']);
  });

  it('gives each replica a link of its own in each direction', () => {
    const text =
      'services: { c: { replicas: 2 } }\nbridges: [s]\nlinks: [{ from: c, to: s, up: 1Mbps, down: 2Mbps }]';
    expect(names(text)).toEqual(['c.0->s', 'c.1->s', 's->c.0', 's->c.1']);
    expect(expandGraph(native(text)).links.map((link) => link.bandwidth)).toEqual([1e6, 1e6, 2e6, 2e6]);
  });

  it('lets replicas share one link a direction where the service says so', () => {
    const graph = expandGraph(
      native('services: { c: { replicas: 2, share: true } }\nbridges: [s]\nlinks: [{ from: c, to: s }]'),
    );
    expect(graph.links.map((link) => link.name)).toEqual(['c->s', 's->c']);
    expect(graph.edges).toEqual([
      { from: 0, to: 2, link: 0 },
      { from: 1, to: 2, link: 0 },
      { from: 2, to: 0, link: 1 },
      { from: 2, to: 1, link: 1 },
    ]);
  });

  it('links single replicas by name, and every pair where both ends have replicas', () => {
    expect(
      names('services: { c: { replicas: 3 } }\nbridges: [s]\nlinks: [{ from: c.1, to: s, oneway: true }]'),
    ).toEqual(['c.1->s']);
    expect(
      names(
        'services: { c: { replicas: 2 }, d: { replicas: 2 } }\nlinks: [{ from: c, to: d, oneway: true }]',
      ),
    ).toEqual(['c.0->d.0', 'c.0->d.1', 'c.1->d.0', 'c.1->d.1']);
  });

  it('lets bridges forward, and services only if they say so', () => {
    const graph = expandGraph(
      native('services: { a: {}, b: { forward: true } }\nbridges: [s]\nlinks: [{ from: a, to: s }]'),
    );
    expect(graph.forwards).toEqual([false, true, true]);
  });
});

it('names an endpoint after its service and the number of its replica', () => {
  const { endpoints } = expandGraph(native('services: { a_1-b: {}, c: { replicas: 12 } }'));
  expect(endpoints).toEqual(endpoints.map((name) => endpointName(serviceOf(name), replicaOf(name))));
  expect([...new Set(endpoints.map(serviceOf))]).toEqual(['a_1-b', 'c']);
  const replicas = endpoints.filter((name) => serviceOf(name) === 'c').map(replicaOf);
  expect(replicas).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});
