/** Whether expectations can be judged: endpoints exist, events come, and the run goes on for so long. */
import { formatMicros, type Micros, micros } from '../../proto/units.ts';
import { type Findings, quote } from '../model/diagnostics.ts';
import type { TopologyEvent } from '../model/events.ts';
import type { Expectation, Instant } from '../model/expectations.ts';
import type { Service } from '../model/model.ts';
import { formatReference, type NodeReference, suggest } from '../model/names.ts';
import { type ReadExpectation, reportContradictions } from './contradictions.ts';
import { latest } from './grammar.ts';

/** An event and its line in the file. */
export interface EventLine extends Pick<TopologyEvent, 'at' | 'action'> {
  readonly line: string;
}

export interface Surroundings {
  readonly services: readonly Service[];
  readonly events: readonly EventLine[];
}

/** Gives the expectations with the times of the events that they name. */
export function checkExpectations(
  read: readonly ReadExpectation[],
  around: Surroundings,
  findings: Findings,
): Expectation[] {
  const replicas = new Map(around.services.map(({ name, replicas: count }) => [name, count]));
  for (const one of read) checkNodes(one, replicas, findings);
  const timed = read.map(({ expectation, field }) => ({ expectation: withTime(expectation, around), field }));
  for (const one of timed) {
    warnOfEvent(one, findings);
    warnOfIdleness(one, around, findings);
    checkQuit(one, around, findings);
  }
  if (!findings.hasErrors) reportContradictions(timed, replicas, findings);
  return timed.map(({ expectation }) => expectation);
}

function checkNodes(
  { expectation, field }: ReadExpectation,
  replicas: ReadonlyMap<string, number>,
  findings: Findings,
): void {
  for (const node of nodesOf(expectation)) {
    const problem = problemOf(node, replicas, expectation.what === 'processes');
    if (problem) findings.error('EXPECT_NODE', expectation.position, field, problem.message, problem.remedy);
  }
}

function nodesOf(expectation: Expectation): NodeReference[] {
  const after = 'when' in expectation ? afterOf(expectation) : undefined;
  const logged = after && 'log' in after ? [after.log.node] : [];
  switch (expectation.what) {
    case 'verdict':
      return [];
    case 'exit':
    case 'processes':
    case 'number':
      return [expectation.node, ...logged];
    case 'log':
      return [expectation.node, ...(expectation.before ? [expectation.before.node] : []), ...logged];
    default:
      return [expectation.from, expectation.to, ...logged];
  }
}

function problemOf(
  node: NodeReference,
  replicas: ReadonlyMap<string, number>,
  mayBeAll: boolean,
): { readonly message: string; readonly remedy: string } | undefined {
  const { name, replica } = node;
  const count = replicas.get(name);
  if (count === undefined) {
    const names = [...replicas.keys()];
    const remedy = suggest(name, names, `there are: ${names.slice(0, 10).join(' ')}`);
    return { message: `there is no service ${quote(name)}`, remedy };
  }
  if (replica === undefined && count !== 1 && !mayBeAll)
    return { message: `${name} has ${count} replicas`, remedy: `write which one: ${name}.0` };
  if (replica !== undefined && replica >= count)
    return {
      message: `there is no ${formatReference(node)}: ${name} has ${count}`,
      remedy: `write ${name}.0 to ${name}.${count - 1}`,
    };
  return undefined;
}

function afterOf(expectation: Expectation): Instant | undefined {
  return 'when' in expectation && expectation.when.kind === 'within' ? expectation.when.after : undefined;
}

/** The first event in time whose line contains the text. */
function withTime(expectation: Expectation, { events }: Surroundings): Expectation {
  if (!('when' in expectation) || expectation.when.kind !== 'within') return expectation;
  const { when } = expectation;
  const { after } = when;
  if (!('event' in after)) return expectation;
  const times = events.filter(({ line }) => line.includes(after.event)).map(({ at }) => at);
  if (times.length === 0) return expectation;
  const due = micros(Math.min(...times));
  return { ...expectation, when: { ...when, after: { ...after, due } } };
}

function warnOfEvent({ expectation, field }: ReadExpectation, findings: Findings): void {
  const after = afterOf(expectation);
  if (!after || !('event' in after) || after.due !== undefined) return;
  findings.warning(
    'EXPECT_EVENT',
    expectation.position,
    field,
    `no event of this file contains ${quote(after.event)}, so this is judged only if a command does`,
    'write a part of the line of an event, e.g. after "partition"',
  );
}

/** Commands may be given to a service that has none, but then the file, or somebody, gives one. */
function warnOfIdleness(
  { expectation, field }: ReadExpectation,
  { services, events }: Surroundings,
  findings: Findings,
): void {
  if (expectation.what !== 'exit' && expectation.what !== 'processes') return;
  const { name } = expectation.node;
  const service = services.find((one) => one.name === name);
  const isIdle = service !== undefined && service.run === undefined && service.image === undefined;
  if (!isIdle || events.some(({ action }) => action.verb === 'run')) return;
  const message = `${name} runs nothing, so there is no command that ${expectation.what === 'exit' ? 'ends' : 'is counted'}`;
  findings.warning('EXPECT_NODE', expectation.position, field, message, `give ${name} a run:`);
}

/** A run that ends before can't say. */
function checkQuit(
  { expectation, field }: ReadExpectation,
  { events }: Surroundings,
  findings: Findings,
): void {
  const quit = events.find(({ action }) => action.verb === 'quit')?.at;
  const needed = latest(expectation) as Micros;
  if (quit === undefined || needed <= quit) return;
  findings.error(
    'EXPECT_TIME',
    expectation.position,
    field,
    `this is judged at ${formatMicros(needed)}, and the run quits at ${formatMicros(quit)}`,
    'let it quit later, or expect it earlier',
  );
}
