/** Whole agents whose experiment has rules for commands: who may give which, and what a member who lies achieves. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandScope, signCommand } from '../../../agent/mesh/trust/command-signature.ts';
import type { SigningKey } from '../../../agent/mesh/trust/peer-id.ts';
import { encodeAgentMessage } from '../../../agent/mesh/wire/codec.ts';
import { LINGER_MS } from '../../../agent/timeline/experiment-end.ts';
import type { Bootstrap } from '../../../proto/bootstrap.ts';
import { topologyHash } from '../../../proto/bootstrap.ts';
import type { Command } from '../../../proto/command.ts';
import type { ControlRequest } from '../../../proto/control.ts';
import { AgentLab, endpoint, keyOf, type LabAgent } from '../../support/fakes/agent-lab.ts';

const TOPOLOGY = `
services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 15ms, up: 10Mbps, down: 20Mbps }]
`;
const HOSTS = ['host0', 'host1'];
const user = keyOf('user');
const guest = keyOf('guest');
const liar = keyOf('liar');
const rules = {
  id: '0123456789abcdef0123456789abcdef',
  commanders: [
    { peer: user.peer, name: 'root@host0', rights: ['network', 'run'] as const },
    { peer: guest.peer, name: 'guest', rights: ['network'] as const },
  ],
};
const SCOPE = commandScope(topologyHash({ text: TOPOLOGY }), rules);

let lab: AgentLab;
let first: LabAgent;
let second: LabAgent;

const meshOf = (): Bootstrap['mesh'] => ({
  listen: [],
  peers: lab.agents.map(({ parts }) => parts.transport.addresses[0]!),
  // The liar is a member, as host2.
  allow: [...HOSTS, 'host2'].map((host) => ({ peer: keyOf(host === 'host2' ? 'liar' : host).peer, host })),
  assignment: { 'a.0': 'host0', 'b.0': 'host1' },
  commands: { ...rules, commanders: rules.commanders.map((one) => ({ ...one, rights: [...one.rights] })) },
});

beforeEach(async () => {
  lab = new AgentLab(TOPOLOGY);
  first = await lab.start('host0', [endpoint(0, 'a.0', '10.1.0.1')], { mesh: meshOf() });
  second = await lab.start('host1', [endpoint(1, 'b.0', '10.2.0.1')], { mesh: meshOf() });
  await lab.clock.advance(3000);
  lab.runAll(0);
  await lab.clock.advance(1000);
});

afterEach(() => lab.stop());

/** As the command line does. */
async function give(agent: LabAgent, request: ControlRequest, key: SigningKey): Promise<Command> {
  const { command, scope } = agent.door.place({ ...request, author: key.peer });
  const answer = agent.door.signed({ command: signCommand(command, scope!, key) });
  await lab.clock.advance(500);
  return answer.command!;
}

const texts = ({ door }: LabAgent): string[] => door.commands().history.map(({ text }) => text);
const by = ({ door }: LabAgent): string[] => door.commands().history.map((entry) => entry.by);
const rejected = ({ door }: LabAgent) => door.status().mesh.rejected;

test('what a user signs is in force on all hosts, which say who gave it', async () => {
  const command = await give(first, { text: 'set a--b latency=30ms' }, user);
  await give(second, { text: 'crash a' }, guest);
  await give(second, { text: 'run b "true"' }, user);
  expect(command).toMatchObject({ author: user.peer, origin: 'host0', number: 1 });
  for (const agent of lab.agents) {
    expect(by(agent)).toEqual(['root@host0', 'guest', 'root@host0']);
    expect(agent.door.status().faults).toMatchObject([
      { by: 'set a--b latency=30ms', givenBy: 'root@host0' },
      { by: 'crash a', givenBy: 'guest' },
    ]);
    expect(agent.parts.runLog.of('command').map((entry) => entry.by)).toEqual(by(agent));
    expect(agent.door.commands().behind).toEqual([]);
    expect(rejected(agent)).toEqual({});
  }
});

test('what somebody may not give is refused when he asks', () => {
  const refused = (run: () => unknown, message: RegExp): void =>
    expect(run).toThrow(
      expect.objectContaining({ code: 'COMMAND_RIGHT', message: expect.stringMatching(message) }),
    );
  const place = (key: SigningKey, text: string) => () => first.door.place({ text, author: key.peer });
  refused(place(guest, 'run a "true"'), /^guest may not give "run a .*: it needs the right "run"/);
  refused(place(liar, 'heal'), /^agent host2 gives a command in the name of host0/);
  refused(place(keyOf('stranger'), 'heal'), /may give no commands/);
  refused(
    () => first.door.control({ text: 'run a "true"' }),
    /^agent host0 may not give .*: run is for users' keys/,
  );
  refused(() => first.door.control({ text: 'quit' }), /quit is for users' keys/);
  refused(() => first.door.control({ text: 'crash b' }), /b is not, or not only, of endpoints/);
  expect(texts(first)).toEqual([]);
});

test('an agent alone may change the network of its own endpoints', async () => {
  first.door.control({ text: 'crash a' });
  second.door.control({ text: 'set a--b latency=40ms' });
  await lab.clock.advance(500);
  for (const agent of lab.agents) {
    expect(texts(agent)).toEqual(['crash a', 'set a--b latency=40ms']);
    expect(by(agent)).toEqual(['agent host0', 'agent host1']);
    expect(rejected(agent)).toEqual({});
  }
});

test('a signature of something else than was placed is refused where it is given', () => {
  const { command } = first.door.place({ text: 'heal', author: user.peer });
  const forged = signCommand(command, SCOPE, liar);
  expect(() => first.door.signed({ command: { ...forged, author: user.peer } })).toThrow(
    expect.objectContaining({ code: 'MESH_COMMAND_REFUSED' }),
  );
  expect(texts(first)).toEqual([]);
});

test('a member who lies makes no host do anything, and is named', async () => {
  const real = await give(first, { text: 'set a--b latency=30ms' }, user);
  const transport = lab.network.transport(liar.peer);
  await transport.start({ onGossip: () => true, onRequest: () => undefined, onPeer: () => {} });
  for (const { parts } of lab.agents) await transport.connect(parts.transport.addresses[0]!);
  let sequence = 0;
  const say = async (command: Command): Promise<void> => {
    const { parts } = first;
    transport.publish(
      encodeAgentMessage({
        ...{ topology: parts.bootstrap.topology.hash.slice(0, 16), host: 'host2', incarnation: 5 },
        ...{ sequence: ++sequence, digest: { entries: 0, low: 0, high: 0 }, leaving: false, timed: false },
        ...{ commands: [command], commandDigest: { entries: 0, low: 0, high: 0 } },
      }),
    );
    await lab.clock.advance(100);
  };
  const draft = (number: number, text: string, author = liar.peer): Command => ({
    ...{ origin: 'host2', incarnation: 5, number, issuedAt: 1e6, at: 2e6, text, author },
  });
  const { author: _, ...unsigned } = draft(1, 'run a "true"');
  await say(unsigned);
  await say(signCommand(draft(2, 'run a "true"'), SCOPE, liar));
  await say(signCommand(draft(3, 'quit'), SCOPE, liar));
  await say(signCommand(draft(4, 'crash a'), SCOPE, liar));
  await say({ ...signCommand(draft(5, 'run a "true"'), SCOPE, liar), author: user.peer });
  await say({ ...real, origin: 'host2' });
  await say({ ...real, text: 'run a "true"' });
  await say(real);
  // The key is the user's, but at another start of this experiment.
  await say(signCommand(draft(6, 'heal'), commandScope(topologyHash({ text: TOPOLOGY }), { id: '0' }), user));
  await say(signCommand(draft(7, 'heal'), SCOPE, keyOf('stranger')));
  for (const agent of lab.agents) {
    expect(texts(agent)).toEqual(['set a--b latency=30ms']);
    expect(agent.processes.done).toEqual([]);
    expect(rejected(agent)).toEqual({
      COMMAND_UNSIGNED: 1,
      COMMAND_RIGHT: 3,
      COMMAND_SIGNATURE: 3,
      // In another host's name: the altered and the repeated one.
      COMMAND_FOREIGN: 2,
      COMMAND_AUTHOR: 1,
    });
    expect(agent.door.status().state).toBe('running');
    expect(agent.complaints.join('\n')).toContain('run is for users');
  }
});

test('an agent that starts again verifies what is kept, and has it; what was altered there is left out', async () => {
  await give(first, { text: 'set a--b latency=30ms' }, user);
  await give(first, { text: 'crash b' }, user);
  for (const agent of lab.agents) agent.kill();
  lab.agents.length = 0;
  const again = await lab.start('host0', [endpoint(0, 'a.0', '10.1.0.1')], { mesh: meshOf() });
  expect(texts(again)).toEqual(['set a--b latency=30ms', 'crash b']);
  const file = join(again.parts.bootstrap.logFolder, 'host0.commands');
  writeFileSync(file, readFileSync(file, 'utf8').replace('crash b', 'crash a'));
  again.kill();
  lab.agents.length = 0;
  const third = await lab.start('host0', [endpoint(0, 'a.0', '10.1.0.1')], { mesh: meshOf() });
  expect(texts(third)).toEqual(['set a--b latency=30ms']);
  expect(third.complaints.join()).toContain('was not signed by root@host0, or altered');
});

test('one that joins late gets hundreds of commands, verifies them in turns, and is in step', async () => {
  for (let number = 0; number < 100; number++) {
    const request = { text: `set a--b latency=${number}ms`, at: 1e8 + number * 1e6 };
    const { command, scope } = first.door.place({ ...request, author: user.peer });
    first.door.signed({ command: signCommand(command, scope!, user) });
  }
  await lab.clock.advance(1000);
  second.kill();
  lab.agents.splice(1, 1);
  const late = await lab.start('host1', [endpoint(1, 'b.0', '10.2.0.1')], {
    mesh: meshOf(),
    logFolder: `${first.parts.bootstrap.logFolder}/none`,
  });
  await lab.clock.advance(3000);
  expect(texts(late)).toHaveLength(100);
  expect(first.door.commands()).toMatchObject({ behind: [] });
});

test('a quit is the end on all hosts, some time after it, unless a reset drops it before', async () => {
  const ended: string[] = [];
  for (const { host, parts } of lab.agents) void parts.end.reached.then(() => ended.push(host));
  await give(first, { text: 'quit', after: 5e6 }, user);
  await lab.clock.advance(3000);
  await give(second, { text: 'reset' }, user);
  await lab.clock.advance(10_000);
  expect(ended).toEqual([]);
  expect(() => second.door.control({ text: 'quit' })).toThrow('quit is for users');
  await give(second, { text: 'quit' }, guest);
  expect(ended).toEqual([]);
  await lab.clock.advance(LINGER_MS);
  expect(ended.sort()).toEqual(HOSTS);
});

test('an agent that starts again after the quit ends again', async () => {
  await give(first, { text: 'quit' }, user);
  await lab.clock.advance(LINGER_MS);
  const late = await lab.start('host0', [endpoint(0, 'a.0', '10.1.0.1')], { mesh: meshOf() });
  let hasEnded = false;
  void late.parts.end.reached.then(() => {
    hasEnded = true;
  });
  await lab.clock.advance(3000);
  expect(hasEnded).toBe(true);
});
