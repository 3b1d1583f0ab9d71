/** How many endpoints an event affects, and the error if there are fewer. */
import type { Ratio } from '../../proto/units.ts';
import type { Amount, LifecycleAction, LifecycleVerb } from '../model/events.ts';
import { TargetError } from './targets.ts';

/** 0.29 × 100 is 28.999999999999996: binary noise must not cost an endpoint. */
const NOISE = 1e-9;

/** The part of `total`, rounded down. */
export function partOf(share: Ratio, total: number): number {
  return Math.floor(share * total + NOISE);
}

/** A share counts of `total`, rounded down; `undefined` if there is no amount. */
export function amountOf(amount: Amount | undefined, total: number): number | undefined {
  if (!amount) return undefined;
  return 'count' in amount ? amount.count : partOf(amount.share, total);
}

const ABLE: Readonly<Record<LifecycleVerb, string>> = {
  join: 'absent',
  leave: 'present',
  crash: 'present',
  disconnect: 'present and connected',
  reconnect: 'disconnected',
};

/** The error for an event that finds `able` endpoints: too few for its amount, or none that it could change. */
export function shortage(
  { verb, targets }: LifecycleAction,
  amount: number | undefined,
  able: number,
  isOfEndpoints: boolean,
): TargetError {
  const wanted = amount === undefined ? 'endpoints' : `${amount} endpoints`;
  const message = isOfEndpoints
    ? `${verb} is for ${wanted}, but ${able === 0 ? 'none' : `only ${able}`} of them ${able === 1 ? 'is' : 'are'} ${ABLE[verb]} then`
    : `there is nothing to ${verb}: it is ${verb === 'join' ? 'there' : 'gone'} already`;
  const remedy = 'check the amounts and the order of the events before';
  return new TargetError(targets[0]!.position, message, remedy, 'EVENT_AMOUNT');
}
