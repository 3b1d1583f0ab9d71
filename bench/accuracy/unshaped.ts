/**
 * What the machine reaches by itself, over the same hops as all other measurements: the scale for the other tables.
 */

import { tcpSeconds } from '../../controller/verify/goodput.ts';
import { median } from '../measure/statistics.ts';
import type { Context, Unshaped } from './context.ts';

export async function measureUnshaped({ withLab, effort }: Omit<Context, 'unshaped'>): Promise<Unshaped> {
  return withLab('services: { a: {}, b: {} }\nlinks: [{ from: a, to: b }]\n', async ({ place }) => {
    return { goodputBps: median(await tcpSeconds({ from: place('a'), to: place('b') }, effort.fastTcp)) };
  });
}
