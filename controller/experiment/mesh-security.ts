/** Which peers may join an experiment: its hosts, each with its own name and its own endpoints, and no others. */
import { resolve } from 'node:path';
import { readAllowList } from '../../agent/mesh/trust/admission.ts';
import { makeMeshKey, readMeshKey } from '../../agent/mesh/trust/mesh-key.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { identityFolder, meshKeyFile } from '../names.ts';
import type { Plan } from '../platform/port/plan.ts';

export type MeshSecurity = Pick<
  Bootstrap['mesh'],
  'key' | 'allow' | 'assignment' | 'addresses' | 'identity' | 'announce'
>;

/** For an experiment that hosts on other machines join. */
export interface OpenMesh {
  /** File with the mesh's key; absent: a new one is made. */
  readonly meshKey?: string;
  /** Folder of this machine's identity; absent: a new one, which is removed with the experiment. */
  readonly identity?: string;
  /** File with the allow-list; absent: every peer that has the key. */
  readonly allow?: string;
  /** Multiaddrs to announce instead of where the agent listens. */
  readonly announce?: readonly string[];
}

/**
 * Makes key and identities in the experiment's folder. `open`: others may join, with endpoints of other machines.
 * Throws `MeshError`.
 */
export async function secureMesh(plan: Plan, open?: OpenMesh): Promise<MeshSecurity> {
  const { experiment, hosts, endpoints } = plan;
  const assignment = Object.fromEntries(endpoints.map(({ name, host }) => [name, host.name]));
  const addresses = Object.fromEntries(endpoints.map((endpoint) => [endpoint.name, [...endpoint.addresses]]));
  const key = open?.meshKey === undefined ? makeMeshKey(meshKeyFile(experiment)) : readMeshKey(open.meshKey);
  if (open) return secureOpenMesh(hosts[0]!.name, { key, assignment, addresses }, open);
  // libp2p takes longer to load than most commands take to run.
  const { openIdentity, peerIdOf } = await import('../../agent/mesh/trust/identity.ts');
  const allow = await Promise.all(
    hosts.map(async ({ name: host }) => {
      const identity = await openIdentity(identityFolder(experiment, host));
      return { peer: peerIdOf(identity), host };
    }),
  );
  return { key, allow, assignment, addresses };
}

/** `host`: the one of this machine. Throws `MESH_NOT_ALLOWED` if the list has another peer for its name. */
async function secureOpenMesh(
  host: string,
  rules: Pick<MeshSecurity, 'key' | 'assignment' | 'addresses'>,
  { identity, allow, announce }: OpenMesh,
): Promise<MeshSecurity> {
  const security = {
    ...rules,
    // Agents that a resumed experiment restarts may start with another working directory.
    ...(identity !== undefined && { identity: resolve(identity) }),
    ...(allow !== undefined && { allow: readAllowList(allow) }),
  };
  const { openSecurity } = await import('../../agent/mesh/trust/security.ts');
  await openSecurity(security, host, []);
  return { ...security, ...(announce && { announce: [...announce] }) };
}
