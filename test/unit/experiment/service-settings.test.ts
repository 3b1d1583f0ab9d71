/** What services need of this machine: asked of those that have endpoints here, and of no others. */
import { describe, expect, test } from 'vitest';
import { requireAccounts } from '../../../controller/experiment/service-settings.ts';
import { planLab } from '../../../controller/platform/lab/lab-plan.ts';
import { loadTopology, TopologyError } from '../../../topology/load.ts';

const { topology } = loadTopology(
  `services:
  here: { replicas: 2, user: root, cwd: / }
  number: { user: 0, cwd: below }
  there: { user: no-such-user, cwd: /no/such/folder }
  plain: {}
links: [{ from: here, to: number }, { from: number, to: there }, { from: there, to: plain }]
`,
  'machines.yaml',
);
const planOf = (...endpoints: string[]) => planLab('x', endpoints, 1);

/** What is refused, with its place. */
function refusals(...endpoints: string[]): string[] {
  try {
    requireAccounts(topology, planOf(...endpoints));
  } catch (error) {
    if (error instanceof TopologyError)
      return error.diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`);
    throw error;
  }
  return [];
}

describe('the users and folders of services', () => {
  test('are found by name and by number', () => {
    const accounts = requireAccounts(topology, planOf('here.0', 'here.1', 'number.0', 'plain.0'));
    expect([...accounts]).toEqual([
      ['here', { uid: 0, gid: 0 }],
      ['number', { uid: 0, gid: 0 }],
    ]);
  });

  test('may be missing where the service has no endpoint', () => {
    expect(refusals('here.0', 'plain.0')).toEqual([]);
    expect(refusals('plain.0', 'there.0')).toEqual(['USER_UNKNOWN 4:18', 'FOLDER_MISSING 4:37']);
  });
});
