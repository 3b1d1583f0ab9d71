/**
 * Places of nodes in the plane: a radial tree of each component, relaxed by springs and repulsion (Fruchterman and Reingold, 1991).
 * Pure, and the same for the same graph, so that a picture that was seen once is recognised.
 */

export interface Point {
  x: number;
  y: number;
}

export interface Net {
  readonly nodes: readonly string[];
  /** Pairs of numbers of nodes. */
  readonly edges: readonly (readonly [number, number])[];
}

/** The length that a link wants to have. */
const LENGTH = 100;
/** Of all pairs of nodes: half a second for a thousand nodes. */
const MOST_STEPS = 300;
const STEP_PAIRS = 150e6;

/** By number of node, centred at 0. */
export function layOut(net: Net): Point[] {
  const neighbours = neighboursOf(net);
  const places: Point[] = net.nodes.map(() => ({ x: 0, y: 0 }));
  const components = componentsOf(neighbours);
  const boxes = components.map((members) => {
    radial(members, neighbours, places);
    relax(members, net, places);
    return centred(members, places);
  });
  pack(components, boxes, places);
  return places;
}

function neighboursOf({ nodes, edges }: Net): number[][] {
  const neighbours: number[][] = nodes.map(() => []);
  for (const [a, b] of edges) {
    if (a === b) continue;
    neighbours[a]!.push(b);
    neighbours[b]!.push(a);
  }
  return neighbours;
}

/** The largest first. */
function componentsOf(neighbours: readonly (readonly number[])[]): number[][] {
  const isSeen = new Uint8Array(neighbours.length);
  const components: number[][] = [];
  for (let start = 0; start < neighbours.length; start++) {
    if (isSeen[start]) continue;
    const members = [start];
    isSeen[start] = 1;
    for (let at = 0; at < members.length; at++) {
      for (const next of neighbours[members[at]!]!) {
        if (isSeen[next]) continue;
        isSeen[next] = 1;
        members.push(next);
      }
    }
    components.push(members);
  }
  return components.sort((a, b) => b.length - a.length);
}

/** A tree by breadth around the node in the middle: each subtree has an angle that is as wide as it has leaves. */
function radial(
  members: readonly number[],
  neighbours: readonly (readonly number[])[],
  places: Point[],
): void {
  const root = middleOf(members, neighbours);
  const children = new Map<number, number[]>();
  const order = [root];
  const isSeen = new Set(order);
  for (let at = 0; at < order.length; at++) {
    const below = neighbours[order[at]!]!.filter((next) => !isSeen.has(next));
    for (const next of new Set(below)) {
      isSeen.add(next);
      order.push(next);
      children.set(order[at]!, [...(children.get(order[at]!) ?? []), next]);
    }
  }
  const leaves = new Map<number, number>();
  for (const node of order.toReversed()) {
    const below = children.get(node) ?? [];
    leaves.set(
      node,
      Math.max(
        1,
        below.reduce((sum, child) => sum + leaves.get(child)!, 0),
      ),
    );
  }
  const span = new Map([[root, { from: 0, to: 2 * Math.PI, depth: 0 }]]);
  places[root] = { x: 0, y: 0 };
  for (const node of order) {
    const { from, to, depth } = span.get(node)!;
    let angle = from;
    for (const child of children.get(node) ?? []) {
      const width = ((to - from) * leaves.get(child)!) / leaves.get(node)!;
      const middle = angle + width / 2;
      span.set(child, { from: angle, to: angle + width, depth: depth + 1 });
      angle += width;
      const distance = LENGTH * (depth + 1);
      places[child] = { x: distance * Math.cos(middle), y: distance * Math.sin(middle) };
    }
  }
}

/** The node whose farthest node is nearest, nearly: the middle of a longest path that two searches find. */
function middleOf(members: readonly number[], neighbours: readonly (readonly number[])[]): number {
  const farthest = (start: number): { end: number; before: Map<number, number> } => {
    const before = new Map([[start, start]]);
    const order = [start];
    for (let at = 0; at < order.length; at++) {
      for (const next of neighbours[order[at]!]!) {
        if (before.has(next)) continue;
        before.set(next, order[at]!);
        order.push(next);
      }
    }
    return { end: order.at(-1)!, before };
  };
  const { end: one } = farthest(members[0]!);
  const { end: other, before } = farthest(one);
  const path = [other];
  while (path.at(-1) !== one) path.push(before.get(path.at(-1)!)!);
  return path[Math.floor(path.length / 2)]!;
}

function relax(members: readonly number[], { edges }: Net, places: Point[]): void {
  const number = members.length;
  if (number < 3) return;
  const local = new Map(members.map((node, index) => [node, index]));
  const x = Float64Array.from(members, (node) => places[node]!.x);
  const y = Float64Array.from(members, (node) => places[node]!.y);
  const springs = edges.flatMap(([a, b]) => {
    const [from, to] = [local.get(a), local.get(b)];
    return from === undefined || to === undefined || from === to ? [] : [[from, to] as const];
  });
  const steps = Math.min(MOST_STEPS, Math.max(20, Math.floor(STEP_PAIRS / (number * number))));
  const dx = new Float64Array(number);
  const dy = new Float64Array(number);
  for (let step = 0; step < steps; step++) {
    dx.fill(0);
    dy.fill(0);
    repel(x, y, dx, dy);
    for (const [a, b] of springs) {
      const [ax, ay] = [x[b]! - x[a]!, y[b]! - y[a]!];
      const pull = Math.hypot(ax, ay) / LENGTH;
      dx[a]! += ax * pull;
      dy[a]! += ay * pull;
      dx[b]! -= ax * pull;
      dy[b]! -= ay * pull;
    }
    const most = (LENGTH / 4) * (1 - step / steps);
    for (let node = 0; node < number; node++) {
      const length = Math.hypot(dx[node]!, dy[node]!);
      if (length === 0) continue;
      const move = Math.min(most, length / 4) / length;
      x[node]! += dx[node]! * move;
      y[node]! += dy[node]! * move;
    }
  }
  for (const [index, node] of members.entries()) places[node] = { x: x[index]!, y: y[index]! };
}

function repel(x: Float64Array, y: Float64Array, dx: Float64Array, dy: Float64Array): void {
  const strength = LENGTH * LENGTH;
  for (let a = 0; a < x.length; a++) {
    const [ax, ay] = [x[a]!, y[a]!];
    let [sumX, sumY] = [0, 0];
    for (let b = a + 1; b < x.length; b++) {
      let apartX = ax - x[b]!;
      let apartY = ay - y[b]!;
      let square = apartX * apartX + apartY * apartY;
      if (square < 1) {
        // Two at one place: apart by their numbers.
        apartX = Math.cos(a - b);
        apartY = Math.sin(a - b);
        square = 1;
      }
      const force = strength / square;
      sumX += apartX * force;
      sumY += apartY * force;
      dx[b]! -= apartX * force;
      dy[b]! -= apartY * force;
    }
    dx[a]! += sumX;
    dy[a]! += sumY;
  }
}

interface Box {
  readonly width: number;
  readonly height: number;
}

/** Turned so that it is wider than high, and moved so that its box begins at 0. */
function centred(members: readonly number[], places: Point[]): Box {
  turn(members, places);
  const xs = members.map((node) => places[node]!.x);
  const ys = members.map((node) => places[node]!.y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  for (const node of members) {
    const { x, y } = places[node]!;
    places[node] = { x: x - left, y: y - top };
  }
  return { width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/** Screens are wide: the direction in which the places vary most becomes horizontal. */
function turn(members: readonly number[], places: Point[]): void {
  const number = members.length;
  const middle = { x: 0, y: 0 };
  for (const node of members) {
    middle.x += places[node]!.x / number;
    middle.y += places[node]!.y / number;
  }
  let [xx, yy, xy] = [0, 0, 0];
  for (const node of members) {
    const [x, y] = [places[node]!.x - middle.x, places[node]!.y - middle.y];
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  const angle = -Math.atan2(2 * xy, xx - yy) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (const node of members) {
    const [x, y] = [places[node]!.x - middle.x, places[node]!.y - middle.y];
    places[node] = { x: x * cos - y * sin, y: x * sin + y * cos };
  }
}

/** Components in rows, the largest at the top. */
function pack(components: readonly (readonly number[])[], boxes: readonly Box[], places: Point[]): void {
  const gap = LENGTH;
  const area = boxes.reduce((sum, { width, height }) => sum + (width + gap) * (height + gap), 0);
  const most = Math.max(boxes[0]?.width ?? 0, Math.sqrt(area * 2));
  let [x, y, row] = [0, 0, 0];
  let width = 0;
  for (const [index, members] of components.entries()) {
    const box = boxes[index]!;
    if (x > 0 && x + box.width > most) {
      y += row + gap;
      [x, row] = [0, 0];
    }
    for (const node of members) {
      places[node]!.x += x;
      places[node]!.y += y;
    }
    x += box.width + gap;
    row = Math.max(row, box.height);
    width = Math.max(width, x - gap);
  }
  for (const place of places) {
    place.x -= width / 2;
    place.y -= (y + row) / 2;
  }
}
