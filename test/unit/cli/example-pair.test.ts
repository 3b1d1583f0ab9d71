import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examplePair } from '../../../controller/cli/commands/example-pair.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

const graphOf = (text: string) => expandGraph(loadTopology(text, 'test.yaml').topology);
const example = (name: string): string =>
  readFileSync(new URL(`../../../examples/${name}.yaml`, import.meta.url), 'utf8');
const pairOf = (text: string) => {
  const graph = graphOf(text);
  return examplePair(graph, graph.endpoints);
};

describe('the ping that is printed', () => {
  it('is between endpoints that answer: the studio has no way back', () => {
    expect(pairOf(example('asymmetric'))).toEqual({ from: 'home.0', to: 'ship.0' });
  });
  it('passes over paths that lose everything', () => {
    const text =
      'services: { a: {}, b: {}, c: {} }\nlinks:\n  - { from: a, to: c, loss: 100% }\n  - { from: a, to: b, loss: 10% }\n';
    expect(pairOf(text)).toEqual({ from: 'a.0', to: 'b.0' });
  });
  it('is between endpoints of this machine', () => {
    const graph = graphOf(
      'services: { a: {}, b: {}, c: {} }\nlinks: [{ from: a, to: b }, { from: b, to: c }, { from: a, to: c }]\n',
    );
    expect(examplePair(graph, ['a.0', 'b.0'])).toEqual({ from: 'a.0', to: 'b.0' });
  });
  it('is none where nobody answers', () => {
    expect(pairOf('services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, oneway: true }]\n')).toBeUndefined();
    expect(pairOf('services: { a: {} }\n')).toBeUndefined();
  });
});
