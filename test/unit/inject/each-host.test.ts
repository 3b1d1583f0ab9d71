/** The same on many hosts, of which some fail. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { onEachHost, requireAll } from '../../../controller/inject/each-host.ts';
import { AtOnce } from '../../../controller/inject/ssh/at-once.ts';
import { InjectError } from '../../../controller/inject/ssh/errors.ts';

const HOSTS = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
const refused = (name: string) => new InjectError('SSH_REFUSED', `${name}: it refuses`, 'start sshd');

test('where half of the hosts fail, the others come to their end, and each failure is told', async () => {
  const told: string[] = [];
  const outcomes = await onEachHost(
    HOSTS,
    async ({ name }) => {
      if (name < 'c') throw refused(name);
      return `${name} is done`;
    },
    ({ host, error, value }) => told.push(error ? error.message : `${host}: ${value}`),
  );
  expect(told.toSorted()).toEqual(['a: it refuses', 'b: it refuses', 'c: c is done', 'd: d is done']);
  expect(outcomes.map(({ host, error }) => [host, error?.code])).toEqual([
    ['a', 'SSH_REFUSED'],
    ['b', 'SSH_REFUSED'],
    ['c', undefined],
    ['d', undefined],
  ]);
  expect(() => requireAll(outcomes, 'starting', 'the others were taken back')).toThrow(
    expect.objectContaining({
      code: 'HOSTS_FAILED',
      message: 'starting: 2 hosts of 4 failed (a: it refuses)',
      remedy: 'the others were taken back',
    }),
  );
});

test('one that hangs keeps no other one from being told', async () => {
  const hanging = Promise.withResolvers<void>();
  const told: string[] = [];
  const all = onEachHost(
    HOSTS,
    ({ name }) => (name === 'a' ? hanging.promise : Promise.resolve()),
    ({ host }) => told.push(host),
  );
  await setImmediate();
  expect(told).toEqual(['b', 'c', 'd']);
  hanging.resolve();
  expect(await all).toHaveLength(4);
});

test('an error without a code is none of a host', async () => {
  await expect(onEachHost(HOSTS, () => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
});

test('so many at once, in turn, also after one that fails', async () => {
  const turns = new AtOnce(2);
  const begun: number[] = [];
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const done = gates.map(({ promise }, at) =>
    turns.run(() => {
      begun.push(at);
      return promise;
    }),
  );
  await setImmediate();
  expect(begun).toEqual([0, 1]);
  gates[1]!.reject(new Error('refused'));
  await expect(done[1]).rejects.toThrow('refused');
  await setImmediate();
  expect(begun).toEqual([0, 1, 2]);
  for (const at of [0, 2, 3]) gates[at]!.resolve();
  await Promise.all([done[0], done[2], done[3]]);
  expect(begun).toEqual([0, 1, 2, 3]);
});
