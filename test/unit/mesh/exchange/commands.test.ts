import { expect, test } from 'vitest';
import { type Command, foldHorizon, MAX_COMMANDS } from '../../../../proto/command.ts';
import { type Agent, churn, expectAgreement, flow, Lab } from '../../../support/mesh/mesh-lab.ts';

const say = ({ mesh }: Agent, text: string, at = 5000): Command => mesh.command({ issuedAt: 1000, at, text });
const texts = ({ mesh }: Agent): string[] => mesh.commands.all().map(({ text }) => text);
/** Names of the hosts that are not known to have the same commands. */
const behind = ({ mesh }: Agent): string[] =>
  mesh.view
    .hosts()
    .filter(({ inStep }) => !inStep)
    .map(({ name }) => name);

test('a command reaches all at once, with all its fields', async () => {
  const lab = new Lab();
  const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
  await lab.clock.advance(1500);
  const heard: string[] = [];
  b.mesh.commands.onChange((added) => heard.push(...added.map(({ text }) => text)));
  const first = a.mesh.command({ issuedAt: 1000.5, at: 6e6, until: 7e6, text: 'flap n1--n2' });
  const second = say(a, 'reset');
  expect(first).toEqual({
    origin: 'host-0',
    incarnation: a.mesh.view.hosts()[0]!.incarnation,
    number: 1,
    issuedAt: 1000.5,
    at: 6e6,
    until: 7e6,
    text: 'flap n1--n2',
  });
  expect(second.number).toBe(2);
  await lab.clock.advance(10);
  expect(heard).toEqual(['flap n1--n2', 'reset']);
  for (const agent of [a, b, c]) expect(agent.mesh.commands.all()).toEqual([second, first]);
});

test('which hosts have the same commands is known from their last message', async () => {
  const lab = new Lab();
  const [a, b, c] = (await lab.startMany(3)) as [Agent, Agent, Agent];
  await lab.clock.advance(1500);
  expect(behind(a)).toEqual([]);
  lab.network.partition([a.transport.selfId, b.transport.selfId], [c.transport.selfId]);
  say(a, 'one');
  expect(behind(a)).toEqual(['host-1', 'host-2']);
  await lab.clock.advance(1100);
  expect(texts(b)).toEqual(['one']);
  expect(behind(a)).toEqual(['host-2']);
  lab.network.heal();
  await lab.clock.advance(2100);
  expect(texts(c)).toEqual(['one']);
  for (const agent of [a, b, c]) expect(behind(agent)).toEqual([]);
});

test('late joiners, healed partitions and lost messages: all have all in the end', async () => {
  const lab = new Lab({ seed: 9, loss: 0.3, delayMs: [1, 80] });
  const agents = await lab.startMany(8);
  for (const [number, agent] of agents.entries()) {
    say(agent, `before ${number}`);
    await lab.clock.advance(130);
  }
  const sides = [agents.slice(0, 3), agents.slice(3)];
  lab.network.partition(...sides.map((side) => side.map(({ transport }) => transport.selfId)));
  await lab.clock.advance(4000);
  say(agents[0]!, 'left');
  say(agents[6]!, 'right');
  await lab.clock.advance(4000);
  expect(texts(agents[2]!)).not.toContain('right');
  expect(texts(agents[4]!)).toContain('right');
  lab.network.heal();
  lab.network.loss = 0.1;
  await lab.clock.advance(4000);
  await lab.start('late', 40);
  await lab.clock.advance(6000);
  for (const agent of lab.agents) {
    expect(agent.mesh.commands.size).toBe(10);
    expect(agent.mesh.commands.all()).toEqual(agents[0]!.mesh.commands.all());
    expect(behind(agent)).toEqual([]);
  }
  expectAgreement(lab.agents);
});

test('commands outlive the agents that gave them, and do not mix with those of the next', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  say(b, 'old');
  await lab.clock.advance(100);
  lab.kill(b);
  await lab.clock.advance(5000);
  const again = await lab.start('host-1', 1);
  await lab.clock.advance(1500);
  expect(texts(again)).toEqual(['old']);
  expect(say(again, 'new').number).toBe(1);
  await lab.clock.advance(10);
  expect(texts(a)).toEqual(['old', 'new']);
});

test('a lost command arrives also where flows change so often that every answer is late', async () => {
  const lab = new Lab({ delayMs: [1, 200] });
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(2000);
  lab.network.loss = 1;
  say(a, 'lost');
  await lab.clock.advance(200);
  lab.network.loss = 0;
  for (let round = 0; round < 300; round++) {
    a.mesh.announceFlows([flow(0, 5, 1e6 + round * 1e5)]);
    await lab.clock.advance(5);
  }
  expect(texts(b)).toEqual(['lost']);
});

test('commands cost nothing once all have them', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  await lab.clock.advance(2000);
  const perHeartbeat = async (): Promise<number> => {
    const before = a.mesh.stats;
    await lab.clock.advance(10_000);
    const { messagesSent, bytesSent, repairs } = a.mesh.stats;
    expect(messagesSent - before.messagesSent).toBe(10);
    expect(repairs).toBe(before.repairs);
    return (bytesSent - before.bytesSent) / 10;
  };
  const without = await perHeartbeat();
  for (let number = 0; number < 50; number++) say(b, `set n${number}--n1 latency=5ms`);
  await lab.clock.advance(2000);
  expect(a.mesh.commands.size).toBe(50);
  expect((await perHeartbeat()) - without).toBeLessThan(15);
});

test('flows that are repaired do not bring the commands again', async () => {
  const lab = new Lab();
  const [a, b] = (await lab.startMany(2)) as [Agent, Agent];
  for (let number = 0; number < 200; number++) say(b, `set n${number}--n1 latency=5ms`);
  await lab.clock.advance(2000);
  lab.network.loss = 1;
  b.mesh.announceFlows([flow(1, 5, 1e6)]);
  await lab.clock.advance(10);
  lab.network.loss = 0;
  const before = a.mesh.stats;
  await lab.clock.advance(1500);
  expect(a.mesh.stats.repairs).toBe(before.repairs + 1);
  expect(a.mesh.stats.bytesReceived - before.bytesReceived).toBeLessThan(1000);
});

test.each([
  ['text', { text: 'a\nb' }],
  ['at', { at: 999 }],
  ['until', { until: 5000 }],
])('a wrong %s is refused before anyone hears of it', async (field, part) => {
  const lab = new Lab();
  const [a] = (await lab.startMany(1)) as [Agent];
  const wrong = () => a.mesh.command({ issuedAt: 1000, at: 5000, text: 'reset', ...part });
  expect(wrong).toThrow(
    expect.objectContaining({
      code: 'MESH_COMMAND',
      blame: 'input',
      message: expect.stringContaining(field),
    }),
  );
  expect(a.mesh.commands.size).toBe(0);
  expect(say(a, 'right').number).toBe(1);
});

test('a full set is reported as full, arrives whole, and requests nothing more', async () => {
  const lab = new Lab();
  const [a] = (await lab.startMany(1)) as [Agent];
  for (let number = 0; number < MAX_COMMANDS; number++) say(a, `c${number}`);
  expect(() => say(a, 'one more')).toThrow(expect.objectContaining({ code: 'MESH_COMMANDS_FULL' }));
  const late = await lab.start('late', 1);
  await lab.clock.advance(2000);
  expect(late.mesh.commands.size).toBe(MAX_COMMANDS);
  const { repairs } = late.mesh.stats;
  await churn(lab, 20, 1);
  expect(late.mesh.stats.repairs).toBe(repairs);
  expect(behind(a)).toEqual([]);
});

test('a host that has left out what others still have is asked, though it has fewer', async () => {
  /** All but the last of those that are over. */
  const leftOut = (commands: readonly Command[]): Command[] => {
    const horizon = foldHorizon(commands);
    return commands
      .filter(({ at }) => at <= horizon)
      .sort((a, b) => a.at - b.at)
      .slice(0, -1);
  };
  const lab = new Lab();
  const [a, b] = [await lab.start('a', 0, { leftOut }), await lab.start('b', 1, { leftOut })];
  await lab.clock.advance(1500);
  const given = ({ mesh }: Agent, at: number): Command =>
    mesh.command({ issuedAt: at * 1e6, at: at * 1e6, text: `at ${at}` });
  for (let at = 1; at <= 20; at++) given(a, at);
  await lab.clock.advance(1500);
  expect(b.mesh.commands.size).toBe(20);
  lab.network.partition([a.transport.selfId], [b.transport.selfId]);
  given(a, 200);
  given(b, 21);
  await lab.clock.advance(500);
  expect([a.mesh.commands.size, b.mesh.commands.size]).toEqual([2, 21]);
  lab.network.heal();
  await lab.clock.advance(5000);
  for (const agent of [a, b]) {
    expect(texts(agent)).toEqual(['at 21', 'at 200']);
    expect(behind(agent)).toEqual([]);
  }
});
