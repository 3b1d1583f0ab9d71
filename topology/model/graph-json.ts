/** A graph as JSON, for another process. */
import { decodeImpairment, encodeImpairment } from '../../proto/impairment.ts';
import type { EncodedGraph } from '../../proto/view.ts';
import type { Graph, GraphLink } from './model.ts';

export function encodeGraph({ links, partitions, ...plain }: Graph): EncodedGraph {
  return {
    ...plain,
    links: links.map((link) => ({ ...namesOf(link), ...encodeImpairment(link) })),
    ...(partitions && { partitions: partitions.map((groups) => Array.from(groups)) }),
  };
}

export function decodeGraph({ links, ...plain }: EncodedGraph): Graph {
  return {
    ...(plain as Omit<Graph, 'links'>),
    links: links.map((link) => ({ ...namesOf(link), ...decodeImpairment(link) })),
  };
}

/** What a link has besides its impairment. */
const namesOf = ({
  name,
  weight,
  relationship,
}: Pick<GraphLink, 'name' | 'weight' | 'relationship'>): Pick<
  GraphLink,
  'name' | 'weight' | 'relationship'
> => ({
  name,
  ...(weight !== undefined && { weight }),
  ...(relationship && { relationship }),
});
