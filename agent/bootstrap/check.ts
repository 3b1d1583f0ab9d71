/** Checks the data that an agent receives before it starts, from whatever source. */
import type { z } from 'zod';
import { type Bootstrap, topologyHash } from '../../proto/bootstrap.ts';
import { AgentError } from '../errors.ts';

/**
 * `from`: the sender, for messages. Throws `AgentError`: `BOOTSTRAP_INVALID`, or `TOPOLOGY_MISMATCH` if the topology
 * does not have its hash.
 */
export function checked<Data extends Pick<Bootstrap, 'topology'>>(
  schema: z.ZodType<Data>,
  data: unknown,
  from: string,
): Data {
  const parsed = schema.safeParse(data);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const where = issue.path.join('.') || 'form';
    throw new AgentError(
      'BOOTSTRAP_INVALID',
      `${from} sent a bootstrap whose ${where} is wrong: ${issue.message}`,
      'run the same version of netfold everywhere',
    );
  }
  const { hash } = parsed.data.topology;
  const actual = topologyHash(parsed.data.topology);
  if (hash === actual) return parsed.data;
  throw new AgentError(
    'TOPOLOGY_MISMATCH',
    `the topology's hash is ${actual}, but ${from} says ${hash}`,
    'start the experiment again',
  );
}
