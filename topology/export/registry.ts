/** All programs for which a topology can be written. A new one is a file here, and an entry in `EXPORTS`. */
import { containerlab } from './containerlab.ts';
import type { Export } from './export.ts';
import { graphml } from './graphml.ts';
import { mermaid } from './mermaid.ts';
import { mininet } from './mininet.ts';
import { ns3 } from './ns3.ts';

export const EXPORTS: readonly Export[] = [containerlab, mininet, ns3, graphml, mermaid];

export function exportNamed(name: string): Export | undefined {
  return EXPORTS.find((one) => one.name === name);
}
