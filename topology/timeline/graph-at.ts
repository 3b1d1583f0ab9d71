/** The graph at an instant: the expansion of the file without what is absent, and with the settings in force. */
import { type ChangeableName, PROPERTIES } from '../../proto/impairment.ts';
import type { QuantityChange } from '../../proto/property.ts';
import type { Micros } from '../../proto/units.ts';
import { CHANGEABLE } from '../events/changes.ts';
import type { SelectedLink } from '../events/targets.ts';
import type { Change, NewValue } from '../model/events.ts';
import type { Graph, GraphLink, Topology } from '../model/model.ts';
import type { NetworkState } from './state.ts';
import { Timeline } from './timeline.ts';
import { tracedLink } from './traces.ts';

/**
 * The graph after all events up to and including `at`. Nodes and links always have the numbers of `expandGraph`; what
 * is absent has no edges. The topology must have passed its checks.
 */
export function graphAt(topology: Topology, at: Micros): Graph {
  const timeline = new Timeline(topology, (_, error) => {
    throw error;
  });
  timeline.advance(at);
  return graphOf(timeline.state);
}

/** The graph of a state. */
export function graphOf(state: NetworkState): Graph {
  const { graph } = state.expansion;
  const { present, disconnected, goneBridges, goneLinks } = state;
  const isThere = (node: number): boolean => {
    return node < present.length ? present[node] === 1 && disconnected[node] === 0 : goneBridges[node] === 0;
  };
  const there = graph.edges.filter(
    ({ from, to, link }) => isThere(from) && isThere(to) && goneLinks[link] === 0,
  );
  // The same list shows code that compares epochs that nothing is absent.
  const edges = there.length === graph.edges.length ? graph.edges : there;
  const partitions = [...state.partitions].map(({ groupOf }) => groupOf);
  return { ...graph, edges, links: settle(state), ...(partitions.length === 0 ? {} : { partitions }) };
}

function settle({ expansion, settings }: NetworkState): readonly GraphLink[] {
  if (settings.size === 0) return expansion.graph.links;
  const links: GraphLink[] = [...expansion.graph.links];
  for (const { action, links: selected } of settings) {
    for (const one of selected) {
      for (const change of action.changes) links[one.link] = changedLink(links[one.link]!, change, one.side);
    }
  }
  return links;
}

/** A link with one change of a setting, with the text of a trace (`withTraces`); `side`: what of its pair it is in the event. */
export function changedLink(
  link: GraphLink,
  { property, to }: Change,
  side: SelectedLink['side'],
): GraphLink {
  const { name, rule, direction, covers } = CHANGEABLE.get(property)!;
  if (direction !== undefined && direction !== side) return link;
  if (rule.kind === 'replacement') {
    const value = to.kind === 'value' ? to.value : undefined;
    if (name === 'trace') return tracedLink(link, value as string | undefined);
    return covers.slice(1).reduce((one, other) => having(one, other, undefined), having(link, name, value));
  }
  const next = moved(numberOf(link, name), to as NewValue<number>, rule);
  return next === undefined ? link : having(link, name, rule.isWhole ? Math.round(next) : next);
}

/** What a link has of a property that is a number, also where that is its default and left out. */
export function numberOf(link: GraphLink, name: ChangeableName): number | undefined {
  return (link[name] ?? PROPERTIES[name].default) as number | undefined;
}

/** A link with this value; as everywhere, an optional property is left out if it has its default. */
function having(link: GraphLink, name: ChangeableName, value: unknown): GraphLink {
  const { isOptional, default: usual } = PROPERTIES[name];
  if (!isOptional || (value !== undefined && value !== usual)) return { ...link, [name]: value };
  if (link[name] === undefined) return link;
  const { [name]: _, ...others } = link;
  return others as unknown as GraphLink;
}

/** Relative changes stop at the limits of valid values; "no limit" stays, and so does a missing value. */
function moved(
  value: number | undefined,
  to: NewValue<number>,
  { least, most }: QuantityChange,
): number | undefined {
  if (to.kind === 'value') return to.value;
  if (value === undefined || !Number.isFinite(value)) return value;
  const next = to.kind === 'factor' ? value * to.factor : value + to.difference;
  return Math.min(most, Math.max(least, next));
}
