/** Shapes without randomness: dumbbell, star, ring, tree, grid. */
import { MAX_BRIDGES, MAX_ENDPOINTS } from '../model/limits.ts';
import { GenerateError, sizeError } from './errors.ts';
import { numbered, type Shape, type ShapeOptions, type Wire, type Wiring } from './model.ts';

export const dumbbell: Shape = {
  name: 'dumbbell',
  summary: 'clients and servers on two sides of one link',
  explanation: `--nodes counts services: half of them are clients behind the bridge left, half are servers behind the bridge
right. With traffic, client0 talks to server0, and so on.`,
  uses: [],
  wire({ nodes = 0 }) {
    if (nodes % 2 === 1)
      throw sizeError(nodes, 'each client has a server', `${nodes - 1 || 2} or ${nodes + 1}`);
    checkRange(nodes, 2, MAX_ENDPOINTS - 1);
    const clients = numbered('client', nodes / 2);
    const servers = numbered('server', nodes / 2);
    return {
      services: [...clients, ...servers],
      bridges: ['left', 'right'],
      wires: [
        { from: 'left', to: 'right' },
        ...clients.map((from) => ({ from, to: 'left' })),
        ...servers.map((from) => ({ from, to: 'right' })),
      ],
      partners: clients.map((client, index) => [client, servers[index]!]),
    };
  },
};

export const star: Shape = {
  name: 'star',
  summary: 'services around one bridge',
  explanation: '--nodes counts services; each is linked to the one bridge, hub.',
  uses: [],
  wire({ nodes = 0 }) {
    checkRange(nodes, 2, MAX_ENDPOINTS);
    const services = numbered('n', nodes);
    return { services, bridges: ['hub'], wires: services.map((from) => ({ from, to: 'hub' })) };
  },
};

export const ring: Shape = {
  name: 'ring',
  summary: 'bridges in a circle, a service at each',
  explanation: '--nodes counts services, and bridges: there are as many.',
  uses: [],
  wire({ nodes = 0 }) {
    checkRange(nodes, 3, MAX_BRIDGES);
    const around = numbered('b', nodes).map((from, index) => ({ from, to: `b${(index + 1) % nodes}` }));
    return besideBridges(nodes, around);
  },
};

export const tree: Shape = {
  name: 'tree',
  summary: 'services are the leaves of a tree of bridges',
  explanation: `--nodes counts services. They are at one depth; each bridge has --fanout of them, or of bridges, below it, or
fewer where --nodes is no power of it. b0 is the root.`,
  uses: ['fanout'],
  wire: wireTree,
};

export const grid: Shape = {
  name: 'grid',
  summary: 'bridges in rows and columns, a service at each',
  explanation: `--nodes counts services, and bridges: there are as many, each linked to its neighbours in row and column. Without
--columns there are as many of them as rows, or one more.`,
  uses: ['columns'],
  wire: wireGrid,
};

function checkRange(nodes: number, least: number, most: number): void {
  if (nodes < least || nodes > most)
    throw sizeError(nodes, nodes < least ? 'that is too few' : 'that is too many', `${least} to ${most}`);
}

/** A service at each of `count` bridges. */
function besideBridges(count: number, between: readonly Wire[]): Wiring {
  const services = numbered('n', count);
  const bridges = numbered('b', count);
  return {
    services,
    bridges,
    wires: [...between, ...services.map((from, index) => ({ from, to: bridges[index]! }))],
  };
}

function wireTree({ nodes = 0, fanout }: ShapeOptions): Wiring {
  if (fanout < 2) {
    const message = `--fanout ${fanout} does not work: below a bridge are at least two`;
    throw new GenerateError('GENERATE_NUMBER', message, 'use 2 or more');
  }
  checkRange(nodes, 2, MAX_BRIDGES);
  const widths = [nodes];
  while (widths[0]! > 1) widths.unshift(Math.ceil(widths[0]! / fanout));
  const services = numbered('n', nodes);
  const bridges = numbered(
    'b',
    widths.slice(0, -1).reduce((sum, width) => sum + width, 0),
  );
  const wires: Wire[] = [];
  let above = 0;
  for (let depth = 1; depth < widths.length; depth++) {
    const [parents, children] = [widths[depth - 1]!, widths[depth]!];
    const first = above + parents;
    for (let child = 0; child < children; child++) {
      const from = depth === widths.length - 1 ? services[child]! : bridges[first + child]!;
      wires.push({ from, to: bridges[above + Math.floor((child * parents) / children)]! });
    }
    above = first;
  }
  return { services, bridges, wires };
}

function wireGrid({ nodes = 0, columns = Math.ceil(Math.sqrt(nodes)) }: ShapeOptions): Wiring {
  checkRange(nodes, 2, MAX_BRIDGES);
  if (columns < 1 || columns > nodes || nodes % columns !== 0) throw gridError(nodes, columns);
  const between: Wire[] = [];
  for (let node = 0; node < nodes; node++) {
    if ((node + 1) % columns !== 0) between.push({ from: `b${node}`, to: `b${node + 1}` });
    if (node + columns < nodes) between.push({ from: `b${node}`, to: `b${node + columns}` });
  }
  return besideBridges(nodes, between);
}

function gridError(nodes: number, columns: number): GenerateError {
  const side = Math.floor(Math.sqrt(nodes));
  const sizes = `${side ** 2} or ${(side + 1) ** 2}, or a --columns that divides it`;
  return sizeError(nodes, `${columns} columns leave a row unfinished`, sizes);
}
