/**
 * Scale-free topologies by preferential attachment (Barabási and Albert, "Emergence of scaling in random networks",
 * Science 286, 1999): nodes are added one after the other, and each links to `attach` earlier ones with a probability
 * in proportion to their degree.
 *
 * Nodes to which no other attached are the services, all others are bridges. So services do not have to forward, and
 * bridges are connected among themselves. With one link per node, two thirds of the nodes are such leaves on average.
 * The attachment is repeated until their number is exactly that of the topologies of Amaro's thesis (Kollaps 2.0,
 * 2021).
 */
import { MAX_ENDPOINTS } from '../model/limits.ts';
import type { SeededRandom } from '../model/random.ts';
import { GenerateError, sizeError } from './errors.ts';
import type { Shape, ShapeOptions, Wire, Wiring } from './model.ts';

/** Nodes → services of the thesis; other sizes have two thirds. */
const PUBLISHED: ReadonlyMap<number, number> = new Map([
  [500, 332],
  [1000, 666],
  [2000, 1344],
  [4000, 2668],
]);
const MAX_NODES = MAX_ENDPOINTS;
const MAX_ATTACH = 16;
/**
 * The number of leaves has the variance n / 9, so one attempt in 0.84 √n succeeds; so many failures have the
 * probability e^-100.
 */
const DRAWS = 100;

export const scaleFree: Shape = {
  name: 'scale-free',
  summary: 'preferential attachment, as the Internet grew (Barabási and Albert)',
  explanation: `--nodes counts services and bridges. New nodes link to those that have many links. Who nobody linked to is a
service; the others are bridges. With --attach 1 it is a tree, and two thirds are services (332 of 500, 666 of 1,000,
1,344 of 2,000, 2,668 of 4,000, as in Kollaps 2.0); with more there are alternative paths, and fewer services.`,
  uses: ['attach'],
  wire,
};

/** Services of a scale-free topology of `nodes` with one link each. */
export function serviceCount(nodes: number): number {
  return PUBLISHED.get(nodes) ?? Math.round((2 * nodes) / 3);
}

function wire({ nodes = 0, attach }: ShapeOptions, random: SeededRandom): Wiring {
  checkSize(nodes, attach);
  const attachment = new Attachment(nodes, attach);
  const draws = attach === 1 ? Math.ceil(DRAWS * Math.sqrt(nodes)) : 1;
  for (let draw = 0; draw < draws; draw++) {
    attachment.draw(random);
    if (attach > 1 || attachment.countLeaves() === serviceCount(nodes)) return wiring(attachment);
  }
  throw new GenerateError(
    'GENERATE_LIMIT',
    `${draws} attachments of ${nodes} nodes had another count of leaves than ${serviceCount(nodes)}`,
    'use another --seed',
  );
}

function checkSize(nodes: number, attach: number): void {
  if (attach < 1 || attach > MAX_ATTACH) {
    throw new GenerateError(
      'GENERATE_NUMBER',
      `--attach ${attach} does not work: each node links to a few others`,
      `use 1 to ${MAX_ATTACH}`,
    );
  }
  const least = attach + 2;
  if (nodes >= least && nodes <= MAX_NODES) return;
  throw sizeError(nodes, `--attach ${attach} needs ${least} nodes`, `${least} to ${MAX_NODES}`);
}

class Attachment {
  readonly degree: Int32Array;
  /** Both ends of every link, newer node first: a random entry is a node in proportion to its degree. */
  readonly ends: Int32Array;
  readonly attach: number;
  /** Links among the first `attach` + 1 nodes, all of which are linked with each other. */
  readonly #first: number;

  constructor(nodes: number, attach: number) {
    this.#first = (attach * (attach + 1)) / 2;
    this.degree = new Int32Array(nodes);
    this.ends = new Int32Array(2 * (this.#first + (nodes - attach - 1) * attach));
    this.attach = attach;
  }

  draw(random: SeededRandom): void {
    const { degree, ends, attach } = this;
    degree.fill(0);
    let used = 0;
    const link = (node: number, other: number): void => {
      ends[used++] = node;
      ends[used++] = other;
      degree[node]!++;
      degree[other]!++;
    };
    for (let node = 1; node <= attach; node++) for (let other = 0; other < node; other++) link(node, other);
    for (let node = attach + 1; node < degree.length; node++) {
      const known = used;
      for (let links = 0; links < attach; ) {
        const other = ends[random.below(known)]!;
        if (isAmong(other, ends, known, used)) continue;
        link(node, other);
        links++;
      }
    }
  }

  isLeaf(node: number): boolean {
    return this.degree[node] === this.attach;
  }

  countLeaves(): number {
    let leaves = 0;
    for (const degree of this.degree) if (degree === this.attach) leaves++;
    return leaves;
  }
}

/** Whether the links `begin` to `end` of a new node lead to `other` already. */
function isAmong(other: number, ends: Int32Array, begin: number, end: number): boolean {
  for (let at = begin + 1; at < end; at += 2) if (ends[at] === other) return true;
  return false;
}

function wiring(attachment: Attachment): Wiring {
  const { degree, ends } = attachment;
  const services: string[] = [];
  const bridges: string[] = [];
  const names = Array.from(degree, (_, node) => {
    const [kind, letter] = attachment.isLeaf(node) ? [services, 'n'] : [bridges, 'b'];
    const name = `${letter}${kind.length}`;
    kind.push(name);
    return name;
  });
  const wires: Wire[] = [];
  for (let at = 0; at < ends.length; at += 2)
    wires.push({ from: names[ends[at]!]!, to: names[ends[at + 1]!]! });
  return { services, bridges, wires };
}
