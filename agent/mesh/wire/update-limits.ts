/** The limits of an update, checked before any of it is applied. */
import type { Lanes } from '../../../proto/lanes.ts';
import type { TableUpdate } from './codec.ts';
import * as limits from './limits.ts';
import { type Rejection, reject } from './rejections.ts';

export interface UpdateContext {
  readonly endpointCount: number;
  /** Of flows, the destination's number says the path, too. */
  readonly lanes: Lanes;
  /** Why the sender may not announce an endpoint, whichever host has it. */
  readonly refuse: (endpoint: number) => Rejection | undefined;
  /** Whether the sender may claim the endpoint in addition to others. */
  readonly hasRoom: (endpoint: number) => boolean;
  /** Whether the sender's table has the flow. */
  readonly hasFlow: (source: number, destination: number) => boolean;
  /** How many flows the sender's table has, and all remote tables together. */
  readonly hostFlows: number;
  readonly allFlows: number;
}

export function wrongUpdate(update: TableUpdate, context: UpdateContext): Rejection | undefined {
  return wrongEndpoints(update, context) ?? wrongFlows(update, context);
}

function wrongEndpoints({ endpoints }: TableUpdate, context: UpdateContext): Rejection | undefined {
  for (const { number, gone } of endpoints) {
    if (number >= context.endpointCount) {
      return reject('ENDPOINT_UNKNOWN', `endpoint ${number} of ${context.endpointCount}`);
    }
    const foreign = gone ? undefined : context.refuse(number);
    if (foreign) return foreign;
    if (!gone && !context.hasRoom(number)) {
      return reject('TOO_MANY_CLAIMS', `endpoint ${number} is claimed by ${limits.MAX_CLAIMS} hosts`);
    }
  }
  return undefined;
}

function wrongFlows({ flows, whole }: TableUpdate, context: UpdateContext): Rejection | undefined {
  const count = context.endpointCount;
  let added = 0;
  for (let at = 0; at < flows.sources.length; at++) {
    const source = flows.sources[at]!;
    const destination = flows.destinations[at]!;
    const receiver = context.lanes.endpointOf(destination);
    const isPath = receiver < count && destination < context.lanes.numbers;
    if (source >= count || source === receiver || !isPath) {
      return reject('ENDPOINT_UNKNOWN', `flow ${source} to ${destination} of ${count} endpoints`);
    }
    const foreign = flows.states[at] === 0 ? undefined : context.refuse(source);
    if (foreign) return foreign;
    if (flows.states[at] !== 0 && (whole || !context.hasFlow(source, destination))) added++;
  }
  const kept = whole ? 0 : context.hostFlows;
  const all = context.allFlows - context.hostFlows + kept + added;
  if (kept + added > limits.MAX_FLOWS_PER_HOST || all > limits.MAX_FLOWS) {
    return reject('TOO_MANY_FLOWS', `${kept + added} flows of one host, ${all} of all`);
  }
  return undefined;
}
