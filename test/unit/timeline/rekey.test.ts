/** Commands that replace the mesh's key, among those that change the network. */
import { expect, test } from 'vitest';
import { Folding } from '../../../agent/timeline/folding.ts';
import { Player } from '../../../agent/timeline/player.ts';
import type { Author } from '../../../proto/command.ts';
import { loadTopology } from '../../../topology/load.ts';
import { Beginning } from '../../../topology/timeline/beginning.ts';
import { command, seconds } from '../../support/commands.ts';

const { topology } = loadTopology(
  'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 1ms }]',
  'test.yaml',
);
const box = (length: number): string => 'x'.repeat(length);
const REKEY = `rekey 1/1 10us ${box(22)} ${box(64)} ${box(43)} ${box(16)}:${box(64)}`;

function player(): Player {
  const one = new Player(topology, () => {});
  one.advance(seconds(0));
  return one;
}

test('it changes nothing in the network, and no reset undoes it', () => {
  const one = player();
  const given = command(1, REKEY);
  expect(() => one.check(given, seconds(1))).not.toThrow();
  expect(one.command(given, seconds(1))).toMatchObject({ atoms: [], graph: undefined });
  one.command(command(2, 'reset'), seconds(2));
  expect(one.history().map(({ command: { text }, status }) => [text.split(' ')[0], status])).toEqual([
    ['rekey', 'done'],
    ['reset', 'done'],
  ]);
});

test('one that is none is refused, and says what makes them', () => {
  expect(() => player().check(command(1, 'rekey 1/1'), seconds(1))).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining('netfold mesh rotate') }),
  );
});

test('it is never left out as old, after a reset neither', () => {
  const folding = new Folding(new Beginning(topology), 0);
  const given = command(1, REKEY);
  const old = command(2, 'set a--b latency=2ms');
  const others = [command(3, 'reset'), command(900, 'heal')];
  expect(folding.leftOut([given, old, ...others])).toContain(old);
  expect(folding.leftOut([given, old, ...others])).not.toContain(given);
});

test("only users' keys may give it", () => {
  const rights = player().rights({ 'a.0': 'one', 'b.0': 'one' });
  const may = (author: Author): boolean => rights.lacking(command(1, REKEY), author) === undefined;
  expect(may({ kind: 'user', name: 'u', rights: ['network'] })).toBe(true);
  expect(may({ kind: 'user', name: 'u', rights: ['run'] })).toBe(false);
  expect(may({ kind: 'agent', host: 'one' })).toBe(false);
});
