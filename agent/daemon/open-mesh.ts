/** The mesh of a bootstrap, over libp2p; it has no connections yet. */
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { addressesPerEndpoint } from '../bootstrap/address-bound.ts';
import { encodeInvitation, invitationOf } from '../bootstrap/invitation.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import { giveUpAfter, readTcp } from '../kernel/sys/tcp-sockets.ts';
import { Mesh } from '../mesh/exchange/mesh.ts';
import { createLibp2pTransport } from '../mesh/libp2p/libp2p-transport.ts';
import { CommandGuard } from '../mesh/trust/command-guard.ts';
import { commandScope } from '../mesh/trust/command-signature.ts';
import { signingKeyOfIdentity } from '../mesh/trust/identity.ts';
import { openSecurity } from '../mesh/trust/security.ts';
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
  const { admission, ...security } = await openSecurity(bootstrap.mesh, host, endpointNames);
  const { privateKey } = security;
  const guard =
    commands &&
    new CommandGuard({
      scope: commandScope(topology.hash, commands),
      commanders: commands.commanders,
      hostOf: (peer) => admission.hostOf(peer),
      lacking,
      ...(privateKey && { key: signingKeyOfIdentity(privateKey) }),
    });
  const transport = await createLibp2pTransport({
    ...{ experiment, listen, announce, clock, timers },
    sockets: { readTcp, giveUpAfter },
    invitation: () =>
      encodeInvitation(
        invitationOf(bootstrap, mesh.view, { addresses: transport.addresses, admission, ended: ended?.() }),
      ),
    onInvited,
    ...{ admission, ...security },
  });
  const mesh = new Mesh(
    { transport, clock, timers, log, time },
    {
      ...{ topology: topology.hash.slice(0, 16), endpointNames, lanes, host, admission, guard, leftOut },
      addressesPerEndpoint: addressesPerEndpoint(bootstrap),
    },
  );
  return { mesh, transport, guard };
}
