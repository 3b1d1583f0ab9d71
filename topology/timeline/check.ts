/** Whether a timeline can be played: names, verbs, amounts, no contradictions, and nothing after `quit`. */
import { formatMicros, type Micros, micros } from '../../proto/units.ts';
import { type TargetError, TooMuchWork } from '../events/targets.ts';
import type { Findings } from '../model/diagnostics.ts';
import type { TopologyEvent } from '../model/events.ts';
import { MAX_ATOMS } from '../model/limits.ts';
import type { Topology } from '../model/model.ts';
import { Clamped } from './clamped.ts';
import { Contradictions, type Describe } from './contradictions.ts';
import { Overlaps } from './overlaps.ts';
import { Timeline } from './timeline.ts';

const END: Micros = micros(Number.MAX_SAFE_INTEGER);

export interface EventCheck {
  /** Names an event in messages. */
  readonly field: (event: TopologyEvent) => string;
  /** Of events of one instant that contradict each other the later one holds; otherwise they are errors. */
  readonly laterHolds: boolean;
}

/** Plays the timeline of a topology that is valid otherwise. */
export function checkEvents(topology: Topology, findings: Findings, { field, laterHolds }: EventCheck): void {
  if (topology.events.length === 0) return;
  const main = topology.events[0]!.position.file;
  const reported = new Set<TopologyEvent>();
  const report = (event: TopologyEvent, error: TargetError): void => {
    // A churn or flap with a wrong target fails at each of its instants.
    if (reported.has(event)) return;
    reported.add(event);
    findings.error(error.code, error.position, field(event), error.message, error.remedy);
  };
  try {
    const timeline = new Timeline(topology, report, (atom) => {
      if (!laterHolds) contradictions.add(atom);
      overlaps.add(atom);
      clamped.add(atom);
    });
    const { graph } = timeline.state.expansion;
    const describe: Describe = ({ position: { file, line } }) =>
      file === main ? `line ${line}` : `line ${line} of ${file}`;
    const contradictions = new Contradictions(graph, describe, (event, _, error) => report(event, error));
    const overlaps = new Overlaps(topology.events, timeline.targets, graph);
    const clamped = new Clamped(timeline.state);
    timeline.advance(END);
    overlaps.report(findings, field, describe);
    clamped.report(findings, field);
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    const message = `the events expand to more than ${MAX_ATOMS} changes`;
    findings.error(
      'LIMIT',
      topology.events[0]!.position,
      'events',
      message,
      'use longer periods, shorter windows or fewer endpoints',
    );
  }
  checkQuit(topology.events, findings, field);
}

function checkQuit(
  events: readonly TopologyEvent[],
  findings: Findings,
  field: (event: TopologyEvent) => string,
): void {
  const quits = events.filter((event) => event.action.verb === 'quit');
  const [first, second] = quits;
  if (second)
    findings.error('EVENT_TIME', second.position, field(second), 'there are two quits', 'keep one of them');
  if (!first) return;
  for (const event of events) {
    const last = event.until ?? event.at;
    if (last <= first.at) continue;
    const message = `this is ${event.at > first.at ? '' : 'still '}due at ${formatMicros(last)}, after the quit at ${formatMicros(first.at)}`;
    findings.error(
      'EVENT_TIME',
      event.position,
      field(event),
      message,
      'move it before the quit, or the quit behind it',
    );
  }
}
