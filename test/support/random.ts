export { type Random, seededRandom } from '../../bench/simulation/random.ts';
