/** Real sockets on 127.0.0.1: agents whose mesh gets another key while they are connected. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SYSTEM_TIME, systemClock, systemTimers } from '../../../../agent/clock/clock.ts';
import { Mesh } from '../../../../agent/mesh/exchange/mesh.ts';
import { createLibp2pTransport } from '../../../../agent/mesh/libp2p/libp2p-transport.ts';
import { openIdentity, signingKeyOfIdentity } from '../../../../agent/mesh/trust/identity.ts';
import { KeyRing, type OpenKey } from '../../../../agent/mesh/trust/key-ring.ts';
import { generateMeshKey } from '../../../../agent/mesh/trust/mesh-key.ts';
import { sealKey } from '../../../../agent/mesh/trust/sealed-key.ts';
import type { MeshTransport } from '../../../../agent/mesh/wire/transport.ts';
import { type Command, rekeyTexts } from '../../../../proto/command.ts';

const OVERLAP = 1_000_000_000;
const OLD = generateMeshKey();
const NEW = generateMeshKey();
const endpointNames = ['a.0', 'b.0', 'c.0'];
/** Of the experiment; each test sets it. */
let now = 0;

interface Node {
  readonly mesh: Mesh;
  readonly transport: MeshTransport;
  readonly keys: SeenRing;
  readonly codes: string[];
}

/** Notes which keys were asked for by peers that came in. */
class SeenRing extends KeyRing {
  readonly asked: string[] = [];

  override get open(): readonly OpenKey[] {
    return super.open.map(({ key, admits }) => ({
      key,
      admits: (peer) => {
        this.asked.push(key);
        return admits(peer);
      },
    }));
  }
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(pathOf(tmpdir(), 'netfold-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const running: Node[] = [];
let started = 0;
afterEach(async () => {
  now = 0;
  await Promise.all(running.splice(0).map(({ mesh }) => mesh.stop()));
});

async function start(host: string, key = OLD): Promise<Node> {
  const privateKey = await openIdentity(pathOf(folder, String(started++)));
  const keys = new SeenRing(key, signingKeyOfIdentity(privateKey), () => now);
  const transport = await createLibp2pTransport({
    ...{ ...SYSTEM_TIME, experiment: 'test', listen: ['/ip4/127.0.0.1/tcp/0'], keys, privateKey },
  });
  const codes: string[] = [];
  const warn = ({ code }: { code?: string }): void => void (code && codes.push(code));
  const mesh = new Mesh(
    { transport, clock: systemClock, timers: systemTimers, log: { info: () => {}, warn } },
    { topology: '0123456789abcdef', endpointNames, host },
  );
  await mesh.start();
  const node = { mesh, transport, keys, codes };
  running.push(node);
  return node;
}

const names = ({ mesh }: Node): string[] => mesh.view.hosts().map(({ name }) => name);
const join = (from: Node, to: Node): Promise<void> =>
  from.transport.connect(to.transport.addresses[0]!).catch(() => {});
const know = (...nodes: Node[]) =>
  expect.poll(() => nodes.map(names).every(({ length }) => length === nodes.length), { timeout: 20_000 });

function replacement(hosts: readonly Node[], at = 0): Command[] {
  const sealed = sealKey(
    NEW,
    OLD,
    hosts.map(({ transport }) => transport.selfId),
  );
  return rekeyTexts({ ...sealed, overlap: OVERLAP }, sealed.hosts).map((text, index) => ({
    ...{ origin: 'alpha', incarnation: 1, number: index + 1, issuedAt: at, at, text },
  }));
}

test('who has the new key, and who has not learned it yet, is let in; who copied the old one is not', async () => {
  const [a, b, c] = [await start('alpha'), await start('beta'), await start('copy')];
  const commands = replacement([a, b]);
  a.keys.take(commands);
  // It dials with the old key.
  await join(b, a);
  await know(a, b).toBe(true);
  await join(c, a);
  await expect.poll(() => a.codes, { timeout: 20_000 }).toContain('KEY_REPLACED');
  const d = await start('delta', NEW);
  await join(d, a);
  await know(a, b, d).toBe(true);
  expect(names(c)).toEqual(['copy']);
});

test('who dials tries the old key with one that does not know the new one yet', async () => {
  const [a, b] = [await start('alpha'), await start('beta')];
  a.keys.take(replacement([a, b]));
  await join(a, b);
  await know(a, b).toBe(true);
});

test('connections by the old key end with the overlap, and those are named who still have it', async () => {
  const [a, b] = [await start('alpha'), await start('beta')];
  await join(b, a);
  await know(a, b).toBe(true);
  a.keys.take(replacement([a, b]));
  now = OVERLAP + 1;
  await expect.poll(() => a.codes, { timeout: 20_000 }).toContain('KEY_REPLACED');
  await know(a).toBe(true);
  // It gets a copy.
  const copy = await start('gamma', NEW);
  await join(copy, a);
  await know(a, copy).toBe(true);
});

test('connections that are there are made anew by the new key, well before the overlap ends', async () => {
  const [a, b] = [await start('alpha'), await start('beta')];
  await join(b, a);
  await know(a, b).toBe(true);
  const commands = replacement([a, b]);
  for (const { keys } of [a, b]) keys.take(commands);
  for (const { keys } of [a, b]) await expect.poll(() => keys.asked, { timeout: 20_000 }).toContain(NEW);
  await know(a, b).toBe(true);
  expect([...a.codes, ...b.codes]).toEqual([]);
});
