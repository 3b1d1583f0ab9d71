/** The topology of the large measurements, as the text of its file. */
import {
  DEFAULT_RANGES,
  DEFAULT_SHAPE_OPTIONS,
  generateTopology,
  SHAPES,
} from '../../topology/generate/generate.ts';

/** What `netfold generate scale-free --nodes N --seed S` prints. */
export function scaleFreeText(nodes: number, seed: number): string {
  return generateTopology({
    shape: SHAPES.find(({ name }) => name === 'scale-free')!,
    options: { ...DEFAULT_SHAPE_OPTIONS, nodes },
    ranges: DEFAULT_RANGES,
    seed,
    command: `netfold generate scale-free --nodes ${nodes} --seed ${seed}`,
  });
}
