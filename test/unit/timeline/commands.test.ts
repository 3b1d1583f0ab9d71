import { describe, expect, test } from 'vitest';
import { Player, type TimelineChanges } from '../../../agent/timeline/player.ts';
import { MAX_COMMANDS } from '../../../proto/command.ts';
import { loadTopology } from '../../../topology/load.ts';
import { MAX_ATOMS } from '../../../topology/model/limits.ts';
import { command, seconds } from '../../support/commands.ts';

function player(...events: string[]): Player {
  const { topology } = loadTopology(
    `services: { client: { replicas: 3 }, server: {} }
bridges: [s]
links:
  - { from: client, to: s, latency: 5ms, up: 10Mbps, down: 3Mbps }
  - { from: s, to: server, latency: 1ms }
events:
${events.length === 0 ? '  []' : events.map((event) => `  - ${event}`).join('\n')}`,
    'test.yaml',
  );
  const one = new Player(topology, () => {});
  one.advance(seconds(0));
  return one;
}

const latency = ({ graph }: Pick<Player, 'graph'>, name = 's->server.0'): number =>
  graph.links.find((link) => link.name === name)!.latency / 1000;
const atoms = ({ atoms: all }: TimelineChanges): string[] =>
  all.map((atom) => `${atom.verb} ${'node' in atom ? atom.node : ''}`.trim());
const present = (one: Player): number[] => [0, 1, 2, 3].filter((endpoint) => one.isPresent(endpoint));
const statuses = (one: Player): string[] =>
  one.history().map(({ command: { text }, status }) => `${text}: ${status}`);

describe('a command', () => {
  test('that arrives before it is due waits for its instant', () => {
    const one = player();
    expect(one.command(command(2, 'set s--server latency=9ms'), seconds(1))).toEqual({
      atoms: [],
      graph: undefined,
    });
    expect(one.nextAt).toBe(seconds(2));
    const changes = one.advance(seconds(2));
    expect(atoms(changes)).toEqual(['set']);
    expect(latency({ graph: changes.graph! })).toBe(9);
    expect(one.epoch).toBe(1);
  });

  test('that is due takes effect when it arrives', () => {
    const one = player('at 1s set s--server latency=7ms');
    const changes = one.command(command(2, 'set s--server latency=+9ms'), seconds(2.003));
    expect(atoms(changes)).toEqual(['set', 'set']);
    expect(latency({ graph: changes.graph! })).toBe(16);
    expect(one.epoch).toBe(2);
  });

  test('that is known does nothing', () => {
    const one = player('at 2s crash client.0');
    const crash = command(1, 'crash client.1');
    one.command(crash, seconds(1));
    expect(one.command(crash, seconds(3))).toEqual({ atoms: [], graph: undefined });
    expect(one.nextAt).toBe(seconds(2));
  });

  test('comes after the events of the file at its instant, and before other commands as they compare', () => {
    const one = player('at 1s set s--server latency=10ms');
    const first = command(1, 'set s--server latency=200%', { origin: 'a' });
    const second = command(1, 'set s--server latency=+1ms', { origin: 'b' });
    one.command(second, seconds(0.5));
    one.command(first, seconds(0.5));
    one.advance(seconds(1));
    expect(latency(one)).toBe(21);
    expect(one.epoch).toBe(1);
  });

  test('has a window, and comes after windows that end', () => {
    const one = player('from 1s to 3s set s--server latency=10ms');
    one.command(command(3, 'set s--server latency=200%', { until: seconds(4) }), seconds(2));
    one.advance(seconds(3));
    expect(latency(one)).toBe(2);
    one.advance(seconds(4));
    expect(latency(one)).toBe(1);
  });

  test('does not make an endpoint absent before that joins by it', () => {
    const one = player();
    one.command(command(2, 'join client.1'), seconds(1));
    expect(present(one)).toEqual([0, 1, 2, 3]);
  });
});

describe('a command that arrives late', () => {
  test('changes what followed it, as if it had arrived in time', () => {
    const one = player('at 2s set s--server latency=200%');
    one.advance(seconds(3));
    expect(latency(one)).toBe(2);
    const changes = one.command(command(1, 'set s--server latency=30ms'), seconds(3));
    expect(atoms(changes)).toEqual([]);
    expect(latency({ graph: changes.graph! })).toBe(60);
    expect(one.epoch).toBe(2);
  });

  test('reports only the difference to processes', () => {
    const one = player('at 2s leave client 1', 'at 4s crash client 1');
    one.advance(seconds(3));
    expect(present(one)).toEqual([0, 1, 3]);
    // client.2 has left before, so that client.1 is the one to leave at 2s.
    const changes = one.command(command(1, 'crash client.2'), seconds(3));
    expect(atoms(changes)).toEqual(['crash 1']);
    expect(present(one)).toEqual([0, 3]);
    expect(atoms(one.command(command(1.5, 'join client.2'), seconds(3)))).toEqual(['join 1']);
  });

  test('still runs and signals, in present endpoints', () => {
    const one = player('at 2s crash client.1');
    one.advance(seconds(3));
    expect(atoms(one.command(command(1, 'run client "true"'), seconds(3)))).toEqual(['run 0', 'run 2']);
    expect(atoms(one.command(command(1.5, 'signal server HUP'), seconds(3)))).toEqual(['signal 3']);
    expect(atoms(one.command(command(1.6, 'quit'), seconds(3)))).toEqual(['quit']);
    expect(one.command(command(1, 'run client "true"'), seconds(3)).graph).toBeUndefined();
  });

  test('goes on with what is left of its window', () => {
    const one = player('at 2s set s--server latency=7ms');
    one.advance(seconds(2.2));
    const flap = command(1, 'flap s--server every 500ms', { until: seconds(4) });
    const changes = one.command(flap, seconds(2.2));
    expect(changes.graph!.edges.length).toBe(6);
    expect(one.advance(seconds(2.5)).graph!.edges.length).toBe(8);
    expect(one.epoch).toBe(4);
  });

  test('is corrected once for many', () => {
    const [one, other] = [player('at 2s crash client.0'), player('at 2s crash client.0')];
    const late = [
      command(1, 'crash client.1'),
      command(1.5, 'join client.1'),
      command(1.7, 'crash client 2'),
    ];
    one.advance(seconds(3));
    const changes = one.commands(late, seconds(3));
    expect(atoms(changes)).toEqual(['crash 1', 'crash 2']);
    other.commands(late, seconds(0));
    other.advance(seconds(3));
    expect([one.graph, one.epoch, statuses(one)]).toEqual([other.graph, other.epoch, statuses(other)]);
  });
});

describe('two commands of one instant', () => {
  test('are in their order, even if the first arrives when the second has been played', () => {
    const one = player();
    const first = command(1, 'set s--server latency=10ms', { origin: 'a' });
    const second = command(1, 'set s--server latency=200%', { origin: 'b' });
    one.command(second, seconds(1));
    expect(latency(one)).toBe(2);
    expect(latency({ graph: one.command(first, seconds(1)).graph! })).toBe(20);
    expect(one.epoch).toBe(1);
  });

  test('with the same identity: the one that comes first counts, whichever arrives first', () => {
    const one = command(1, 'crash client.0');
    const other = { ...one, text: 'crash client.1' };
    for (const heard of [
      [one, other],
      [other, one],
    ]) {
      const agent = player();
      for (const each of heard) agent.command(each, seconds(1));
      expect(present(agent)).toEqual([1, 2, 3]);
      expect(agent.history()).toHaveLength(1);
    }
    // Also where the one that counts can't be read: what the other did is undone.
    const agent = player();
    agent.command(other, seconds(1));
    expect(atoms(agent.command({ ...one, text: 'crash' }, seconds(2)))).toEqual(['join 1']);
  });
});

describe('reset', () => {
  test('goes back to the timeline of the file', () => {
    const one = player('at 1s set s--server latency=7ms', 'at 4s set s--server latency=+1ms');
    one.command(command(2, 'set s--server latency=50ms'), seconds(2));
    one.command(command(2.5, 'crash client.0'), seconds(2.5));
    const changes = one.command(command(3, 'reset'), seconds(3));
    expect(atoms(changes)).toEqual(['join 0']);
    expect(latency({ graph: changes.graph! })).toBe(7);
    expect(one.epoch).toBe(4);
    one.advance(seconds(4));
    expect(latency(one)).toBe(8);
    expect(statuses(one)).toEqual([
      'set s--server latency=50ms: undone',
      'crash client.0: undone',
      'reset: done',
    ]);
  });

  test('drops what was accepted before and is due later, and nothing that was accepted after', () => {
    const one = player();
    one.command(command(9, 'crash client.0', { issuedAt: seconds(1) }), seconds(1));
    one.command(command(5, 'reset', { issuedAt: seconds(2) }), seconds(2));
    one.command(command(4, 'crash client.1', { issuedAt: seconds(3) }), seconds(3));
    expect(statuses(one)).toEqual(['crash client.1: pending', 'reset: pending', 'crash client.0: pending']);
    one.advance(seconds(5));
    expect(statuses(one)).toEqual(['crash client.1: done', 'reset: done', 'crash client.0: undone']);
    one.advance(seconds(10));
    expect(present(one)).toEqual([0, 2, 3]);
    // Nothing that had happened was undone: only the crash has made an epoch.
    expect(one.epoch).toBe(1);
  });

  test('is dropped by a later one that is due earlier', () => {
    const one = player();
    one.command(command(9, 'reset', { issuedAt: seconds(1) }), seconds(1));
    one.command(command(3, 'reset', { issuedAt: seconds(2) }), seconds(2));
    one.command(command(4, 'crash client.0', { issuedAt: seconds(2.5) }), seconds(2.5));
    one.advance(seconds(10));
    expect(statuses(one)).toEqual(['reset: done', 'crash client.0: done', 'reset: undone']);
    expect(present(one)).toEqual([1, 2, 3]);
  });

  test('has an instant of its own: what the file does then is done, what it did is not done again', () => {
    const one = player('at 1s run client.0 "early"', 'at 3s run client.1 "then"', 'at 3s leave client.2');
    one.command(command(2, 'crash client.0'), seconds(2));
    one.command(command(3, 'reset', { issuedAt: seconds(2.5) }), seconds(2.5));
    expect(atoms(one.advance(seconds(3)))).toEqual(['join 0', 'run 1', 'leave 2']);
  });

  test('that arrives late undoes late', () => {
    const one = player();
    one.command(command(1, 'crash client.0'), seconds(1));
    one.command(command(3, 'crash client.1', { issuedAt: seconds(2.5) }), seconds(3));
    const changes = one.command(command(2, 'reset'), seconds(4));
    expect(atoms(changes)).toEqual(['join 0']);
    expect(present(one)).toEqual([0, 2, 3]);
    expect(one.epoch).toBe(3);
  });

  test('undoes commands that arrive only after it', () => {
    const one = player();
    one.command(command(2, 'reset'), seconds(2));
    const changes = one.command(command(1, 'crash client.0'), seconds(3));
    expect(changes).toEqual({ atoms: [], graph: undefined });
    // For a while client.0 was absent, and then it was not: agents that did not see it count it as well.
    expect(one.epoch).toBe(2);
    expect(statuses(one)).toEqual(['crash client.0: undone', 'reset: done']);
    expect(atoms(one.command(command(1, 'run client.1 "true"'), seconds(3)))).toEqual([]);
  });
});

describe('the history', () => {
  test('reports why a command failed when it was due', () => {
    const one = player('at 2s crash client.0');
    one.command(command(3, 'crash client.0', { issuedAt: seconds(1) }), seconds(1));
    expect(one.advance(seconds(2)).graph).toBeDefined();
    expect(one.advance(seconds(3))).toEqual({ atoms: [], graph: undefined });
    expect(one.history()).toMatchObject([
      { status: 'failed', reason: 'crash is for endpoints, but none of them are present then' },
    ]);
    expect(one.epoch).toBe(1);
  });

  test('reports what could not be parsed, and it changes nothing', () => {
    const one = player();
    const unread = [
      command(1, 'crash'),
      command(1, 'explode client'),
      command(1, 'crash client', { until: seconds(2) }),
      command(1, 'crash client', { issuedAt: seconds(2) }),
      command(1, 'leave s', { until: seconds(1) }),
      command(Number.NaN, 'crash client'),
      command(1, 'crash nobody'),
      command(0, 'flap s every 10ms', { until: seconds(90 * 60) }),
    ];
    for (const one_ of unread) expect(one.command(one_, seconds(1)).graph).toBeUndefined();
    expect(one.history().map(({ status }) => status)).toEqual(unread.map(() => 'failed'));
    const reasons = one.history().map(({ reason }) => reason);
    expect(reasons).toContain('expected a target, but the line ends');
    expect(reasons).toContain('there is no service or bridge "nobody"');
    expect(reasons).toContain(`this comes to 540001 changes, more than ${MAX_ATOMS}`);
    expect(one.epoch).toBe(0);
  });

  test('keeps the commands that were accepted first, whichever arrive first', () => {
    const all = Array.from({ length: MAX_COMMANDS + 5 }, (_, index) =>
      command(10, `set s--server latency=${index}ms`, { issuedAt: seconds(index / 1000) }),
    );
    for (const heard of [all, all.toReversed()]) {
      const one = player();
      one.commands(heard, seconds(9));
      one.advance(seconds(10));
      expect(one.history()).toHaveLength(MAX_COMMANDS);
      expect(latency(one)).toBe(MAX_COMMANDS - 1);
    }
  });

  test('bounds what commands come to together, in the order in which they were accepted', () => {
    const window = (issued: number) =>
      command(10, 'flap s every 10ms', { issuedAt: seconds(issued), until: seconds(10 + 3000) });
    const [a, b, c] = [window(1), window(2), command(11, 'crash client.0', { issuedAt: seconds(3) })];
    for (const heard of [
      [a, b, c],
      [c, b, a],
    ]) {
      const one = player();
      for (const each of heard) one.command(each, seconds(4));
      expect(one.history().map(({ status }) => status)).toEqual(['pending', 'failed', 'pending']);
    }
  }, 60_000);

  test('bounds what they do: further ones fail, and the file goes on', () => {
    const one = player('at 2000s crash client.0');
    const churn = command(1, 'churn client 100% every 10ms replace', { until: seconds(1501) });
    one.command(churn, seconds(1));
    one.advance(seconds(2000));
    expect(one.history()[0]!.reason).toMatch(/the commands come to more than 500000 changes/);
    expect(present(one)).toEqual([1, 2, 3]);
    // The way out of a bad state stays open.
    const late = (text: string) => one.command(command(2001, text), seconds(2001));
    late('set s--server latency=3ms');
    late('heal');
    expect(one.history().map(({ status }) => status)).toEqual(['failed', 'failed', 'done']);
    late('reset');
    expect(one.history().map(({ command: { text }, status }) => [text, status])).toEqual([
      [churn.text, 'undone'],
      ['set s--server latency=3ms', 'undone'],
      ['heal', 'undone'],
      ['reset', 'done'],
    ]);
  }, 60_000);
});
