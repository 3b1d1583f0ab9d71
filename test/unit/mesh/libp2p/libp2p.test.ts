import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { SYSTEM_TIME, systemClock, systemTimers } from '../../../../agent/clock/clock.ts';
import { Mesh, type MeshOptions } from '../../../../agent/mesh/exchange/mesh.ts';
import { createLibp2pTransport } from '../../../../agent/mesh/libp2p/libp2p-transport.ts';
import type { MeshTransport } from '../../../../agent/mesh/wire/transport.ts';

/** Real sockets on 127.0.0.1; everything waits for what it is about, never for time. */

const OPTIONS: Omit<MeshOptions, 'host'> = {
  topology: '0123456789abcdef',
  endpointNames: ['a.0', 'b.0', 'c.0'],
};
const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function newTransport(experiment = 'test'): Promise<MeshTransport> {
  return createLibp2pTransport({ ...SYSTEM_TIME, experiment, listen: ['/ip4/127.0.0.1/tcp/0'] });
}

async function startMesh(
  host: string,
  experiment?: string,
  options: Partial<MeshOptions> = {},
): Promise<{ mesh: Mesh; transport: MeshTransport }> {
  const transport = await newTransport(experiment);
  const mesh = new Mesh(
    { transport, clock: systemClock, timers: systemTimers },
    { ...OPTIONS, ...options, host },
  );
  running.push(mesh);
  await mesh.start();
  return { mesh, transport };
}

/** Resolves when `holds` does, looking after each change of the mesh. */
function until(mesh: Mesh, holds: () => boolean): Promise<void> {
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

const hostNames = (mesh: Mesh): string[] => mesh.view.hosts().map(({ name }) => name);

test('agents find each other, request what they missed, receive changes, and announce that they leave', async () => {
  const a = await startMesh('alpha');
  a.mesh.announceEndpoints([{ number: 0, addresses: ['10.1.0.1'] }]);
  a.mesh.announceFlows([{ source: 0, destination: 1, rateBps: 4e6, greedy: true }]);
  const b = await startMesh('beta');
  await b.transport.connect(a.transport.addresses[0]!);

  await until(b.mesh, () => b.mesh.view.remoteFlows().length === 1);
  expect(b.mesh.stats.repairs).toBeGreaterThanOrEqual(1);
  expect(b.mesh.view.endpoints()).toEqual([
    { number: 0, name: 'a.0', addresses: ['10.1.0.1'], host: 'alpha' },
  ]);

  await until(a.mesh, () => hostNames(a.mesh).includes('beta'));
  b.mesh.announceEndpoints([{ number: 1, addresses: ['10.1.0.2', 'fd00::2'] }]);
  await until(a.mesh, () => a.mesh.view.endpoints().length === 2);
  expect(a.mesh.view.endpoints()[1]).toMatchObject({
    name: 'b.0',
    addresses: ['10.1.0.2', 'fd00::2'],
    host: 'beta',
  });

  const silent = a.mesh.view.hosts().find(({ name }) => name === 'beta')!.lastHeard;
  await b.mesh.stop();
  await until(a.mesh, () => !hostNames(a.mesh).includes('beta'));
  // Much earlier than silence would have been noticed: it was announced.
  expect(systemClock.now() - silent).toBeLessThan(2500);
});

test('an agent that joins through one peer connects to those that the peer knows', async () => {
  const a = await startMesh('alpha');
  const b = await startMesh('beta');
  await b.transport.connect(a.transport.addresses[0]!);
  await until(a.mesh, () =>
    a.mesh.view.hosts().every(({ self, meshAddresses }) => self || meshAddresses.length > 0),
  );
  await until(a.mesh, () => hostNames(a.mesh).length === 2);
  const c = await startMesh('gamma');
  await c.transport.connect(a.transport.addresses[0]!);
  await until(c.mesh, () => hostNames(c.mesh).length === 3);
  await until(b.mesh, () => hostNames(b.mesh).length === 3);

  await a.mesh.stop();
  c.mesh.announceEndpoints([{ number: 2, addresses: ['10.1.0.3'] }]);
  await until(b.mesh, () => b.mesh.view.endpoints().length === 1);
});

test('an agent of another experiment is ignored', async () => {
  const a = await startMesh('alpha', 'one');
  const b = await startMesh('beta', 'two');
  const c = await startMesh('gamma', 'one');
  await b.transport.connect(a.transport.addresses[0]!);
  await c.transport.connect(a.transport.addresses[0]!);
  c.mesh.announceEndpoints([{ number: 1, addresses: ['10.1.0.2'] }]);
  await until(a.mesh, () => a.mesh.view.endpoints().length === 1);
  await until(c.mesh, () => hostNames(c.mesh).includes('alpha'));
  expect(hostNames(a.mesh)).toEqual(['alpha', 'gamma']);
  expect(hostNames(c.mesh)).toEqual(['alpha', 'gamma']);
});

test('agents give the time and the commands, also to those that join later', async () => {
  const fast = { heartbeatMs: 50 };
  const a = await startMesh('alpha', 'test', fast);
  a.mesh.time.startIn(-3_600_000);
  const said = a.mesh.command({ issuedAt: 1, at: 2, until: 3.5, text: 'crash a.0' });
  const b = await startMesh('beta', 'test', fast);
  const known = new Promise<void>((resolve) => {
    const stop = b.mesh.time.onChange(() => resolve(stop()));
  });
  await b.transport.connect(a.transport.addresses[0]!);
  await known;
  expect(b.mesh.commands.all()).toEqual([said]);
  const { reference, state, errorMs } = b.mesh.clocks.status();
  expect({ reference, state }).toEqual({ reference: 'alpha', state: 'running' });
  expect(errorMs).toBeLessThan(500);
  // On one machine they have one clock.
  const difference = b.mesh.time.exact(1000)! - a.mesh.time.exact(1000)!;
  expect(Math.abs(difference) / 1000).toBeLessThanOrEqual(errorMs!);
  const rtt = b.mesh.clocks.rttMicros('alpha')!;
  expect(rtt).toBeGreaterThan(0);
  expect(rtt).toBeLessThanOrEqual(2 * 1000 * errorMs!);

  const heard = new Promise<string>((resolve) =>
    a.mesh.commands.onChange(([command]) => resolve(command!.text)),
  );
  b.mesh.command({ issuedAt: 5, at: 5, text: 'reset' });
  expect(await heard).toBe('reset');
});

test('what is not an address, an address without an agent, and a port in use are coded errors', async () => {
  const { transport } = await startMesh('alpha');
  await expect(transport.connect('127.0.0.1:80')).rejects.toMatchObject({
    code: 'MESH_ADDRESS',
    blame: 'input',
  });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const taken = await createLibp2pTransport({
    ...SYSTEM_TIME,
    experiment: 'x',
    listen: [`/ip4/127.0.0.1/tcp/${port}`],
  });
  const nothing = { onGossip: () => false, onRequest: () => undefined, onPeer: () => {} };
  await expect(taken.start(nothing)).rejects.toMatchObject({
    code: 'MESH_LISTEN',
    blame: 'machine',
    message: `the mesh can't listen: EADDRINUSE: address already in use 127.0.0.1:${port}`,
  });
  await new Promise((resolve) => server.close(resolve));
  const address = `/ip4/127.0.0.1/tcp/${port}`;
  await expect(transport.connect(address)).rejects.toMatchObject({ code: 'MESH_UNREACHABLE' });
  await expect.poll(() => transport.unreachable?.()).toEqual([address]);
});

test('a request that is refused or lost rejects', async () => {
  const a = await newTransport();
  const b = await newTransport();
  running.push(a, b);
  const nothing = { onGossip: () => false, onRequest: () => undefined, onPeer: () => {} };
  await a.start(nothing);
  await b.start(nothing);
  await expect(b.request('state', a.selfId, () => Uint8Array.of(1))).rejects.toMatchObject({
    code: 'MESH_UNREACHABLE',
  });
  await b.connect(a.addresses[0]!);
  await expect(b.request('state', a.selfId, () => Uint8Array.of(1))).rejects.toThrow();
});

/** A way to `port` of this machine that can be cut; counts connections. */
async function newProxy(
  port: number,
): Promise<{ address: string; came: () => number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let came = 0;
  const server = createServer((socket) => {
    came++;
    const other = connect(port, '127.0.0.1');
    for (const [from, to] of [[socket, other] as const, [other, socket] as const]) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`, came: () => came, stop };
}

/** Resolves when something that `from` publishes arrives at the others through gossip. */
async function gossipArrives(from: MeshTransport, heard: Set<number>): Promise<void> {
  for (let number = 1; heard.size === 0; number++) {
    from.publish(new Uint8Array([number % 256]));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('gossip goes on when the first of two connections to a peer ends', async () => {
  const started = await Promise.all(
    [0, 1].map(async () => {
      const transport = await newTransport();
      running.push(transport);
      const heard = new Set<number>();
      const onGossip = (bytes: Uint8Array): boolean => heard.add(bytes[0]!) !== undefined;
      await transport.start({ onGossip, onRequest: () => undefined, onPeer: () => {} });
      // Without the peer id it is not known that there is a connection already.
      return { transport, heard, address: transport.addresses[0]!.replace(/\/p2p\/.*/, '') };
    }),
  );
  const [a, b] = started as [(typeof started)[number], (typeof started)[number]];
  const bothHear = async (): Promise<void> => {
    a.heard.clear();
    b.heard.clear();
    await Promise.all([gossipArrives(a.transport, b.heard), gossipArrives(b.transport, a.heard)]);
  };
  const proxy = await newProxy(Number(b.address.split('/').at(-1)));
  running.push(proxy);
  await a.transport.connect(proxy.address);
  await bothHear();
  await b.transport.connect(a.address);
  // No event shows that gossip has noticed the second.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await proxy.stop();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await bothHear();
});

test('an agent behind NAT is found at the address that it announces, also by agents that know it from others only', async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const outside = await newProxy(port);
  running.push(outside);
  const announced = outside.address;
  const transport = await createLibp2pTransport({
    ...SYSTEM_TIME,
    experiment: 'test',
    listen: [`/ip4/127.0.0.1/tcp/${port}`],
    announce: [announced],
  });
  const a = new Mesh({ transport, clock: systemClock, timers: systemTimers }, { ...OPTIONS, host: 'alpha' });
  running.push(a);
  await a.start();
  expect(transport.addresses).toEqual([`${announced}/p2p/${transport.selfId}`]);
  const b = await startMesh('beta');
  await b.transport.connect(announced);
  const c = await startMesh('gamma');
  await c.transport.connect(b.transport.addresses[0]!);
  await until(c.mesh, () => {
    const alpha = c.mesh.view.hosts().find(({ name }) => name === 'alpha');
    return alpha?.meshAddresses[0] === transport.addresses[0];
  });
  expect(outside.came()).toBeGreaterThanOrEqual(2);
});

test('an announced address that is none is refused', async () => {
  const options = { experiment: 'test', listen: ['/ip4/127.0.0.1/tcp/0'], announce: ['203.0.113.7:4646'] };
  await expect(createLibp2pTransport({ ...SYSTEM_TIME, ...options })).rejects.toMatchObject({
    code: 'MESH_ADDRESS',
    blame: 'input',
  });
});
