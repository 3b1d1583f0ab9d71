/** Fat trees (Al-Fares, Loukissas and Vahdat, "A scalable, commodity data center network architecture", SIGCOMM 2008). */
import { MAX_ENDPOINTS } from '../model/limits.ts';
import { GenerateError, sizeError } from './errors.ts';
import { numbered, type Shape, type ShapeOptions, type Wire, type Wiring } from './model.ts';

/** k³/4 hosts are no more than netfold's endpoints. */
const MAX_PODS = 2 * Math.floor(Math.cbrt(MAX_ENDPOINTS * 4) / 2);

export const fatTree: Shape = {
  name: 'fat-tree',
  summary: 'a data centre of k pods (Al-Fares and others)',
  explanation: `--nodes counts services, which are k³/4 for k pods: 2, 16, 54, 128, 250, 432, 686, 1024, …; or say --pods. A pod has
k/2 edge and k/2 aggregation switches; (k/2)² core switches join the pods. Traffic between two services takes one
path, the best; with one value for all latencies that is the same core for many. Write ecmp: (k/2)² into the file, at most
16, for flows to be spread over the cores.`,
  uses: ['pods'],
  wire,
};

function wire(options: ShapeOptions): Wiring {
  const pods = podsOf(options);
  const half = pods / 2;
  const services = numbered('n', pods * half * half);
  const cores = numbered('core', half * half);
  const bridges = [...cores];
  const wires: Wire[] = [];
  for (let pod = 0; pod < pods; pod++) {
    for (let switchOf = 0; switchOf < half; switchOf++) {
      const [aggregation, edge] = [`agg${pod}-${switchOf}`, `edge${pod}-${switchOf}`];
      bridges.push(aggregation, edge);
      for (let port = 0; port < half; port++) {
        wires.push({ from: aggregation, to: cores[switchOf * half + port]! });
        wires.push({ from: edge, to: `agg${pod}-${port}` });
        wires.push({ from: services[(pod * half + switchOf) * half + port]!, to: edge });
      }
    }
  }
  return { services, bridges, wires };
}

function podsOf({ nodes, pods }: ShapeOptions): number {
  const wanted = pods ?? Math.round(Math.cbrt(4 * (nodes ?? 0)));
  const fits = wanted % 2 === 0 && wanted >= 2 && wanted <= MAX_PODS;
  if (pods !== undefined && !fits) {
    const message = `--pods ${pods} does not work: half of the ports of a switch go up, half go down`;
    throw new GenerateError('GENERATE_NUMBER', message, `use an even number from 2 to ${MAX_PODS}`);
  }
  if (nodes === undefined || (fits && hosts(wanted) === nodes)) return wanted;
  if (pods !== undefined) throw sizeError(nodes, `${pods} pods have ${hosts(pods)} services`, `one of both`);
  const below = Math.min(MAX_PODS, Math.max(2, 2 * Math.floor(Math.cbrt(4 * nodes) / 2)));
  const above = Math.min(MAX_PODS, below + 2);
  throw sizeError(
    nodes,
    'a fat tree of k pods has k³/4 services',
    `${hosts(below)} (--pods ${below}) or ${hosts(above)} (--pods ${above})`,
  );
}

function hosts(pods: number): number {
  return pods ** 3 / 4;
}
