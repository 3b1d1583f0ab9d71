import { expect, test } from 'vitest';
import type { Mesh } from '../../../agent/mesh/exchange/mesh.ts';
import type { Message } from '../../../agent/messenger/message.ts';
import { Untold } from '../../../controller/messenger/messenger.ts';

type Present = readonly [name: string, inStep: boolean, endpoints: number];

const started = (): Untold =>
  new Untold({ untold: [{ name: 'c', peer: 'C', addresses: [] }] } as unknown as Message);

/** Whether nobody is left, when these were there, and those had been lost. */
function look(
  untold: Untold,
  ms: number,
  present: readonly Present[],
  lost: readonly string[] = [],
): boolean {
  const hosts = present.map(([name, inStep, endpoints]) => ({ name, inStep, endpoints, self: false }));
  const view = { hosts: () => hosts, untold: () => lost.map((name) => ({ name })) };
  untold.look({ view } as unknown as Mesh, ms);
  return untold.isEmpty;
}

test('a host knows when it had all commands and is gone, or when it has left', () => {
  const knowing = started();
  expect(look(knowing, 0, [['c', true, 1]])).toBe(false);
  expect(look(knowing, 1, [], ['c'])).toBe(true);
  const left = started();
  expect(look(left, 0, [['c', false, 1]])).toBe(false);
  expect(look(left, 1, [])).toBe(true);
  const lost = started();
  look(lost, 0, [['c', false, 1]]);
  expect(look(lost, 1, [], ['c'])).toBe(false);
  lost.invited('C');
  expect(lost.isEmpty).toBe(true);
});

test('nobody is waited for where hosts with endpoints do not take the commands: it was started anew', () => {
  const untold = started();
  const anew = (ms: number, inStep = false): boolean => look(untold, ms, [['a', inStep, 1]]);
  expect([anew(0), anew(29_999), anew(29_999, true)]).toEqual([false, false, false]);
  // From here on once more.
  expect([anew(30_000), anew(59_999), anew(60_000)]).toEqual([false, false, true]);
});

test('others that wait have no endpoints, and may lack commands of hosts that are gone', () => {
  const untold = started();
  const others: Present[] = [['b', false, 0]];
  expect([look(untold, 0, others), look(untold, 90_000, others)]).toEqual([false, false]);
});
