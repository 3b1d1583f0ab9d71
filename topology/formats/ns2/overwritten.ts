/** Of several changes of a link's property at one instant, a script means the last: in a file they would contradict each other. */
import type { LinkTarget, SetAction, Target, TopologyEvent } from '../../model/events.ts';

/** `events`: in the order of their times. `changed`: called for each that loses some of its links, with what remains of it. */
export function withoutOverwritten(
  events: readonly TopologyEvent[],
  changed: (event: TopologyEvent, rest: TopologyEvent) => void,
): TopologyEvent[] {
  const kept: TopologyEvent[] = [];
  let at: number | undefined;
  /** Directions of links, each with a property, that are set later at the same instant. */
  let later = new Set<string>();
  for (const event of events.toReversed()) {
    if (event.at !== at) later = new Set();
    at = event.at;
    const rest = event.action.verb === 'set' ? withoutTargets(event, event.action, later) : event;
    if (!rest) continue;
    if (rest !== event) changed(event, rest);
    kept.push(rest);
  }
  return kept.reverse();
}

/** `undefined`: nothing remains. */
function withoutTargets(
  event: TopologyEvent,
  action: SetAction,
  later: Set<string>,
): TopologyEvent | undefined {
  const properties = action.changes.map(({ property }) => property).join(' ');
  const keys = (target: Target): string[] =>
    target.kind === 'link' ? directions(target).map((one) => `${one} ${properties}`) : [];
  const targets = action.targets.filter(
    (target) => target.kind !== 'link' || !keys(target).every((key) => later.has(key)),
  );
  for (const key of action.targets.flatMap(keys)) later.add(key);
  if (targets.length === action.targets.length) return event;
  return targets.length === 0 ? undefined : { ...event, action: { ...action, targets } };
}

function directions({ from, to, directed }: LinkTarget): string[] {
  const [a, b] = [JSON.stringify(from), JSON.stringify(to)];
  return directed ? [`${a} ${b}`] : [`${a} ${b}`, `${b} ${a}`];
}
