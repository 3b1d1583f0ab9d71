/**
 * Loss as one netem can do it: independent, or by one model (net/sched/sch_netem.c: loss_event). Independent loss in series with a
 * model becomes a part of the model. Pure.
 */
import type { Impairment, PacketImpairment } from '../../proto/impairment.ts';
import { type FourStates, lossModelOf, type TwoStates } from '../../proto/models.ts';
import { delayingRules } from '../../proto/rules.ts';
import type { NetemQueue } from './interface-state.ts';

const MAX_U32 = 0xffffffff;
const steps = (probability: number): number => Math.round(Math.min(1, probability) * MAX_U32);

/** `every` is not there: `refusedByNetem` has refused it. */
export function netemLosses({
  loss,
  lossModel,
}: Pick<PacketImpairment, 'loss' | 'lossModel'>): Pick<NetemQueue, 'loss' | 'lossModel'> {
  const model = lossModel === undefined ? undefined : lossModelOf(lossModel);
  if (!model || model.kind === 'every') return { loss: steps(loss) / MAX_U32 };
  return { loss: 0, lossModel: model.kind === 'two states' ? gemodel(model, loss) : state(model, loss) };
}

/** Exact: in each of the states, a packet has to pass both. */
function gemodel({ p, r, h, k }: TwoStates, loss: number): string {
  const passing = 1 - loss;
  return ['gemodel', ...[p, r, h * passing, 1 - k * passing].map(steps)].join(' ');
}

/**
 * Independent loss between bursts becomes loss in state 4, of single packets: two in a row (the square of `loss`) and what it
 * would take of the packets that pass within a burst are left out.
 */
function state({ p13, p31, p32, p23, p14 }: FourStates, loss: number): string {
  const alone = p14 + loss * (1 - p13 - p14);
  return ['state', ...[p13, p31, p32, alone, p23].map(steps)].join(' ');
}

/** What netem can't do, in words; absent: it can do all of it. */
export function refusedByNetem(of: PacketImpairment & Pick<Impairment, 'rules'>): string | undefined {
  const { lossModel, duplicate = 0, jitterCorrelation, reorderDistance, rules } = of;
  if (lossModel !== undefined && lossModelOf(lossModel).kind === 'every')
    return `loss_model: ${lossModel} (it draws each loss)`;
  if (duplicate > 0) return 'duplicate (it refuses to beside other netems, and each destination has one)';
  if (jitterCorrelation !== undefined)
    return 'jitter_correlation (it has no effect there with a distribution)';
  if (reorderDistance !== undefined) return 'reorder_distance (what it reorders is not delayed at all)';
  const delaying = rules === undefined ? undefined : delayingRules(rules);
  if (delaying !== undefined) return `rules: ${delaying} (it delays all packets of a path)`;
  return undefined;
}
