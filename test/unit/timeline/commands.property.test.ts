/** The state follows from the set of commands, not from when or in which order they arrive at an agent. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Player, type TimelineChanges } from '../../../agent/timeline/player.ts';
import { type Command, compareCommands } from '../../../proto/command.ts';
import { micros } from '../../../proto/units.ts';
import { COMMAND_FILE, parseAction } from '../../../topology/events/grammar.ts';
import { loadTopology } from '../../../topology/load.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import type { TopologyEvent } from '../../../topology/model/events.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { Beginning } from '../../../topology/timeline/beginning.ts';
import { graphAt, graphOf } from '../../../topology/timeline/graph-at.ts';
import { Timeline } from '../../../topology/timeline/timeline.ts';

/** As many as fit before a commit; raise it to hunt. */
const RUNS = 300;
/** On a machine that has other things to do. */
vi.setConfig({ testTimeout: 60_000 });
const END = 12;
/** Times are few, so that much falls on one instant. */
const GRAIN = 500_000;

const BASE = `services: { client: { replicas: 4, tags: [edge] }, server: { replicas: 2 }, spare: { replicas: 2 } }
bridges: { s: {}, t: {} }
links:
  - { from: client, to: s, latency: 5ms, up: 10Mbps, down: 3Mbps }
  - { from: s, to: t, latency: 2ms, bandwidth: 50Mbps }
  - { from: t, to: server, latency: 1ms }
  - { from: t, to: spare, latency: 1ms }
events:
`;
const FILE = `${BASE}  - at 1s set s--t latency=9ms
  - at 2s crash client 1
  - from 2s to 6s leave s->t
  - at 3s join spare 1
  - from 3s to 8s churn client 30% every 1s replace seed 5
  - at 5s partition client.0 | server
  - at 7s join client
  - from 4s to 9s flap client.1--s every 500ms
`;
const topologyOf = (text: string): Topology => loadTopology(text, 'test.yaml').topology;
const topology = topologyOf(FILE);

const AT_ONCE = [
  'crash client 1',
  'leave client 2',
  'join client 1',
  'join *',
  'disconnect server 1',
  'reconnect server',
  'set s--t latency=200%',
  'set s--t latency=3ms up=50%',
  'set * loss=+1%',
  'leave s->t',
  'join s->t',
  'partition client | server.0',
  'heal',
  'crash spare',
  'run client.0 "true"',
  'signal server HUP',
  'crash nobody',
  'crash client 1 2',
] as const;
const WITH_WINDOW = [
  'flap t every 700ms',
  'churn client 1 every 1s replace seed 3',
  'set s--t jitter=1ms',
  'disconnect client 2',
  'partition client.1 | client.2 server',
];

/** Commands of three hosts; `resets` of a hundred are resets. */
const commandsOf = (resets: number): fc.Arbitrary<Command[]> =>
  fc
    .array(
      fc.record({
        origin: fc.constantFrom('a', 'b', 'c'),
        issued: fc.integer({ min: 0, max: 20 }),
        delay: fc.constantFrom(0, 0, 1, 4),
        length: fc.integer({ min: 1, max: 8 }),
        kind: fc.integer({ min: 0, max: 99 }),
        text: fc.nat(),
      }),
      { maxLength: 14 },
    )
    .map((all) =>
      all.map(({ origin, issued, delay, length, kind, text }, index): Command => {
        const at = (issued + delay) * GRAIN;
        const common = { origin, incarnation: 1, number: index + 1, issuedAt: issued * GRAIN, at };
        if (kind < resets) return { ...common, text: 'reset' };
        if (kind % 3 > 0) return { ...common, text: AT_ONCE[text % AT_ONCE.length]! };
        const until = at + length * GRAIN;
        return { ...common, until, text: WITH_WINDOW[text % WITH_WINDOW.length]! };
      }),
    );

/** Runs commands as applications do, and refuses to start or kill twice. */
class Processes {
  readonly running: boolean[];

  constructor(player: Player) {
    this.running = Array.from({ length: 8 }, (_, endpoint) => player.isPresent(endpoint));
  }

  obey({ atoms }: TimelineChanges): void {
    for (const atom of atoms) {
      if (!('node' in atom) || atom.node >= this.running.length) continue;
      if (atom.verb !== 'join' && atom.verb !== 'crash' && atom.verb !== 'leave') continue;
      expect(this.running[atom.node]).toBe(atom.verb !== 'join');
      this.running[atom.node] = atom.verb === 'join';
    }
  }
}

class Agent {
  readonly player = new Player(topology, () => {});
  readonly processes = new Processes(this.player);
  graph = this.player.graph;

  take(changes: TimelineChanges): void {
    this.graph = changes.graph ?? this.graph;
    this.processes.obey(changes);
    expect(this.processes.running).toEqual(
      this.processes.running.map((_, one) => this.player.isPresent(one)),
    );
    expect(this.graph).toEqual(this.player.graph);
  }

  get all(): unknown {
    const { epoch, graph, nextAt } = this.player;
    return { epoch, graph, nextAt, history: this.player.history() };
  }
}

/** The command as a line of the file; none where it can't be read. */
function eventOf({ at, until, text }: Command): TopologyEvent[] {
  const action = parseAction(text, until !== undefined, new Findings(COMMAND_FILE));
  if (!action) return [];
  const position = { file: COMMAND_FILE, line: 1, column: 1 };
  return [{ at: micros(at), ...(until === undefined ? {} : { until: micros(until) }), action, position }];
}

/** One that has received all before the start. */
function foreknowing(commands: readonly Command[], at: number): Agent {
  const agent = new Agent();
  for (const command of commands) agent.take(agent.player.command(command, micros(0)));
  for (let now = 0; now <= at; now += GRAIN) agent.take(agent.player.advance(micros(now)));
  return agent;
}

describe('agents that receive the same commands reach the same state', () => {
  test.each([
    ['without resets', 0],
    ['with resets', 20],
  ])('%s, in any order, early or late', (_, resets) => {
    fc.assert(
      fc.property(
        commandsOf(resets),
        fc.array(
          fc.record({
            when: fc.oneof(fc.integer({ min: 0, max: 24 }), fc.constant('due')),
            twice: fc.boolean(),
          }),
          {
            minLength: 14,
            maxLength: 14,
          },
        ),
        fc.integer({ min: 1, max: 7 }),
        (commands, hearings, step) => {
          const agent = new Agent();
          for (let now = 0; now <= 2 * END; now++) {
            if (now % step === 0) agent.take(agent.player.advance(micros(now * GRAIN)));
            commands.forEach((command, index) => {
              const { when, twice } = hearings[index]!;
              if (when === 'due' ? command.at !== now * GRAIN : when !== now) return;
              agent.take(agent.player.command(command, micros(now * GRAIN)));
              if (twice) expect(agent.player.command(command, micros(now * GRAIN)).atoms).toEqual([]);
            });
          }
          agent.take(agent.player.advance(micros(END * 1e6)));
          expect(agent.all).toEqual(foreknowing(commands, END * 1e6).all);
        },
      ),
      { numRuns: RUNS, seed: 11 },
    );
  });

  test('also at every instant before, and if many arrive at once', () => {
    fc.assert(
      fc.property(commandsOf(15), fc.integer({ min: 0, max: 2 * END }), fc.nat(), (commands, at, cut) => {
        const now = micros(at * GRAIN);
        const agent = new Agent();
        const early = commands.slice(0, cut % (commands.length + 1));
        agent.take(agent.player.commands(early, micros(0)));
        agent.take(agent.player.advance(now));
        agent.take(agent.player.commands(commands.slice(early.length).toReversed(), now));
        agent.take(agent.player.advance(now));
        expect(agent.all).toEqual(foreknowing(commands, now).all);
      }),
      { numRuns: RUNS, seed: 12 },
    );
  });

  test('and, but for resets, to what the file gives with the same lines at its end', () => {
    fc.assert(
      fc.property(commandsOf(0), fc.integer({ min: 0, max: 2 * END }), (commands, at) => {
        const added = commands.toSorted(compareCommands).flatMap(eventOf);
        // The file decides which endpoints are absent at first: a command makes none a late joiner.
        const { presence } = new Beginning(topology);
        const longer = new Beginning({ ...topology, events: [...topology.events, ...added] });
        const timeline = new Timeline(Object.assign(longer, { presence }), () => {});
        timeline.advance(micros(at * GRAIN));
        expect(foreknowing(commands, at * GRAIN).graph).toEqual(graphOf(timeline.state));
      }),
      { numRuns: RUNS, seed: 13 },
    );
  });

  test('after a reset that undoes all: to what the file gives', () => {
    fc.assert(
      fc.property(commandsOf(10), fc.integer({ min: 21, max: 2 * END }), (commands, at) => {
        const reset = {
          origin: 'z',
          incarnation: 1,
          number: 99,
          issuedAt: at * GRAIN,
          at: at * GRAIN,
          text: 'reset',
        };
        const agent = foreknowing([reset, ...commands], END * 1e6);
        expect(agent.graph).toEqual(graphAt(topology, micros(END * 1e6)));
      }),
      { numRuns: RUNS, seed: 14 },
    );
  });
});
