/** Containers that change while they are looked at, and those of other machines: what an engine of a test's own says of them. */
import { expect, test } from 'vitest';
import { OWN_NAMESPACE_FILE } from '../../../agent/kernel/netns/namespace-files.ts';
import type { CheckedEngine, Inspected } from '../../../controller/platform/containers/containers.ts';
import { planContainers } from '../../../controller/platform/containers/running-plan.ts';
import { parseSelector } from '../../../controller/platform/containers/selectors.ts';
import { DOCKER } from '../../../controller/platform/docker/docker-plan.ts';
import { loadTopology } from '../../../topology/load.ts';

const { topology } = loadTopology('services: { a: {}, b: {} }\nlinks: [{ from: a, to: b }]', 'two.yaml');
/** Numbers of processes are less than 2^22. */
const NOWHERE = `/proc/${2 ** 22 + 1}/ns/net`;

/** What is found when the container of `a` is looked at. */
function planWith(found: Partial<Inspected> | undefined) {
  const engine: CheckedEngine = {
    require: () => Promise.resolve(),
    list: () => Promise.resolve(['a', 'b'].map((id) => ({ id, name: id, labels: {}, state: 'running' }))),
    inspect: (id) =>
      Promise.resolve(
        found && {
          ...{ id, name: id, namespacePath: NOWHERE, networkMode: 'net', networks: { net: ['10.0.0.2'] } },
          ...found,
        },
      ),
    follow: () => Promise.resolve(),
  };
  const selectors = ['a=name:a', 'b=name:b'].map(parseSelector);
  const wanted = { experiment: 'x', topology, endpoints: ['a.0', 'b.0'], options: undefined };
  return planContainers(DOCKER, wanted, { selectors, socket: '/s' }, engine);
}

test.each<[what: string, found: Partial<Inspected> | undefined, code: string, says: string]>([
  ['is gone', undefined, 'CONTAINER_CHANGED', 'the container a has just ended'],
  ['has ended', { namespacePath: undefined }, 'CONTAINER_CHANGED', 'the container a has just ended'],
  ['is no process here', {}, 'ENGINE_ELSEWHERE', `there is no network namespace at ${NOWHERE}`],
  [
    'has the network of this machine',
    { namespacePath: OWN_NAMESPACE_FILE },
    'CONTAINER_ON_HOST',
    "shares the machine's own network",
  ],
])('one that %s is refused', async (_, found, code, says) => {
  await expect(planWith(found)).rejects.toMatchObject({
    ...{ code, message: expect.stringContaining(says), remedy: expect.any(String) },
  });
});
