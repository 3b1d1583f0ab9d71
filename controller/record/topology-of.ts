/** The topology of a record, as agents read it. Apart from what names a record's texts, since all formats are loaded for it. */
import { loadTopology } from '../../topology/load.ts';
import type { Topology } from '../../topology/model/model.ts';
import { type Recorded, textsOf } from './again.ts';

/** Throws `TopologyError` and system errors. */
export function topologyOf(recorded: Recorded): Topology {
  const { text, script } = textsOf(recorded);
  return loadTopology(text, recorded.description.topology.texts[0]!, script).topology;
}
