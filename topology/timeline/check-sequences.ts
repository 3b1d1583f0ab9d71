/** Whether sequences can be played: what they name exists, and none waits for itself. */
import { micros } from '../../proto/units.ts';
import { ENDPOINT_ONLY } from '../events/scopes.ts';
import { TargetError, type Targets } from '../events/targets.ts';
import { type Findings, quote } from '../model/diagnostics.ts';
import type { Expectation } from '../model/expectations.ts';
import type { Topology } from '../model/model.ts';
import { type NodeReference, suggest } from '../model/names.ts';
import type { Position } from '../model/position.ts';
import { type Sequence, witnessOf } from '../model/sequences.ts';
import { Beginning } from './beginning.ts';
import { Timeline } from './timeline.ts';

/** Of a topology whose events are right. */
export function checkSequences(topology: Topology, findings: Findings): void {
  const { sequences = [] } = topology;
  if (sequences.length === 0) return;
  const fieldOf = ({ name }: Sequence, step?: number): string =>
    step === undefined ? `sequences.${name}` : `sequences.${name}.steps[${step}]`;
  for (const sequence of sequences) {
    checkCause(sequence, sequences, fieldOf(sequence), findings);
    sequence.steps.forEach((step, index) => {
      const report = ({ code, position, message, remedy }: TargetError): void =>
        findings.error(code, position, fieldOf(sequence, index), message, remedy);
      if (step.kind === 'action' || step.kind === 'program') {
        const event = { at: micros(0), action: step.action, position: step.position };
        // Who is there at its time is not known.
        const timeline = new Timeline({ ...topology, events: [event] }, (_, error) => {
          if (error.code !== 'EVENT_AMOUNT') report(error);
        });
        timeline.advance(event.at);
      }
      if (step.kind === 'wait' && step.from)
        tryTo(() => new Beginning(topology).targets.select(step.from!, 'wait', ENDPOINT_ONLY), report);
      if (step.kind === 'condition')
        for (const node of nodesOf(step.expectation))
          tryTo(() => requireEndpoint(new Beginning(topology).targets, node, step.position), report);
    });
  }
}

const nodesOf = (expectation: Expectation): readonly NodeReference[] =>
  'from' in expectation ? [expectation.from, expectation.to] : [witnessOf(expectation) ?? []].flat();

/** One host decides, so it is about one endpoint, also where it counts. Throws `TargetError`. */
function requireEndpoint(targets: Targets, node: NodeReference, position: Position): void {
  const { endpoints } = targets.select([{ kind: 'node', node, position }], 'wait', ENDPOINT_ONLY);
  if (endpoints.length === 1) return;
  const { name } = node;
  throw new TargetError(
    position,
    `${name} has ${endpoints.length} replicas, and a condition is about one endpoint`,
    `write which one, ${name}.0, and a step for each`,
  );
}

function tryTo(action: () => unknown, report: (error: TargetError) => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    report(error);
  }
}

function checkCause(
  { name, start, position }: Sequence,
  sequences: readonly Sequence[],
  field: string,
  findings: Findings,
): void {
  if (!('after' in start)) return;
  const { after } = start;
  const names = sequences.map((one) => one.name);
  if (after.fails && !names.includes(after.name)) {
    const remedy = suggest(after.name, names, `there are: ${names.join(' ')}`);
    findings.error(
      'SEQUENCE',
      position,
      field,
      `there is no sequence ${quote(after.name)} that could fail`,
      remedy,
    );
  }
  const chain = [name];
  for (let next: Sequence | undefined = sequences.find((one) => one.name === after.name); next; ) {
    if (chain.includes(next.name)) {
      if (next.name === name)
        findings.error(
          'SEQUENCE',
          position,
          field,
          `it begins after itself: ${[...chain, name].join(' after ')}`,
          'give one of them a time: at: 0s',
        );
      return;
    }
    chain.push(next.name);
    const { start: cause } = next;
    next = 'after' in cause ? sequences.find((one) => one.name === cause.after.name) : undefined;
  }
}
