import { describe, expect, test } from 'vitest';
import { makeBootstraps } from '../../../controller/experiment/bootstraps.ts';
import { CurrentPlacement } from '../../../controller/experiment/current-placement.ts';
import { planLab } from '../../../controller/platform/lab/lab-plan.ts';

const plan = planLab('x', ['a.0', 'b.0', 'c.0'], 2);
const settings = { delayBackend: 'auto', logFolder: '/logs' } as const;

function placement() {
  const kept: string[] = [];
  const bootstraps = makeBootstraps(plan, { file: 'x.yaml', text: '' }, settings);
  const current = new CurrentPlacement(plan, bootstraps, ({ bootstraps: told }) => {
    kept.push([...told].map(([host, { endpoints }]) => `${host}: ${endpoints.map(placeOf)}`).join('; '));
  });
  return { current, kept };
}

const placeOf = ({
  name,
  namespace,
  addresses,
}: {
  name: string;
  namespace: string;
  addresses: readonly string[];
}) => `${name} in ${namespace.split('/').at(-1)} at ${addresses[0]}`;

const AS_PLANNED =
  'host0: a.0 in netfold.x.a.0 at 10.1.0.1,c.0 in netfold.x.c.0 at 10.1.0.2; host1: b.0 in netfold.x.b.0 at 10.2.0.1';

describe('where the endpoints are', () => {
  test('is as it was planned, before any has moved', () => {
    const { current, kept } = placement();
    expect(current.plan).toEqual(plan);
    expect(kept).toEqual([]);
    current.put(plan.endpoints[0]!);
    expect(kept).toEqual([AS_PLANNED]);
  });

  test('follows an endpoint into its new namespace, for agents that start from now on, too', () => {
    const { current, kept } = placement();
    const served = current.bootstraps;
    const moved = { ...plan.endpoints[2]!, namespace: 'again', address: '10.1.9.9', addresses: ['10.1.9.9'] };
    current.put(moved);
    expect(current.plan.endpoints).toEqual([plan.endpoints[0], plan.endpoints[1], moved]);
    expect(kept).toEqual([AS_PLANNED.replace('netfold.x.c.0 at 10.1.0.2', 'again at 10.1.9.9')]);
    expect(served.get('host0')!.endpoints[1]).toMatchObject({ namespace: '/run/netns/again', number: 2 });
  });

  test('stays as it was if the change can not be kept', () => {
    const bootstraps = makeBootstraps(plan, { file: 'x.yaml', text: '' }, settings);
    const current = new CurrentPlacement(plan, bootstraps, () => {
      throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    });
    const before = [...current.bootstraps];
    const moved = { ...plan.endpoints[2]!, namespace: 'again', address: '10.1.9.9', addresses: ['10.1.9.9'] };
    expect(() => current.put(moved)).toThrow('no room');
    expect(() => current.take('host1', 1)).toThrow('no room');
    expect(current.plan).toEqual(plan);
    expect([...current.bootstraps]).toEqual(before);
  });

  test('follows an endpoint to another host, and is not confused when the first one reports that it has left', () => {
    const { current, kept } = placement();
    current.put({ ...plan.endpoints[0]!, host: plan.hosts[1]! });
    current.take('host0', 0);
    expect(kept).toEqual([
      'host0: c.0 in netfold.x.c.0 at 10.1.0.2; host1: a.0 in netfold.x.a.0 at 10.1.0.1,b.0 in netfold.x.b.0 at 10.2.0.1',
    ]);
  });

  test('is nowhere for one that has left, until it comes again', () => {
    const { current, kept } = placement();
    current.take('host1', 1);
    expect(current.plan.endpoints.map(({ name }) => name)).toEqual(['a.0', 'c.0']);
    expect(kept.at(-1)).toMatch(/host1: $/);
    current.take('host1', 1);
    expect(kept).toHaveLength(1);
    current.put(plan.endpoints[1]!);
    expect(kept.at(-1)).toBe(AS_PLANNED);
  });

  test('changes nothing else in the bootstraps of agents', () => {
    const { current } = placement();
    const before = new Map(current.bootstraps);
    current.put({ ...plan.endpoints[0]!, namespace: 'again' });
    for (const [host, { endpoints: _, ...rest }] of current.bootstraps)
      expect({ ...before.get(host)!, endpoints: [] }).toEqual({ ...rest, endpoints: [] });
  });
});
