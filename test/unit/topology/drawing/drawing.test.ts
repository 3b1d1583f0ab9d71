/** Topologies as pictures. */
import { expect, test } from 'vitest';
import { micros } from '../../../../proto/units.ts';
import { loadTopology } from '../../../../topology/load.ts';
import { dot, drawingOf, mermaid } from '../../../../topology/report/drawing.ts';
import { placesOf } from '../../../../topology/report/layout.ts';
import { svg } from '../../../../topology/report/svg.ts';
import { graphAt } from '../../../../topology/timeline/graph-at.ts';

const TEXT = `
services: { client: { replicas: 2 }, server: {}, alone: {} }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 5ms, up: 10Mbps, down: 3Mbps }
  - { from: server, to: s1, latency: 1ms, jitter: 100us, loss: 1% }
events:
  - at 5s leave client.1
`;
const { topology } = loadTopology(TEXT, 'lab.yaml');
const drawing = (seconds = 0) => drawingOf(graphAt(topology, micros(seconds * 1e6)));

test('a pair of links is one line, with a label for each direction where they differ', () => {
  const { nodes, lines } = drawing();
  expect(nodes.map(({ name, isBridge, isAlone }) => [name, isBridge, isAlone])).toEqual([
    ['alone', false, true],
    ['client.0', false, false],
    ['client.1', false, false],
    ['server', false, false],
    ['s1', true, false],
  ]);
  expect(lines.map(({ from, to, isBoth, label, loses }) => [from, to, isBoth, label, loses])).toEqual([
    [1, 4, true, '→ 5ms, 10Mbps / ← 5ms, 3Mbps', false],
    [2, 4, true, '→ 5ms, 10Mbps / ← 5ms, 3Mbps', false],
    [3, 4, true, '1ms ± 100us, 1% loss', true],
  ]);
});

test('what has left is alone', () => {
  const { nodes, lines } = drawing(6);
  expect(nodes[2]).toEqual({ name: 'client.1', isBridge: false, isAlone: true });
  expect(lines).toHaveLength(2);
});

test('a link in one direction has an arrow', () => {
  const graph = graphAt(topology, micros(6e6));
  const away = graph.edges.filter(({ to }) => graph.nodes[to] === 's1');
  const { lines } = drawingOf({ ...graph, edges: away });
  expect(lines).toMatchObject([
    { from: 1, to: 4, isBoth: false, label: '5ms, 10Mbps' },
    { from: 3, to: 4, isBoth: false },
  ]);
  expect(mermaid(drawingOf({ ...graph, edges: away }))).toContain('n1 -->|');
});

test('for Mermaid', () => {
  expect(mermaid(drawing(6))).toBe(`flowchart LR
  n0("alone")
  n1("client.0")
  n2("client.1")
  n3("server")
  n4{{"s1"}}
  n1 ---|"→ 5ms, 10Mbps / ← 5ms, 3Mbps"| n4
  n3 ---|"1ms ± 100us, 1% loss"| n4
`);
});

test('for Graphviz, with names that have quotes', () => {
  expect(dot(drawing(6), 'a "lab"')).toBe(`digraph "a \\"lab\\"" {
  n0 [label="alone", shape=box];
  n1 [label="client.0", shape=box];
  n2 [label="client.1", shape=box];
  n3 [label="server", shape=box];
  n4 [label="s1", shape=diamond];
  n1 -> n4 [label="→ 5ms, 10Mbps / ← 5ms, 3Mbps", dir=none];
  n3 -> n4 [label="1ms ± 100us, 1% loss", dir=none];
}
`);
});

test('as SVG: every node once, within the picture, and no markup from names', () => {
  const text = svg(drawing(), '<script>alert(1)</script>');
  expect(text).not.toContain('<script>');
  expect(text.match(/<rect /g)).toHaveLength(5);
  expect(text.match(/<line /g)).toHaveLength(3);
  expect(text.match(/class="line loses"/g)).toHaveLength(1);
  const [size, height] = /viewBox="0 0 (\d+) (\d+)/.exec(text)!.slice(1).map(Number) as [number, number];
  for (const [, x, width] of text.matchAll(/<rect [^>]*x="([-\d.]+)"[^>]*width="(\d+)"/g)) {
    expect(Number(x)).toBeGreaterThanOrEqual(0);
    expect(Number(x) + Number(width)).toBeLessThanOrEqual(size);
  }
  for (const [, y] of text.matchAll(/<rect [^>]*y="([-\d.]+)"/g)) {
    expect(Number(y)).toBeGreaterThanOrEqual(0);
    expect(Number(y) + 24).toBeLessThanOrEqual(height);
  }
});

test('of two directions, each arrow points as it does in the picture', () => {
  const { nodes, lines } = drawing(6);
  const text = svg({ nodes, lines }, 'x');
  const place = (name: string) => {
    const [, x, y] = new RegExp(`<text x="([\\d.]+)" y="([\\d.]+)">${name}<`).exec(text)!.map(Number) as [
      number,
      number,
      number,
    ];
    return { x, y };
  };
  const [client, bridge] = [place('client.0'), place('s1')];
  const across = Math.abs(bridge.x - client.x) >= Math.abs(bridge.y - client.y);
  const there = across ? (bridge.x > client.x ? '→' : '←') : bridge.y > client.y ? '↓' : '↑';
  expect(text).toContain(`>${there} 5ms, 10Mbps</tspan>`);
  expect(text.match(/>[→←↑↓] 5ms, 3Mbps<\/tspan>/g)).toHaveLength(1);
  expect(text).not.toContain(`>${there} 5ms, 3Mbps</tspan>`);
});

test('places are the same every time, apart from each other, and neighbours are near', () => {
  const ring = {
    nodes: Array.from({ length: 12 }, (_, n) => ({ name: `n${n}`, isBridge: false, isAlone: false })),
    lines: Array.from({ length: 12 }, (_, n) => {
      return { from: n, to: (n + 1) % 12, isBoth: true, label: '', loses: false };
    }),
  };
  const places = placesOf(ring);
  expect(placesOf(ring)).toEqual(places);
  const distance = (a: number, b: number): number =>
    Math.hypot(places[a]!.x - places[b]!.x, places[a]!.y - places[b]!.y);
  for (let n = 0; n < 12; n++) {
    expect(distance(n, (n + 1) % 12)).toBeGreaterThan(0.05);
    expect(distance(n, (n + 1) % 12)).toBeLessThan(distance(n, (n + 6) % 12));
  }
});

test('a thousand nodes are drawn', () => {
  const nodes = Array.from({ length: 1000 }, (_, n) => ({ name: `n${n}`, isBridge: false, isAlone: false }));
  const lines = nodes
    .slice(1)
    .map((_, n) => ({ from: 0, to: n + 1, isBoth: true, label: 'x', loses: false }));
  const places = placesOf({ nodes, lines });
  expect(places.every(({ x, y }) => x >= 0 && x <= 1 && y >= 0 && y <= 1)).toBe(true);
});
