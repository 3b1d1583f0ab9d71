/** The command line's part in a signed command, and what an allow-list assigns. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AgentDoor, openApi } from '../../../agent/daemon/api.ts';
import { parseAllowList } from '../../../agent/mesh/trust/admission.ts';
import { isSigned } from '../../../agent/mesh/trust/command-signature.ts';
import { newSigningKey, publicKeyOf } from '../../../agent/mesh/trust/peer-id.ts';
import { giveCommand } from '../../../controller/experiment/control.ts';
import { assignmentOf } from '../../../controller/experiment/listed-endpoints.ts';
import type { Command } from '../../../proto/command.ts';
import type { ControlRequest, ControlStanding } from '../../../proto/control.ts';

const key = newSigningKey();
const STANDING: ControlStanding = { host: 'b', now: 5, inStep: [], behind: [] };
const OWN: Command = { origin: 'b', incarnation: 1, number: 4, issuedAt: 5, at: 9, text: 'heal' };

let folder: string;
let server: FastifyInstance;
let given: (Command | ControlRequest)[];
/** What the agent changes in what it was asked for. */
let lie: Partial<Command>;
let scope: { scope?: string };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  given = [];
  lie = {};
  scope = { scope: 'here' };
  const door: Partial<AgentDoor> = {
    place: ({ text, author, at = 7, during }) => ({
      command: {
        ...{ origin: 'b', incarnation: 1, number: 3, issuedAt: 5, at, text, author },
        ...(during !== undefined && { until: at + during }),
        ...lie,
      },
      ...scope,
    }),
    signed: ({ command }) => {
      given.push(command);
      return { ...STANDING, command };
    },
    control: (request) => {
      given.push(request);
      return { ...STANDING, command: OWN };
    },
  };
  server = await openApi(door as AgentDoor, join(folder, 'agent.sock'));
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const give = (request: ControlRequest, signer?: typeof key) =>
  giveCommand(`unix:${join(folder, 'agent.sock')}`, request, signer);

describe('a command', () => {
  test('is signed as the agent has placed it', async () => {
    const { command } = await give({ text: 'heal', at: 90, during: 10 }, key);
    expect(command).toMatchObject({ text: 'heal', at: 90, until: 100, number: 3, author: key.peer });
    expect(isSigned(command, 'here', publicKeyOf(key.peer)!)).toBe(true);
    expect(isSigned(command, 'there', publicKeyOf(key.peer)!)).toBe(false);
    expect(given).toEqual([command]);
  });

  test("without a key is the agent's own", async () => {
    await give({ text: 'heal', after: 4 });
    expect(given).toEqual([{ text: 'heal', after: 4 }]);
  });

  test('goes unsigned where nobody signs', async () => {
    scope = {};
    expect((await give({ text: 'heal' }, key)).command).not.toHaveProperty('signature');
  });

  test.each<[string, Partial<Command>]>([
    ['text', { text: 'run * "true"' }],
    ['instant', { at: 91 }],
    ['end', { until: 101 }],
  ])('is not signed if the agent gives it another %s', async (_, change) => {
    lie = change;
    await expect(give({ text: 'heal', at: 90, during: 10 }, key)).rejects.toMatchObject({
      code: 'AGENT_FAILED',
    });
    expect(given).toEqual([]);
  });
});

describe('an allow-list', () => {
  const names = ['a.0', 'b.0', 'b.1', 'c.0'];
  const assigned = (text: string) => assignmentOf(parseAllowList(text, 'f'), names, { 'a.0': 'here' });

  test('assigns endpoints, and all replicas of services', () => {
    expect(assigned('12D3a here\n12D3b there b\n12D3c far c.0')).toEqual({
      'b.0': 'there',
      'b.1': 'there',
      'c.0': 'far',
    });
    expect(assigned('12D3a here a.0\n12D3b')).toEqual({ 'a.0': 'here' });
  });

  test.each([
    ['12D3b there x', 'there is no endpoint or service x'],
    ['12D3b there b.2', 'there is no endpoint or service b.2'],
    ['12D3b there a', 'a.0 is on here, and on there'],
    ['12D3b there b.1\n12D3c far b', 'b.1 is on there, and on far'],
  ])('%j is refused', (text, message) => {
    expect(() => assigned(text)).toThrow(
      expect.objectContaining({ code: 'MESH_ALLOW_LIST', message: expect.stringContaining(message) }),
    );
  });
});
