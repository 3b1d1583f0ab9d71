import { type Diagnostic, loadTopology, TopologyError } from '../../../topology/load.ts';
import type { Topology } from '../../../topology/model/model.ts';

/** The topology of a native file. */
export function native(text: string): Topology {
  return loadTopology(text, 'test.yaml').topology;
}

/** The topology of a file in the Kollaps dialect. */
export function kollaps(text: string): Topology {
  return loadTopology(text, 'test.xml').topology;
}

/** What a file that must be refused is refused for. */
export function problems(text: string, file = 'test.yaml'): readonly Diagnostic[] {
  try {
    loadTopology(text, file);
  } catch (error) {
    if (error instanceof TopologyError) return error.diagnostics.filter((one) => one.severity === 'error');
    throw error;
  }
  throw new Error(`${file} was accepted`);
}

export function warnings(text: string, file = 'test.yaml'): readonly Diagnostic[] {
  return loadTopology(text, file).warnings;
}
