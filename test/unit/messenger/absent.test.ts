import { expect, test } from 'vitest';
import { sharedStart } from '../../../agent/mesh/trust/command-signature.ts';
import { type EndedAgent, messageOf, SETTLE_MS, tellAbsent } from '../../../agent/messenger/absent.ts';
import { WAITS_MS } from '../../../agent/messenger/message.ts';
import { type Bootstrap, topologyHash } from '../../../proto/bootstrap.ts';
import type { CommandRules } from '../../../proto/command.ts';
import { micros } from '../../../proto/units.ts';
import { type Agent, Lab } from '../../support/mesh/mesh-lab.ts';

const text = 'services: { a: {} }';
const commands: CommandRules = { id: '0'.repeat(32), commanders: [] };

/** Agent 0 of a lab of three, with its `quit` given; `said`: its log. */
async function ending(away: (lab: Lab, others: [Agent, Agent]) => void, isLate = false) {
  const lab = new Lab();
  const [own, ...others] = (await lab.startMany(3)) as [Agent, Agent, Agent];
  await lab.clock.advance(100);
  away(lab, others);
  own.mesh.command({ issuedAt: 0, at: 1, text: 'quit' });
  const bootstrap: Bootstrap = {
    ...{ experiment: 'wan', host: 'host-0', endpoints: [], tickMs: 50, delayBackend: 'auto', seed: 1 },
    ...{ logFolder: '/', partial: true },
    topology: { file: 'x.yaml', text, hash: topologyHash({ text }) },
    // It can't be copied: then nothing is left on this machine.
    mesh: { listen: [], peers: ['first'], key: 'secret', identity: '/nowhere', commands },
  };
  const said: string[] = [];
  const say = (facts: object, line: string) => void said.push(`${line} ${JSON.stringify(facts)}`);
  const agent: EndedAgent = {
    ...{ bootstrap, mesh: own.mesh, end: { isLate }, time: { now: () => micros(5_000_000) } },
    ...{ clock: { wallNow: () => 100_000 }, timers: lab.clock, log: { info: say, warn: say } },
  };
  return { lab, agent, said, others };
}

test('who is told nothing is waited for by all that can reach each other, for a bounded time', async () => {
  const { lab, agent, others } = await ending((one, [b]) => one.kill(b));
  await lab.clock.advance(5000);
  const message = messageOf(agent)!;
  expect(message.untold.map(({ name }) => name)).toEqual(['host-1']);
  expect(message.bootstrap.mesh.peers).toEqual(
    expect.arrayContaining(['first', ...others.flatMap(({ transport }) => transport.addresses)]),
  );
  expect([message.startAt, message.until]).toEqual([95_000, 100_000 + WAITS_MS]);
  expect(message.commands.map((command) => command.text)).toEqual(['quit']);
});

test('nobody waits for one that is only slow to say that it knows', async () => {
  const { lab, agent, said } = await ending(() => {});
  expect(messageOf(agent)?.untold).toHaveLength(2);
  const told = tellAbsent(agent);
  await lab.clock.advance(SETTLE_MS);
  await told;
  expect(said).toEqual([]);
});

test('one that is silent is waited for, after it had its time; where nobody can wait, the log names it', async () => {
  const { lab, agent, said } = await ending((one, [b]) => one.kill(b));
  const told = tellAbsent(agent);
  await lab.clock.advance(SETTLE_MS);
  await told;
  expect(said).toEqual([expect.stringMatching(/^nobody here will tell .*\["host-1"\]/)]);
});

test('who was away itself, and who ends a lab, waits for nobody', async () => {
  const { agent } = await ending((one, [b]) => one.kill(b), true);
  expect(messageOf(agent)).toBeUndefined();
  const lab = { ...agent, end: { isLate: false } };
  expect(messageOf(lab)).toBeDefined();
  expect(messageOf({ ...lab, bootstrap: { ...lab.bootstrap, partial: false } })).toBeUndefined();
});

test('nobody waits where a later start could not tell this end from its own', async () => {
  const { agent } = await ending((one, [b]) => one.kill(b));
  const withRules = (rules: CommandRules | undefined): EndedAgent => {
    const { commands: _, ...mesh } = agent.bootstrap.mesh;
    return {
      ...agent,
      bootstrap: { ...agent.bootstrap, mesh: { ...mesh, ...(rules && { commands: rules }) } },
    };
  };
  expect(messageOf(withRules(commands))).toBeDefined();
  expect(messageOf(withRules({ ...commands, id: sharedStart('wan', 'secret') }))).toBeUndefined();
  expect(messageOf(withRules(undefined))).toBeUndefined();
});
