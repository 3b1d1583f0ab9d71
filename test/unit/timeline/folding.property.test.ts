/** Leaving old commands out changes no topology after the horizon, and comes to the same on all agents. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { CommandSet } from '../../../agent/mesh/members/command-set.ts';
import { Folding } from '../../../agent/timeline/folding.ts';
import { Player } from '../../../agent/timeline/player.ts';
import { type Command, foldHorizon } from '../../../proto/command.ts';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { Beginning } from '../../../topology/timeline/beginning.ts';

const RUNS = 300;
vi.setConfig({ testTimeout: 60_000 });
/** Few instants, so that much falls on one; the horizon is a minute before the last. */
const GRAIN = 5_000_000;
const LAST = 40;
const END = 60;

const BASE = `services: { client: { replicas: 3, tags: [edge] }, server: {}, spare: { replicas: 2 } }
bridges: { s: {}, t: {} }
links:
  - { from: client, to: s, latency: 5ms, up: 10Mbps, down: 3Mbps }
  - { from: s, to: t, latency: 2ms, bandwidth: 50Mbps }
  - { from: t, to: server, latency: 1ms }
  - { from: t, to: spare, latency: 1ms }
traces: { night: 'loop 0 1000: 0 5000000 2000 0, 500 9000000 7000 0.01', late: 'loop 0 10: 0 - 9000' }
events:
`;
const FILES = {
  'a file without events': `${BASE}  []\n`,
  'a file with events': `${BASE}  - at 20s set s--t latency=9ms
  - at 30s crash client 1
  - from 25s to 60s leave s->t
  - at 50s join spare 1
  - from 100s to 130s churn client 30% every 10s replace seed 5
  - at 140s partition client.0 | server
  - at 150s join client
  - from 40s to 90s disconnect server
  - from 160s to 200s flap client.1--s every 5s
`,
};

const AT_ONCE = [
  ...['crash client.0', 'join client.0', 'leave client.1', 'join client.1', 'crash client', 'join client'],
  ...['crash client 1', 'join client 1', 'leave spare 50%', 'disconnect client.0', 'reconnect client.0'],
  ...['disconnect client 1', 'reconnect client', 'set s--t latency=3ms', 'set s--t latency=200%'],
  ...['set s->t latency=7ms up=50%', 'set s->t down=2Mbps latency=4ms', 'set * loss=+1%', 'set * loss=2%'],
  ...[
    'set s--t trace=night',
    'set s--t trace=none',
    'set s->t trace=late bandwidth=50%',
    'set s--t duplicate=+1%',
  ],
  ...['set s--t loss_model="every 9 packets"', 'set s->t loss_model=none', 'set s--t distribution=pareto'],
  ...['set s--t quantiles="1 2 3 4 5 6 7 9"', 'set s--t bandwidth=7Mbps loss=2%', 'set s--t trace=nothing'],
  ...['set t--server latency=2ms', 'leave s->t', 'join s->t', 'leave s', 'join s', 'leave s--t spare'],
  ...['partition client | server.0', 'partition client.0 | *', 'heal', 'run client.0 "true"'],
  ...['crash nobody', 'join *', 'crash *', 'leave tag:edge', 'what is this'],
];
const WITH_WINDOW = [
  ...['flap t every 7s', 'flap s--t every 5s', 'flap client.0 every 4s', 'churn client 1 every 10s replace'],
  ...['churn spare 50% every 5s', 'set s--t latency=8ms', 'set s--t latency=+1ms', 'disconnect client 2'],
  ...['leave client.0', 'leave s->t', 'disconnect client.0', 'partition client.1 | client.2 server'],
];

const commandsOf = (most: number, resets: number): fc.Arbitrary<Command[]> =>
  fc
    .array(
      fc.record({
        origin: fc.constantFrom('a', 'b'),
        issued: fc.integer({ min: 0, max: LAST }),
        delay: fc.constantFrom(0, 0, 0, 1, 4, 20),
        length: fc.integer({ min: 1, max: 8 }),
        kind: fc.integer({ min: 0, max: 99 }),
        text: fc.nat(),
      }),
      { maxLength: most },
    )
    .map((all) =>
      [...all, { origin: 'a', issued: LAST, delay: 0, length: 1, kind: 99, text: 3 }].map(
        ({ origin, issued, delay, length, kind, text }, index): Command => {
          const at = (issued + delay) * GRAIN;
          const common = { origin, incarnation: 1, number: index + 1, issuedAt: issued * GRAIN, at };
          if (kind < resets) return { ...common, text: 'reset' };
          if (kind % 4 > 0) return { ...common, text: AT_ONCE[text % AT_ONCE.length]! };
          const until = at + length * GRAIN;
          return { ...common, until, text: WITH_WINDOW[text % WITH_WINDOW.length]! };
        },
      ),
    );

/** Graphs at each instant from the horizon on. */
function graphsOf(
  topology: ConstructorParameters<typeof Player>[0],
  commands: readonly Command[],
  from: number,
) {
  const player = new Player(topology, () => {});
  player.commands(commands, micros(0));
  const graphs: unknown[] = [];
  for (let at = 0; at <= END; at++) {
    player.advance(micros(at * GRAIN));
    if (at * GRAIN >= from) graphs.push(player.graph);
  }
  return graphs;
}

describe.each(Object.entries(FILES))('in %s', (_, text) => {
  const { topology } = loadTopology(text, 'test.yaml');
  const folding = new Folding(new Beginning(topology), 0);
  const leftOut = (commands: readonly Command[]) => folding.leftOut(commands);
  const without = (commands: readonly Command[], left: readonly Command[]): Command[] => {
    const gone = new Set(left);
    return commands.filter((one) => !gone.has(one));
  };

  test.each([
    ['without resets', 0],
    ['with resets', 8],
  ])('what is left out is missing at no instant after the horizon, %s', (__, resets) => {
    let count = 0;
    fc.assert(
      fc.property(commandsOf(40, resets), (commands) => {
        const left = leftOut(commands);
        count += left.length;
        const horizon = foldHorizon(commands);
        expect(graphsOf(topology, without(commands, left), horizon)).toEqual(
          graphsOf(topology, commands, horizon),
        );
      }),
      { numRuns: RUNS, seed: 21 },
    );
    // It is not right because nothing is ever left out.
    expect(count).toBeGreaterThan(RUNS / 3);
  });

  test('nor if only the oldest of it is left out', () => {
    fc.assert(
      fc.property(commandsOf(30, 4), fc.integer({ min: 1, max: 10 }), (commands, keep) => {
        const left = new Folding(new Beginning(topology), keep).leftOut(commands);
        const horizon = foldHorizon(commands);
        expect(graphsOf(topology, without(commands, left), horizon)).toEqual(
          graphsOf(topology, commands, horizon),
        );
      }),
      { numRuns: RUNS, seed: 22 },
    );
  });

  test('a set with some of what others have left out gives the same', () => {
    fc.assert(
      fc.property(
        commandsOf(40, 4),
        fc.array(fc.boolean(), { minLength: 41, maxLength: 41 }),
        (commands, has) => {
          const kept = without(commands, leftOut(commands));
          const isKept = new Set(kept);
          const some = commands.filter((one, index) => isKept.has(one) || has[index]);
          expect(without(some, leftOut(some))).toEqual(kept);
        },
      ),
      { numRuns: RUNS, seed: 23 },
    );
  });

  test('agents that have folded apart agree when they have heard of each other, and play the same', () => {
    fc.assert(
      fc.property(
        commandsOf(40, 4),
        fc.array(fc.nat(2), { minLength: 41, maxLength: 41 }),
        (commands, sides) => {
          const sets = [new CommandSet(leftOut), new CommandSet(leftOut)] as const;
          const inTime = commands.toSorted((a, b) => a.issuedAt - b.issuedAt);
          for (const [index, one] of inTime.entries()) {
            const side = sides[index]!;
            if (side !== 1) sets[0].take([one]);
            if (side !== 0) sets[1].take([one]);
          }
          const [before, other] = sets.map((set) => [...set.all()]) as [Command[], Command[]];
          sets[0].take(other);
          sets[1].take(before);
          // Each has the other's; what one has found out now, the other asks for.
          sets[0].take(sets[1].all());
          sets[1].take(sets[0].all());
          expect(sets[0].all()).toEqual(sets[1].all());
          expect(sets[0].digest).toEqual(sets[1].digest);
          const late = new CommandSet(leftOut);
          late.take(sets[1].all());
          expect(late.digest).toEqual(sets[0].digest);
        },
      ),
      { numRuns: RUNS, seed: 24 },
    );
  });
});
