/** Whether the endpoints that expectations name exist. */
import { type Findings, quote } from '../model/diagnostics.ts';
import type { Expectation } from '../model/expectations.ts';
import type { Service } from '../model/model.ts';
import { formatReference, type NodeReference, suggest } from '../model/names.ts';

/** `fieldOf`: the field of an expectation, for messages. */
export function checkExpectations(
  expectations: readonly Expectation[],
  services: readonly Service[],
  fieldOf: (expectation: Expectation) => string,
  findings: Findings,
): void {
  const replicas = new Map(services.map(({ name, replicas: count }) => [name, count]));
  for (const expectation of expectations)
    for (const node of nodesOf(expectation)) {
      const problem = problemOf(node, replicas);
      if (problem)
        findings.error(
          'EXPECT_NODE',
          expectation.position,
          fieldOf(expectation),
          problem.message,
          problem.remedy,
        );
    }
}

function nodesOf(expectation: Expectation): NodeReference[] {
  switch (expectation.what) {
    case 'verdict':
      return [];
    case 'exit':
      return [expectation.node];
    case 'log':
      return [expectation.node, ...(expectation.before ? [expectation.before.node] : [])];
    default:
      return [expectation.from, expectation.to];
  }
}

function problemOf(
  node: NodeReference,
  replicas: ReadonlyMap<string, number>,
): { readonly message: string; readonly remedy: string } | undefined {
  const { name, replica } = node;
  const count = replicas.get(name);
  if (count === undefined) {
    const names = [...replicas.keys()];
    const remedy = suggest(name, names, `there are: ${names.slice(0, 10).join(' ')}`);
    return { message: `there is no service ${quote(name)}`, remedy };
  }
  if (replica === undefined && count !== 1)
    return { message: `${name} has ${count} replicas`, remedy: `write which one: ${name}.0` };
  if (replica !== undefined && replica >= count)
    return {
      message: `there is no ${formatReference(node)}: ${name} has ${count}`,
      remedy: `write ${name}.0 to ${name}.${count - 1}`,
    };
  return undefined;
}
