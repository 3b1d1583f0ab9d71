/** Rows of the queue bench: what netfold gives, beside what the router gives. */
import { judge } from '../report/judge.ts';
import type { Row } from '../report/model.ts';

const BOUND = { kind: 'relative', value: 0.1 } as const;
/** What waking up adds to a round trip counts little in one that waits. */
const ROUND_TRIP_MS = 0.5;
/** A flow that fills a queue loses a packet now and then: how many is a matter of its phase. */
const LOSS = 0.01;

export type Kind = 'rate' | 'loss' | 'round trip';

export function besideRouter(kind: Kind, what: string, target: number, measured: number): Row {
  const unit = ({ rate: 'bit/s', loss: 'ratio', 'round trip': 'ms' } as const)[kind];
  const bound = kind === 'rate' ? BOUND : absolute(target, kind === 'loss' ? LOSS : ROUND_TRIP_MS);
  return judge({ what, unit, target, bound }, { measured, spread: null, samples: 1 });
}

const absolute = (target: number, least: number) =>
  ({ kind: 'absolute', value: Math.max(BOUND.value * target, least) }) as const;
