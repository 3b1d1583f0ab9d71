/** A long run of commands, five a second, as an agent plays it. */
import { describe, expect, test, vi } from 'vitest';
import { CommandedTimeline } from '../../../agent/timeline/commanded-timeline.ts';
import { Folding } from '../../../agent/timeline/folding.ts';
import { readCommand } from '../../../agent/timeline/known-command.ts';
import { Player } from '../../../agent/timeline/player.ts';
import { type Command, KEPT_FOLDABLE, MAX_COMMANDS } from '../../../proto/command.ts';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { Beginning } from '../../../topology/timeline/beginning.ts';
import { graphOf } from '../../../topology/timeline/graph-at.ts';
import { command, seconds } from '../../support/commands.ts';

vi.setConfig({ testTimeout: 60_000 });

const { topology } = loadTopology(
  `services: { client: { replicas: 3 }, server: {} }
bridges: [s, t]
links:
  - { from: client, to: s, latency: 5ms, up: 10Mbps, down: 3Mbps }
  - { from: s, to: t, latency: 1ms }
  - { from: t, to: server, latency: 1ms }
events: [ 'at 30s set s--t latency=3ms', 'from 100s to 200s churn client 1 every 20s replace' ]`,
  'test.yaml',
);
const newPlayer = (): Player => {
  const one = new Player(topology, () => {});
  one.advance(seconds(0));
  return one;
};

/** One each 200 ms, none of which fails. */
function mixed(count: number): Command[] {
  const random = new SeededRandom(9);
  const pick = <T>(...all: T[]): T => all[random.below(all.length)]!;
  const isAway = new Map<string, boolean>();
  /** The other of the two of what it names. */
  const turned = (name: string, away: string, back: string): string => {
    isAway.set(name, !isAway.get(name));
    return `${isAway.get(name) ? away : back} ${name}`;
  };
  return Array.from({ length: count }, (_, index) => {
    const at = 0.2 * (index + 1);
    const link = pick('s--t', 't--server');
    return pick(
      () => command(at, `set ${link} latency=${1 + random.below(50)}ms`),
      () => command(at, `set ${pick('s->t', 'client--s')} up=${pick('50%', '5Mbps')}`),
      () => command(at, turned(pick('server', 't'), 'leave', 'join')),
      () => command(at, turned('s--t', 'leave', 'join')),
      () => command(at, 'flap t--server every 100ms', { until: seconds(at + 1) }),
      () => command(at, `set ${link} loss=1%`, { until: seconds(at + 3) }),
      () => command(at, 'partition client.0 | server'),
      () => command(at, 'heal'),
      () => command(at, 'run client.0 "true"'),
    )();
  });
}

describe('a run with more commands than an agent keeps', () => {
  const all = mixed(6000);
  const player = newPlayer();
  const whole = new CommandedTimeline(
    new Beginning(topology),
    { onAtom: () => {}, onProblem: () => {} },
    () => [],
  );
  const joined: Player[] = [];
  const wrong: number[] = [];
  let most = 0;
  for (const [index, one] of all.entries()) {
    player.commands([one], micros(one.at));
    // Without the limit that a set has, in parts.
    if (index < MAX_COMMANDS) {
      whole.add([readCommand(one)]);
      whole.advance(micros(one.at));
      if (index % 97 === 0 && JSON.stringify(graphOf(whole.state)) !== JSON.stringify(player.graph))
        wrong.push(index);
    }
    if (index % 20 === 0) most = Math.max(most, player.history().length);
    if (index % 1500 !== 1400) continue;
    const late = newPlayer();
    late.commands(
      player.history().map(({ command: kept }) => kept),
      micros(one.at),
    );
    expect(late.graph).toEqual(player.graph);
    expect(late.epoch).toBe(player.epoch);
    joined.push(late);
  }

  test('keeps the topology that all of them give', () => {
    expect(wrong).toEqual([]);
  });

  test('keeps few of them, and says how many it has left out', () => {
    // Those of the last minute and ten seconds, those that could go, and those of which something is left.
    expect(most).toBeLessThan(5 * 70 + KEPT_FOLDABLE + 200);
    expect(player.folded).toBe(all.length - player.history().length);
    expect(player.folded).toBeGreaterThan(MAX_COMMANDS);
  });

  test('keeps what became of those that it keeps', () => {
    const failed = player.history().filter(({ status }) => status === 'failed');
    expect(failed.map(({ command: { text, at }, reason }) => [at / 1e6, text, reason])).toEqual([]);
  });

  test('lets others join at any time', () => {
    expect(joined).toHaveLength(4);
  });

  test('accepts the next one', () => {
    const last = all.at(-1)!.at;
    expect(() => player.check(command(last / 1e6 + 1, 'crash client.0'), micros(last))).not.toThrow();
  });
});

test('when all that are kept were given within a minute, the next one is refused, and a later one is not', () => {
  const player = newPlayer();
  const many = Array.from({ length: MAX_COMMANDS }, (_, index) =>
    command(10 + index / 1000, `set s--t latency=${1 + (index % 9)}ms`),
  );
  player.commands(many, seconds(20));
  expect(() => player.check(command(30, 'set s--t latency=1ms'), seconds(30))).toThrow(/as many as it takes/);
  for (const text of ['heal', 'reset', 'quit'])
    expect(() => player.check(command(30, text), seconds(30))).not.toThrow();
  player.check(command(90, 'set s--t latency=1ms'), seconds(90));
  player.commands([command(90, 'set s--t latency=77ms')], seconds(90));
  expect(player.history().length).toBeLessThanOrEqual(KEPT_FOLDABLE + 2);
  expect(player.graph.links.find(({ name }) => name === 's->t')!.latency).toBe(77_000);
});

test('a reset leaves nothing of what it has undone, also not of what is due later', () => {
  const folding = new Folding(new Beginning(topology), 0);
  const before = [command(1, 'crash client 1'), { ...command(500, 'leave server'), issuedAt: seconds(2) }];
  const reset = command(3, 'reset');
  const after = [command(4, 'leave t'), command(200, 'set s--t latency=2ms')];
  expect(folding.leftOut([...before, reset, ...after])).toEqual(before);
});

test('the same commands have the same answer at once, others of their number another one', () => {
  const folding = new Folding(new Beginning(topology), 0);
  const [old, next, last] = [10, 20, 300].map((at) => command(at, 'set s--t latency=1ms')) as Command[];
  const left = folding.leftOut([old!, next!, last!]);
  expect(left).toEqual([old]);
  expect(folding.leftOut([last!, next!, old!])).toBe(left);
  expect(folding.leftOut([old!, command(20, 'crash server'), last!])).toEqual([]);
  expect(folding.leftOut([old!, next!])).toEqual([]);
});

test('what can not be made up for stays: whom an amount takes depends on who is there', () => {
  const folding = new Folding(new Beginning(topology), 0);
  const left = (...commands: Command[]): string[] =>
    folding.leftOut([...commands, command(300, 'set s--t latency=1ms')]).map(({ text }) => text);
  // Outside of the file's churn.
  const [crash, amount, again] = [
    command(210, 'crash client.1'),
    command(211, 'crash client 1'),
    command(212, 'crash client.1'),
  ];
  expect(left(crash, again)).toEqual(['crash client.1']);
  expect(left(crash, amount, again)).toEqual([]);
  expect(left(crash, amount, again, command(213, 'crash client'))).toEqual([
    ...['crash client.1', 'crash client 1', 'crash client.1'],
  ]);
  // Within it.
  expect(left(command(110, 'crash client.1'), command(120, 'crash client.1'))).toEqual([]);
});

test('what a reset to come would leave alone is not made up for by what it drops', () => {
  const folding = new Folding(new Beginning(topology), 0);
  const given = (at: number, issuedAt: number, text: string): Command =>
    command(at, text, { issuedAt: seconds(issuedAt) });
  // The later of the two was accepted first, and a reset between them drops only that one.
  const [first, second] = [given(20, 15, 'set s--t latency=5ms'), given(30, 10, 'set s--t latency=6ms')];
  const reset = given(400, 12, 'reset');
  expect(folding.leftOut([first, second, reset, given(300, 300, 'heal')])).toEqual([]);
  expect(
    folding.leftOut([first, given(30, 16, 'set s--t latency=6ms'), reset, given(300, 300, 'heal')]),
  ).toEqual([first]);
});
