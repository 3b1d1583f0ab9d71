import { describe, expect, test } from 'vitest';
import type { Listed } from '../../../controller/platform/containers/containers.ts';
import { containersHere, ordinalOf } from '../../../controller/platform/containers/ordinals.ts';
import { parseSelector } from '../../../controller/platform/containers/selectors.ts';

const task = (name: string, state = 'running'): Listed => ({
  ...{ id: `id-${name}`, name, state },
  labels: { app: 'web', 'com.docker.swarm.task.name': name },
});
const pod = (name: string, labels: Record<string, string> = {}): Listed => ({
  ...{ id: `id-${name}`, name, state: 'running', isPod: true },
  labels: { app: 'web', ...labels },
});

describe('the number of a replica', () => {
  test.each<[Listed, number | undefined]>([
    [task('lab_web.1.k3x'), 0],
    [task('lab_web.12.k3x'), 11],
    [task('lab_web.0.k3x'), undefined],
    // A global service has the node's id.
    [task('lab_web.abcdefgh.k3x'), undefined],
    [{ ...task('web-3'), labels: {} }, undefined],
    [pod('shop/web-0'), 0],
    [pod('shop/web-7'), 7],
    [pod('shop/web-7d9f8-x2x4z'), undefined],
    [pod('shop/web-7d9f8-24567', { 'pod-template-hash': '7d9f8' }), undefined],
    [pod('shop/web-9', { 'apps.kubernetes.io/pod-index': '2' }), 2],
  ])('%o: %s', (listed, expected) => {
    expect(ordinalOf(listed)).toBe(expected);
  });
});

describe('of the endpoints of several machines', () => {
  const selectors = [parseSelector('web=label:app=web')];
  const endpoints = ['web.0', 'web.1', 'web.2'];
  const here = (listed: Listed[], before: [string, string][] = []) =>
    containersHere(selectors, endpoints, listed, new Map(before));

  test('those are here whose container runs here, and the others are not missed', () => {
    const { assignment, problems } = here([task('lab_web.3.b'), task('lab_web.1.a', 'exited')]);
    expect([...assignment].map(([endpoint, { name }]) => `${endpoint} ${name}`)).toEqual([
      'web.2 lab_web.3.b',
    ]);
    expect(problems).toEqual([]);
  });

  test('the one that it was before stays until it has ended', () => {
    const both = [task('lab_web.1.new'), task('lab_web.1.old')];
    expect(here(both, [['web.0', 'id-lab_web.1.old']]).assignment.get('web.0')!.name).toBe('lab_web.1.old');
    expect(here(both).assignment.get('web.0')!.name).toBe('lab_web.1.new');
  });

  test('what is no replica of the topology is named', () => {
    const { assignment, problems } = here([task('lab_web.4.d')]);
    expect(assignment.size).toBe(0);
    expect(problems).toEqual([
      'web selects lab_web.4.d, which is not shaped: it is replica 3, and the topology has 3',
    ]);
  });
});

describe('of pods that nobody has numbered', () => {
  const selectors = [parseSelector('web=label:app=web')];
  const endpoints = ['web.0', 'web.1', 'web.2'];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((letter) => pod(`shop/web-7d9f8-x2x4${letter}`)) as Pods;
  type Pods = [Listed, Listed, Listed, Listed];
  const here = (
    listed: Listed[],
    elsewhere: string[] = [],
    before: Record<string, Listed> = {},
    ended: Listed[] = [],
  ) => {
    const last = new Map(Object.entries(before).map(([endpoint, { id }]) => [endpoint, id]));
    const over = new Set(ended.map(({ id }) => id));
    const found = containersHere(selectors, endpoints, listed, last, new Set(elsewhere), over);
    const names = [...found.assignment].map(([endpoint, { id }]) => [endpoint, id]);
    return { ...found, ids: Object.fromEntries(names) as Record<string, string> };
  };

  test('each takes an endpoint that no other has, here or elsewhere', () => {
    expect(Object.keys(here([a, b, c]).ids).sort()).toEqual(endpoints);
    expect(here([a], ['web.0', 'web.2']).ids).toEqual({ 'web.1': a.id });
    const { ids, problems } = here([a, b], ['web.0', 'web.2']);
    expect(ids).toEqual({ 'web.1': a.id });
    expect(problems).toEqual(['web selects shop/web-7d9f8-x2x4b, which is not shaped: it has 3 endpoints']);
  });

  test('one with a number has the endpoint with that number', () => {
    const numbered = pod('shop/web-1');
    const { ids } = here([a, b, numbered]);
    expect(ids['web.1']).toBe(numbered.id);
    expect(Object.keys(ids).sort()).toEqual(endpoints);
  });

  test('each stays the endpoint that it was, also in another sandbox, unless another machine has that', () => {
    const before = { 'web.2': a, 'web.0': b };
    expect(here([d, c, b, a], [], before).ids).toMatchObject({ 'web.2': a.id, 'web.0': b.id });
    const [old, fresh] = [
      { ...a, state: 'not ready' },
      { ...a, id: 'another' },
    ];
    expect(here([old, fresh], [], before).ids).toEqual({ 'web.2': 'another' });
    expect(Object.keys(here([a], ['web.2', 'web.1'], before).ids)).toEqual(['web.0']);
  });

  test('one in which all has ended gives way to one that has no endpoint, and to nobody else', () => {
    const before = { 'web.0': a, 'web.1': b, 'web.2': c };
    expect(here([a, b, c], [], before, [b])).toMatchObject({ ids: { 'web.1': b.id }, contending: [] });
    const waiting = here([a, b, c, d], [], before);
    expect(waiting.problems).toHaveLength(1);
    expect(waiting.contending).toEqual([a, b, c, d].map(({ id }) => id));
    expect(here([a, b, c, d], [], before, [b])).toMatchObject({ ids: { 'web.1': d.id }, problems: [] });
    // Afterwards as well; and one in which nothing has begun yet, or again, does not take its place.
    const after = { ...before, 'web.1': d };
    expect(here([a, b, c, d], [], after, [b])).toMatchObject({ ids: { 'web.1': d.id }, problems: [] });
    expect(here([a, b, c, d], [], before, [b, d])).toMatchObject({ ids: { 'web.1': b.id }, problems: [] });
  });

  test('on machines that start at once, not all take the first', () => {
    expect(new Set([a, b, c].flatMap((one) => Object.keys(here([one]).ids))).size).toBeGreaterThan(1);
  });
});
