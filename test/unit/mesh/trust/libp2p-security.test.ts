/** Real sockets on 127.0.0.1: which peers are refused by a mesh, and how they are named. */
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { SYSTEM_TIME, systemClock, systemTimers } from '../../../../agent/clock/clock.ts';
import { Mesh } from '../../../../agent/mesh/exchange/mesh.ts';
import { createLibp2pTransport } from '../../../../agent/mesh/libp2p/libp2p-transport.ts';
import { Admission, type AllowedPeer } from '../../../../agent/mesh/trust/admission.ts';
import { generateMeshKey } from '../../../../agent/mesh/trust/mesh-key.ts';
import type { MeshTransport } from '../../../../agent/mesh/wire/transport.ts';

const endpointNames = ['a.0', 'b.0', 'c.0'];
const KEY = generateMeshKey();

interface Line {
  readonly code?: string;
  readonly peer?: string;
  readonly address?: string;
  readonly via?: string;
}

interface Node {
  readonly mesh: Mesh;
  readonly transport: MeshTransport;
  readonly lines: Line[];
  /** Resolves with the first line that `fits`. */
  named(fits: (line: Line) => boolean): Promise<Line>;
}

const running: Node[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ mesh }) => mesh.stop()));
});

async function start(
  host: string,
  security: { meshKey?: string; allow?: AllowedPeer[] } = {},
): Promise<Node> {
  const { meshKey, allow } = security;
  const admission = new Admission({ allow }, endpointNames);
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const transport = await createLibp2pTransport({
    ...SYSTEM_TIME,
    experiment: 'test',
    listen,
    admission,
    ...(meshKey && { meshKey }),
  });
  const lines: Line[] = [];
  const waiting: { fits: (line: Line) => boolean; resolve: (line: Line) => void }[] = [];
  const warn = (line: Line): void => {
    lines.push(line);
    for (const { fits, resolve } of waiting) if (fits(line)) resolve(line);
  };
  const mesh = new Mesh(
    { transport, clock: systemClock, timers: systemTimers, log: { info: () => {}, warn } },
    { topology: '0123456789abcdef', endpointNames, host, admission },
  );
  await mesh.start();
  const named = (fits: (line: Line) => boolean): Promise<Line> =>
    new Promise((resolve) => {
      const line = lines.find(fits);
      if (line) resolve(line);
      else waiting.push({ fits, resolve });
    });
  const node = { mesh, transport, lines, named };
  running.push(node);
  return node;
}

const hosts = ({ mesh }: Node): string[] => mesh.view.hosts().map(({ name }) => name);

function until({ mesh }: Node, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return;
      stop();
      resolve();
    };
    const stop = mesh.onChange(look);
    look();
  });
}

/** The two know each other. */
async function join(from: Node, to: Node): Promise<void> {
  await from.transport.connect(to.transport.addresses[0]!);
  await until(from, () => hosts(from).length > 1);
  await until(to, () => hosts(to).length > 1);
}

test('agents with one key receive each other’s messages', async () => {
  const a = await start('alpha', { meshKey: KEY });
  const b = await start('beta', { meshKey: KEY });
  await join(b, a);
  b.mesh.announceEndpoints([{ number: 1, addresses: ['10.0.0.2'] }]);
  await until(a, () => a.mesh.view.endpoints().length === 1);
  expect(a.mesh.stats.rejected).toEqual({});
});

test.each([
  ['no key', {}],
  ['another key', { meshKey: generateMeshKey() }],
])('who has %s is kept out, and named by his address', async (_, security) => {
  const a = await start('alpha', { meshKey: KEY });
  const outsider = await start('outsider', security);
  await expect(outsider.transport.connect(a.transport.addresses[0]!)).rejects.toMatchObject({
    code: 'MESH_UNREACHABLE',
    remedy: expect.stringContaining('key'),
  });
  expect(await a.named(({ code }) => code === 'HANDSHAKE_FAILED')).toMatchObject({ address: '127.0.0.1' });
  expect(a.mesh.stats.rejected.HANDSHAKE_FAILED).toBeGreaterThan(0);
  expect(hosts(a)).toEqual(['alpha']);
  expect(hosts(outsider)).toEqual(['outsider']);
  // The others still come in.
  const b = await start('beta', { meshKey: KEY });
  await join(b, a);
  expect(hosts(a)).toEqual(['alpha', 'beta']);
});

test('a peer that connects and sends nonsense is named', async () => {
  const a = await start('alpha', { meshKey: KEY });
  const port = Number(a.transport.addresses[0]!.split('/')[4]);
  const socket = connect(port, '127.0.0.1', () => socket.end(Buffer.alloc(100, 7)));
  socket.on('error', () => {});
  expect(await a.named(({ code }) => code === 'HANDSHAKE_FAILED')).toMatchObject({ address: '127.0.0.1' });
});

test('a peer with the key that is not on the list is refused and named, whichever end dials', async () => {
  const b = await start('beta', { meshKey: KEY });
  const stranger = await start('stranger', { meshKey: KEY });
  const a = await start('alpha', { meshKey: KEY, allow: [{ peer: b.transport.selfId, host: 'beta' }] });
  await stranger.transport.connect(a.transport.addresses[0]!).catch(() => undefined);
  const peer = stranger.transport.selfId;
  expect(await a.named(({ code }) => code === 'PEER_NOT_ALLOWED')).toMatchObject({
    peer,
    address: '127.0.0.1',
  });
  const inbound = a.mesh.stats.rejected.PEER_NOT_ALLOWED!;
  await expect(a.transport.connect(stranger.transport.addresses[0]!)).rejects.toMatchObject({
    code: 'MESH_UNREACHABLE',
  });
  expect(a.mesh.stats.rejected.PEER_NOT_ALLOWED).toBeGreaterThan(inbound);
  await join(b, a);
  expect(hosts(a)).toEqual(['alpha', 'beta']);
  expect(hosts(stranger)).toEqual(['stranger']);
});

test('messages of a peer that is not on the list are refused even through one that is', async () => {
  const hub = await start('hub', { meshKey: KEY });
  const stranger = await start('stranger', { meshKey: KEY });
  const a = await start('alpha', { meshKey: KEY, allow: [{ peer: hub.transport.selfId }] });
  await join(stranger, hub);
  await join(a, hub);
  stranger.mesh.announceEndpoints([{ number: 1, addresses: ['10.0.0.2'] }]);
  await until(hub, () => hub.mesh.view.endpoints().length === 1);
  const line = await a.named(({ code, via }) => code === 'PEER_NOT_ALLOWED' && via !== undefined);
  expect(line).toMatchObject({ peer: stranger.transport.selfId, via: hub.transport.selfId });
  expect(hosts(a)).toEqual(['alpha', 'hub']);
  expect(a.mesh.view.endpoints()).toEqual([]);
});
