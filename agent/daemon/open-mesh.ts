/** The mesh of a bootstrap, over libp2p; it has no connections yet. */
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { isRekey } from '../../proto/command.ts';
import { formatMicros, micros } from '../../proto/units.ts';
import { addressesPerEndpoint } from '../bootstrap/address-bound.ts';
import { encodeInvitation, invitationOf } from '../bootstrap/invitation.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import { giveUpAfter, readTcp } from '../kernel/sys/tcp-sockets.ts';
import { Mesh } from '../mesh/exchange/mesh.ts';
import { createLibp2pTransport } from '../mesh/libp2p/libp2p-transport.ts';
import { CommandGuard } from '../mesh/trust/command-guard.ts';
import { commandScope } from '../mesh/trust/command-signature.ts';
import { signingKeyOfIdentity } from '../mesh/trust/identity.ts';
import { KeyRing } from '../mesh/trust/key-ring.ts';
import { replaceMeshKey } from '../mesh/trust/mesh-key.ts';
import { openSecurity } from '../mesh/trust/security.ts';
import type { AgentParts } from './parts.ts';
import type { MeshSurroundings, OpenMesh } from './ports.ts';

export interface OpenMeshPorts extends MeshSurroundings {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Throws what `openSecurity` and `createLibp2pTransport` do: a key or identity that can't be read, a port in use. */
export async function openMesh(
  bootstrap: Bootstrap,
  { endpointNames, lanes, log, time, clock, timers, lacking, leftOut, ended, onInvited }: OpenMeshPorts,
): Promise<OpenMesh> {
  const { experiment, host, topology } = bootstrap;
  const { listen, announce = [], commands } = bootstrap.mesh;
  const { admission, meshKey, privateKey } = await openSecurity(bootstrap.mesh, host, endpointNames);
  const self = privateKey && signingKeyOfIdentity(privateKey);
  const keys = meshKey === undefined ? undefined : new KeyRing(meshKey, self, () => time.now());
  const guard =
    commands &&
    new CommandGuard({
      scope: commandScope(topology.hash, commands),
      commanders: commands.commanders,
      hostOf: (peer) => admission.hostOf(peer),
      lacking,
      ...(self && { key: self }),
    });
  const transport = await createLibp2pTransport({
    ...{ experiment, listen, announce, clock, timers },
    sockets: { readTcp, giveUpAfter },
    invitation: () =>
      encodeInvitation(
        invitationOf(bootstrap, mesh.view, { addresses: transport.addresses, admission, ended: ended?.() }),
      ),
    onInvited,
    ...{ admission, keys },
    ...(privateKey && { privateKey }),
  });
  const mesh = new Mesh(
    { transport, clock, timers, log, time },
    {
      ...{ topology: topology.hash.slice(0, 16), endpointNames, lanes, host, admission, guard, leftOut },
      addressesPerEndpoint: addressesPerEndpoint(bootstrap),
    },
  );
  if (keys) followKeys(mesh, keys);
  return { mesh, transport, guard, keys };
}

/** Replacements of the mesh's key are commands; who has all of them has the new key. Most commands are none, and cost nothing here. */
function followKeys(mesh: Mesh, keys: KeyRing): void {
  mesh.commands.onChange((added) => {
    if (added.some(isRekey) || keys.known.length > 1) keys.take(mesh.commands.all());
  });
  mesh.onChange(() => {
    if (!keys.latest) return;
    const told = mesh.view.hosts().filter(({ inStep }) => inStep);
    keys.noteTold(told.map(({ peer }) => peer));
  });
}

type Keeping = Pick<AgentParts, 'bootstrap' | 'keys' | 'keeper' | 'mesh'>;

/** Each new key is written where the machine had the one before, and whoever can't learn it is named. */
export function keepKeys({ bootstrap, keys, keeper, mesh }: Keeping): void {
  const { keyFile } = bootstrap.mesh;
  keys?.onChange(() => {
    if (keyFile !== undefined)
      keeper.attempt("keeping the mesh's new key", () => replaceMeshKey(keyFile, keys.newest, keys.known));
  });
  keeper.watch(() => keyProblems(keys, mesh.view.members.lost(), keyFile));
}

function keyProblems(
  keys: KeyRing | undefined,
  lost: readonly { readonly name: string; readonly peer: string }[],
  keyFile = 'the present key',
): string[] {
  if (!keys?.latest) return [];
  const replaced = `was replaced at ${formatMicros(micros(keys.latest.at))}`;
  if (keys.isLeftOut)
    return [
      `the mesh's key ${replaced}, and the new one is not for this host, so no other agent talks to it: copy the key of one that has it, and start this agent again with --mesh-key`,
    ];
  return keys
    .shutOut(lost)
    .map(
      ({ name }) =>
        `${name} was away while the mesh's key ${replaced}, and can't come back with the old one: copy ${keyFile} there, and start its agent again with --mesh-key`,
    );
}
