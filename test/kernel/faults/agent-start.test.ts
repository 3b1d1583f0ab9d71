/** An agent that is waited for before it answers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AgentProcess } from '../../../controller/experiment/agents.ts';
import { agentSocket, experimentFolder } from '../../../controller/names.ts';
import type { PlannedHost } from '../../../controller/platform/port/plan.ts';
import type { Platform } from '../../../controller/platform/port/platform.ts';
import { experimentName } from '../../support/lab/lab.ts';

it('whose socket is there a moment before it listens is waited for', async () => {
  const experiment = experimentName();
  const socket = agentSocket(experiment, 'host0');
  mkdirSync(experimentFolder(experiment), { recursive: true });
  mkdirSync(socket.replace(/\/[^/]*$/, ''), { recursive: true });
  // What a killed process has left refuses connections, as one that does not listen yet.
  const program = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', program]), 'exit');
  const platform = {
    startAgent: async () => ({ pid: process.pid, exited: new Promise(() => {}) }),
  } as unknown as Platform;
  const agent = await AgentProcess.start(platform, experiment, { name: 'host0' } as PlannedHost, {
    door: undefined as never,
  });
  await expect(agent.status()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(agent.waitUntilReady(300, () => {})).rejects.toThrow('it does not answer');

  const server = createServer((_, answer) => answer.end('{"shaped":true,"degraded":[]}'));
  const ready = agent.waitUntilReady(20_000, () => {});
  await sleep(100);
  rmSync(socket);
  server.listen(socket);
  await ready;
  server.close();
  rmSync(experimentFolder(experiment), { recursive: true });
});
