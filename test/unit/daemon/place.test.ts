/** What an agent is told of the place of its endpoints, and what it then refuses. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentLab, endpoint } from '../../support/fakes/agent-lab.ts';

const TOPOLOGY = `
services: { a: { tags: [x] }, b: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 1ms, tags: [l] }
  - { from: b, to: s, latency: 1ms }
`;
const LIVES = { elsewhere: 'the engine does that', remedy: 'ask the engine' };

let lab: AgentLab;

beforeEach(() => {
  lab = new AgentLab(TOPOLOGY);
});
afterEach(() => lab.stop());

const ENDPOINTS = [endpoint(0, 'a.0', '10.0.0.1'), endpoint(1, 'b.0', '10.0.0.2')];

test('what is wrong there is in the status, until it is told otherwise', async () => {
  const { door } = await lab.start('h', ENDPOINTS);
  door.setProblems(['a.0 is not there', 'the engine is silent']);
  expect(door.status().degraded).toEqual(['a.0 is not there', 'the engine is silent']);
  door.setProblems([]);
  expect(door.status().degraded).toEqual([]);
});

test.each([
  'crash a',
  'churn a 1 every 1s',
  'leave a.0',
  'leave tag:x',
  'leave *',
  'run a "true"',
  'signal a TERM',
])('where others begin and end applications, %s is refused', async (text) => {
  const { door } = await lab.start('h', ENDPOINTS, { lives: LIVES });
  await begin();
  expect(() => door.control({ text, ...(text.startsWith('churn') && { during: 5e6 }) })).toThrow(
    expect.objectContaining({ code: 'LIVES_ELSEWHERE', remedy: 'ask the engine' }),
  );
});

test.each(['disconnect a', 'leave a--s', 'leave s', 'set a--s latency=9ms', 'heal'])(
  'and %s is not',
  async (text) => {
    const { door } = await lab.start('h', ENDPOINTS, { lives: LIVES });
    await begin();
    expect(door.control({ text }).command?.text).toBe(text);
  },
);

async function begin(): Promise<void> {
  lab.runAll(0);
  await lab.clock.advance(1000);
}
