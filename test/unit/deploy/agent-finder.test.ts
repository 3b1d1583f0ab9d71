import { beforeEach, expect, test } from 'vitest';
import { AgentFinder } from '../../../controller/deploy/agent-finder.ts';

let found: string[] | undefined;
let isDown: boolean;
let told: string[][];
let finder: AgentFinder;

beforeEach(() => {
  [found, isDown, told] = [['10.0.0.1', '10.0.0.2'], false, []];
  finder = new AgentFinder(
    'x',
    'node-1',
    { address: 'tasks.agent', port: 4646 },
    {
      resolve: async (name) => {
        expect(name).toBe('tasks.agent');
        if (!found) throw new Error('ENOTFOUND');
        return found;
      },
      own: () => ['127.0.0.1', '10.0.0.1'],
      tell: async (addresses) => {
        if (isDown) throw new Error('it restarts');
        told.push([...addresses]);
      },
    },
  );
});

test('the agent is told others, and each once', async () => {
  expect(await finder.look()).toEqual(['10.0.0.2']);
  expect(await finder.look()).toEqual([]);
  found = ['10.0.0.3', '10.0.0.2', 'fd00::3'];
  await finder.look();
  expect(told).toEqual([['/ip4/10.0.0.2/tcp/4646'], ['/ip4/10.0.0.3/tcp/4646', '/ip6/fd00::3/tcp/4646']]);
});

test('a name that is not there yet, and an agent that restarts, are asked again', async () => {
  found = undefined;
  expect(await finder.look()).toEqual([]);
  found = ['10.0.0.2'];
  isDown = true;
  expect(await finder.look()).toEqual([]);
  isDown = false;
  expect(await finder.look()).toEqual(['10.0.0.2']);
});
