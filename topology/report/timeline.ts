/** `netfold timeline`: the events as atomic changes in their order, each with the epoch that it starts. */
import { formatMicros, fromMillis, type Micros, micros, toMillis } from '../../proto/units.ts';
import { changeText } from '../events/changes.ts';
import { textOf } from '../events/targets.ts';
import type { Topology } from '../model/model.ts';
import { type Atom, changesTopology } from '../timeline/state.ts';
import { Timeline } from '../timeline/timeline.ts';

export interface TimelineRow {
  readonly atMs: number;
  /** Epoch 0 is the start; each instant that changes the topology starts the next one. */
  readonly epoch: number;
  readonly verb: Atom['verb'];
  /** The target: an endpoint, a bridge, a directed link, or the targets as they were written. */
  readonly target: string;
  /** What `set` changes, `run` runs or `signal` sends. */
  readonly detail?: string;
  /** The position of the event. */
  readonly file: string;
  readonly line: number;
}

const END: Micros = micros(Number.MAX_SAFE_INTEGER);

/** The topology must have passed its checks. */
export function timelineRows(topology: Topology): TimelineRow[] {
  const rows: TimelineRow[] = [];
  let epoch = 0;
  let changedAt: Micros | undefined;
  const fail = (_: unknown, error: Error): never => {
    throw error;
  };
  const timeline = new Timeline(topology, fail, (atom) => {
    if (changesTopology(atom) && atom.at !== changedAt) {
      epoch++;
      changedAt = atom.at;
    }
    const detail = detailOf(atom);
    rows.push({
      atMs: toMillis(atom.at),
      epoch,
      verb: atom.verb,
      target: targetOf(atom, timeline),
      ...(detail === undefined ? {} : { detail }),
      file: atom.event.position.file,
      line: atom.event.position.line,
    });
  });
  timeline.advance(END);
  return rows;
}

export function timelineText(rows: readonly TimelineRow[]): string {
  const lines = rows.map(({ atMs, epoch, verb, target, detail }) => {
    const what = `${target}${detail === undefined ? '' : `  ${detail}`}`;
    return `${formatMicros(fromMillis(atMs)).padStart(10)}  ${String(epoch).padStart(5)}  ${verb.padEnd(10)}  ${what}`.trimEnd();
  });
  return ['        at  epoch  change      target', ...lines].join('\n');
}

function targetOf(atom: Atom, { state: { expansion } }: Timeline): string {
  if ('node' in atom) return expansion.graph.nodes[atom.node]!;
  if ('link' in atom) return expansion.graph.links[atom.link]!.name;
  const { action } = atom.event;
  if (action.verb === 'partition')
    return action.groups.map((group) => group.map(textOf).join(' ')).join(' | ');
  if ('traffic' in action) return action.traffic.map(({ name }) => name).join(' ');
  return 'targets' in action ? action.targets.map(textOf).join(' ') : '';
}

function detailOf({ event, verb }: Atom): string | undefined {
  const { action } = event;
  if (action.verb === 'set' && verb === 'set')
    return action.changes.map((one) => changeText(one, percentage)).join(' ');
  if (action.verb === 'run') return action.command;
  return action.verb === 'signal' ? action.signal : undefined;
}

const percentage = (factor: number): string => `${Number((factor * 100).toFixed(4))}%`;
