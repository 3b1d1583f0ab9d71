/** Real sockets on 127.0.0.1: asking an agent what its experiment is. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Clock, SYSTEM_TIME, systemClock } from '../../../../agent/clock/clock.ts';
import { netfoldVersion } from '../../../../agent/files/version.ts';
import { askForInvitation } from '../../../../agent/mesh/libp2p/invitations.ts';
import { createLibp2pTransport } from '../../../../agent/mesh/libp2p/libp2p-transport.ts';
import { MESH_PROTOCOL } from '../../../../agent/mesh/libp2p/version.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import { generateMeshKey } from '../../../../agent/mesh/trust/mesh-key.ts';
import { MAX_INVITATION_BYTES } from '../../../../agent/mesh/wire/limits.ts';
import type { MeshTransport } from '../../../../agent/mesh/wire/transport.ts';

const KEY = generateMeshKey();
const HANDLERS = { onGossip: () => false, onRequest: () => undefined, onPeer: () => {} };
/** Nobody listens there: the port is privileged, and not one of a service. */
const NOBODY = '/ip4/127.0.0.1/tcp/3';

const running: MeshTransport[] = [];
let server: Server | undefined;
afterEach(async () => {
  await Promise.all(running.splice(0).map((transport) => transport.stop()));
  server?.close();
});

/** A flood is short, however slow the machine. */
const STANDING = { now: () => 5000, wallNow: () => 5000 };

/** The address of an agent that invites with `answer`. */
async function agent(
  answer: Uint8Array,
  admission = new Admission(),
  clock: Clock = STANDING,
  protocol?: number,
): Promise<string> {
  const transport = await createLibp2pTransport({
    ...SYSTEM_TIME,
    experiment: 'test',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    meshKey: KEY,
    admission,
    invitation: () => answer,
    clock,
    ...(protocol !== undefined && { protocol }),
  });
  running.push(transport);
  await transport.start(HANDLERS);
  return transport.addresses[0]!;
}

test('the first agent that answers is used, and named', async () => {
  const address = await agent(Buffer.from('come in'));
  const asked = await askForInvitation({ addresses: [NOBODY, address], meshKey: KEY });
  expect(Buffer.from(asked.bytes).toString()).toBe('come in');
  expect(asked.from).toBe(address);
});

test('a topology of several MiB comes whole', async () => {
  const answer = Buffer.alloc(5 << 20, 'abc');
  const { bytes } = await askForInvitation({ addresses: [await agent(answer)], meshKey: KEY });
  expect(answer.equals(bytes)).toBe(true);
});

test('more than the limit is not taken', async () => {
  const addresses = [await agent(Buffer.alloc(MAX_INVITATION_BYTES + 1))];
  await expect(askForInvitation({ addresses, meshKey: KEY })).rejects.toMatchObject({
    code: 'MESH_NOT_UNDERSTOOD',
  });
});

test('no program at any of the addresses', async () => {
  await expect(askForInvitation({ addresses: [NOBODY], meshKey: KEY })).rejects.toMatchObject({
    code: 'MESH_UNREACHABLE',
    message: expect.stringContaining(NOBODY),
  });
});

test('no address', async () => {
  await expect(askForInvitation({ addresses: ['10.0.0.1'] })).rejects.toMatchObject({
    code: 'MESH_ADDRESS',
    blame: 'input',
  });
});

test.each([
  ['another key', { meshKey: generateMeshKey() }],
  ['no key', {}],
])('%s tells nothing', async (_, key) => {
  const addresses = [await agent(Buffer.from('come in'))];
  await expect(askForInvitation({ addresses, ...key, patienceMs: 0 })).rejects.toMatchObject({
    code: 'MESH_NOT_UNDERSTOOD',
    remedy: expect.stringMatching(/key/),
  });
});

test('a peer that is not on the allow-list learns nothing', async () => {
  const other = '12D3KooWGjMCwbFVcBcAwVYGV2SUpFq5xF7wEbVJ2HyYhJbJBBQY';
  const addresses = [await agent(Buffer.from('come in'), new Admission({ allow: [{ peer: other }] }))];
  await expect(askForInvitation({ addresses, meshKey: KEY })).rejects.toMatchObject({
    code: 'MESH_NOT_UNDERSTOOD',
  });
});

test('an agent of a version without this protocol is told from one with another key', async () => {
  const transport = await createLibp2pTransport({
    ...{ ...SYSTEM_TIME, experiment: 'test', listen: ['/ip4/127.0.0.1/tcp/0'], meshKey: KEY },
    admission: new Admission(),
  });
  running.push(transport);
  await transport.start(HANDLERS);
  const addresses = [transport.addresses[0]!];
  await expect(askForInvitation({ addresses, meshKey: KEY })).rejects.toMatchObject({
    code: 'MESH_VERSION',
    message: expect.stringContaining('it does not know /netfold/invitation/1'),
  });
});

test('an agent of another protocol and this one are named with their versions', async () => {
  const address = await agent(Buffer.from('come in'), new Admission(), STANDING, 2);
  await expect(askForInvitation({ addresses: [address], meshKey: KEY })).rejects.toMatchObject({
    code: 'MESH_VERSION',
    message: `the agent at ${address} is of netfold ${netfoldVersion()}, with version 2 of the mesh's protocol; this is netfold ${netfoldVersion()}, with version ${MESH_PROTOCOL}`,
    remedy: expect.stringContaining('the same version'),
  });
});

test('a program that is no agent', async () => {
  server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await expect(
    askForInvitation({ addresses: [`/ip4/127.0.0.1/tcp/${port}`], meshKey: KEY }),
  ).rejects.toMatchObject({ code: 'MESH_NOT_UNDERSTOOD' });
});

test('asked in a flood, an agent answers some', async () => {
  const address = await agent(Buffer.from('come in'));
  const all = await Promise.allSettled(
    Array.from({ length: 8 }, () => askForInvitation({ addresses: [address], meshKey: KEY, patienceMs: 0 })),
  );
  const answered = all.filter(({ status }) => status === 'fulfilled').length;
  expect(answered).toBe(4);
});

test('twelve that join at once are all answered', { timeout: 60_000 }, async () => {
  const address = await agent(Buffer.from('come in'), new Admission(), systemClock);
  const asked = Array.from({ length: 12 }, () => askForInvitation({ addresses: [address], meshKey: KEY }));
  expect((await Promise.all(asked)).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(
    Array(12).fill('come in'),
  );
});

test('an agent that accepts a connection, and does not get to it in time, is asked again', async () => {
  const port = Number(/tcp\/(\d+)/.exec(await agent(Buffer.from('come in')))![1]);
  let accepted = 0;
  const held: Socket[] = [];
  // The first is never read, as on a machine without time; the others reach the agent.
  server = createServer((socket) => {
    held.push(socket.on('error', () => {}));
    if (++accepted === 1) return;
    const through = connect(port, '127.0.0.1').on('error', () => {});
    held.push(through);
    socket.pipe(through).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const addresses = [`/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`];
  const { bytes } = await askForInvitation({ addresses, meshKey: KEY, dialMs: 1000 });
  expect(Buffer.from(bytes).toString()).toBe('come in');
  // The one that was given up, a look whether somebody accepts, and the one that was answered.
  expect(accepted).toBeGreaterThanOrEqual(3);
  for (const socket of held) socket.destroy();
});
