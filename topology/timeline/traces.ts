/** Traces that events give to links, by the names that the file has for them. */
import { derivedBuffer, meansOfTrace, traceOf } from '../../proto/trace.ts';
import { TargetError } from '../events/targets.ts';
import { quote } from '../model/diagnostics.ts';
import type { Change, SetAction } from '../model/events.ts';
import type { GraphLink, Topology } from '../model/model.ts';

/** So many names stand in a message. */
const MOST_NAMES = 20;

/** The action with the texts of the traces that it names. Throws `TargetError` if there is none of that name. */
export function withTraces(action: SetAction, traces: Topology['traces'] = {}): SetAction {
  if (action.changes.every((change) => nameOf(change) === undefined)) return action;
  const changes = action.changes.map((change): Change => {
    const name = nameOf(change);
    if (name === undefined) return change;
    const value = Object.hasOwn(traces, name) ? traces[name]! : undefined;
    if (value !== undefined) return { property: 'trace', to: { kind: 'value', value } };
    const names = Object.keys(traces).slice(0, MOST_NAMES);
    throw new TargetError(
      action.targets[0]!.position,
      `there is no trace ${quote(name)}`,
      names.length > 0
        ? `the file has ${names.join(', ')}`
        : `name it at the top of the file: traces: { ${name}: FILE }`,
    );
  });
  return { ...action, changes };
}

const nameOf = (change: Change): string | undefined =>
  change.property === 'trace' ? change.to.value : undefined;

/**
 * A link with this trace, and the means of what it says, as from the start; or without one. Then it keeps the means, and has the
 * buffer that follows from rate and round trip, unless the file says another.
 */
export function tracedLink(link: GraphLink, text: string | undefined): GraphLink {
  const { trace: before, queueBytes, ...others } = link;
  const isDerived = before !== undefined && queueBytes === derivedBuffer(traceOf(before));
  const rest = (queueBytes === undefined || isDerived
    ? others
    : { ...others, queueBytes }) as unknown as GraphLink;
  return text === undefined ? rest : { ...rest, trace: text, ...meansOfTrace(traceOf(text), rest) };
}
