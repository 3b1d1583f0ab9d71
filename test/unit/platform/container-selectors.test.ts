import { describe, expect, test } from 'vitest';
import type { Listed } from '../../../controller/platform/containers/containers.ts';
import {
  assignContainers,
  followContainers,
  formatSelector,
  groupsOf,
  isSelected,
  parseSelector,
  requireFor,
} from '../../../controller/platform/containers/selectors.ts';

const container = (name: string, labels: Record<string, string> = {}, state = 'running'): Listed => ({
  ...{ id: `id-${name}`, name, labels, state },
});
const pod = (name: string, labels: Record<string, string> = {}): Listed => ({
  ...container(name, labels),
  isPod: true,
});
const composed = (number: number): Listed =>
  container(`shop-db-${number}`, {
    'com.docker.compose.project': 'shop',
    'com.docker.compose.service': 'db',
    'com.docker.compose.container-number': `${number}`,
  });
const select = (...texts: string[]) => texts.map(parseSelector);
const names = (assignment: ReadonlyMap<string, Listed>): string[] =>
  [...assignment].map(([endpoint, { name }]) => `${endpoint} ${name}`);

describe('a selector', () => {
  test.each([
    ['a=label:app=web', container('x', { app: 'web' }), true],
    ['a=label:app=web', container('x', { app: 'webs' }), false],
    ['a=label:app', container('x', { app: '' }), true],
    ['a=label:constructor', container('x', {}), false],
    ['a=label:app=a=b', container('x', { app: 'a=b' }), true],
    ['a=name:web', container('web'), true],
    ['a=name:web', container('webs'), false],
    ['a=name:web*', container('web'), true],
    ['a=name:*b*', container('abc'), true],
    ['a=name:a*a', container('a'), false],
    ['a=name:a*b*c', container('abcabc'), true],
    ['a=name:w.b', container('web'), false],
    ['a=compose:shop/db', composed(1), true],
    ['a=compose:shop/web', composed(1), false],
    ['a=compose:undefined/undefined', container('x'), false],
    ['a=label:app=web,namespace:shop', pod('shop/web-0', { app: 'web' }), true],
    ['a=label:app=web,namespace:shop', pod('other/web-0', { app: 'web' }), false],
    ['a=label:app=web,namespace:shop', pod('shop/db-0', { app: 'db' }), false],
    ['a=label:app=web,label:tier', pod('shop/web-0', { app: 'web', tier: '1' }), true],
    ['a=label:app=web,label:tier', pod('shop/web-0', { app: 'web' }), false],
    ['a=label:list=a,b', container('x', { list: 'a,b' }), true],
    ['a=name:web-*', pod('shop/web-0'), true],
    ['a=name:shop/web-*', pod('shop/web-0'), true],
    ['a=name:shop/web-*', pod('other/web-0'), false],
    ['a=namespace:shop', container('shop'), false],
  ])('%s of %o: %s', (text, listed, expected) => {
    const selector = parseSelector(text);
    expect(isSelected(selector, listed)).toBe(expected);
    expect(formatSelector(selector)).toBe(text);
  });

  test.each([
    '',
    'a',
    'a=',
    'a=web',
    'a=label:',
    'a=nam:x',
    'a=compose:shop',
    'a=compose:s/d/e',
    'a=label:app=web,name:',
    'a=,name:x',
    `a=name:${'x'.repeat(500)}`,
  ])('%j is none', (text) => {
    expect(() => parseSelector(text)).toThrow(expect.objectContaining({ code: 'SELECTOR_INVALID' }));
  });

  test('asks containers and pods for what they have', () => {
    expect(() => requireFor('docker', select('a=name:x', 'b=namespace:shop'))).toThrow(
      expect.objectContaining({ code: 'SELECTOR_INVALID' }),
    );
    expect(() => requireFor('cri', select('a=compose:shop/web'))).toThrow(
      expect.objectContaining({ code: 'SELECTOR_INVALID' }),
    );
    requireFor('docker', select('a=compose:shop/web', 'b=label:x'));
    requireFor('cri', select('a=namespace:shop', 'b=label:x'));
  });

  test('takes time in the length of the name and of the pattern', () => {
    const [selector] = select(`a=name:${'a*'.repeat(190)}b`);
    const started = performance.now();
    expect(isSelected(selector!, container('a'.repeat(10_000)))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('endpoints', () => {
  const endpoints = ['client.0', 'client.1', 'db.0'];

  test('are selected by service or one by one, in the order of their numbers', () => {
    const listed = [container('web-10', { w: '' }), container('web-2', { w: '' }), composed(1)];
    const found = assignContainers(select('client=label:w', 'db=compose:shop/db'), endpoints, listed);
    expect(names(found)).toEqual(['client.0 web-2', 'client.1 web-10', 'db.0 shop-db-1']);
    const one = select('client.1=name:web-2', 'client.0=name:web-10', 'db=name:shop*');
    expect(names(assignContainers(one, endpoints, listed)).sort()).toEqual([
      'client.0 web-10',
      'client.1 web-2',
      'db.0 shop-db-1',
    ]);
  });

  test.each([
    [['client=label:w'], 'SELECTOR_MISSING', 'no --select says which container db.0 is'],
    [['client=label:w', 'bd=name:x'], 'SELECTOR_UNKNOWN', 'the topology has no "bd"'],
    [
      ['client=label:w', 'client.0=name:x', 'db=name:d'],
      'SELECTOR_INVALID',
      'client.0 is selected as client and as client.0',
    ],
  ])('%j: %s', (texts, code, message) => {
    expect(() => groupsOf(select(...texts), endpoints)).toThrow(expect.objectContaining({ code, message }));
  });

  test('those that do not run are not counted, and named', () => {
    const listed = [
      container('a', { w: '' }),
      container('b', { w: '' }, 'exited'),
      container('d', {}, 'paused'),
    ];
    expect(() => assignContainers(select('client=label:w', 'db=name:d'), endpoints, listed)).toThrow(
      /finds 1 container \(a\), and client has 2 endpoints/,
    );
    expect(() => assignContainers(select('client=name:b', 'db=name:d'), endpoints, listed)).toThrow(
      expect.objectContaining({ code: 'SELECTOR_EMPTY', remedy: 'start it: docker start b' }),
    );
  });
});

describe('later on', () => {
  const selectors = select('client=label:w');
  const endpoints = ['client.0', 'client.1'];
  const before = new Map([
    ['client.0', 'id-a'],
    ['client.1', 'id-b'],
  ]);
  const web = (name: string, state?: string) => container(name, { w: '' }, state);

  test('each endpoint keeps its container, whatever comes before it', () => {
    const { assignment, problems } = followContainers(
      selectors,
      endpoints,
      [web('0'), web('b'), web('a')],
      before,
    );
    expect(names(assignment)).toEqual(['client.0 a', 'client.1 b']);
    expect(problems).toEqual(['client selects 0, too, which is not shaped: it has 2 endpoints']);
  });

  test('one that does not run is missed, and one that is gone is replaced', () => {
    const stopped = followContainers(selectors, endpoints, [web('a'), web('b', 'exited')], before);
    expect(names(stopped.assignment)).toEqual(['client.0 a']);
    expect(stopped.problems).toEqual([
      'client.1 is not there: its container b does not run (exited); one that client=label:w selects is waited for',
    ]);
    const replaced = followContainers(selectors, endpoints, [web('b'), web('c')], before);
    expect(names(replaced.assignment).sort()).toEqual(['client.0 c', 'client.1 b']);
    expect(replaced.problems).toEqual([]);
  });
});
