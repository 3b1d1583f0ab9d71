/** Who may join an experiment: its hosts, each under its own name and with its own endpoints, and nobody else. */
import { makeMeshKey, readMeshKey } from '../../agent/mesh/mesh-key.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import type { LabPlan } from '../lab/lab-plan.ts';
import { identityFolder, meshKeyFile } from '../lab/names.ts';

export type MeshSecurity = Pick<Bootstrap['mesh'], 'key' | 'allow' | 'assignment'>;

/** For an experiment that hosts of other machines join. */
export interface OpenMesh {
  /** File with the mesh's key; absent: a new one is made. */
  readonly meshKey?: string;
}

/**
 * Makes key and identities in the experiment's folder. `open`: others may join, with endpoints that are not here. Throws
 * `MeshError`.
 */
export async function secureMesh(plan: LabPlan, open?: OpenMesh): Promise<MeshSecurity> {
  const { experiment, hosts, endpoints } = plan;
  const assignment = Object.fromEntries(endpoints.map(({ name, host }) => [name, host.name]));
  const key = open?.meshKey === undefined ? makeMeshKey(meshKeyFile(experiment)) : readMeshKey(open.meshKey);
  if (open) return { key, assignment };
  // libp2p takes longer to load than most commands take to run.
  const { openIdentity, peerIdOf } = await import('../../agent/mesh/identity.ts');
  const allow = await Promise.all(
    hosts.map(async ({ name: host }) => {
      const identity = await openIdentity(identityFolder(experiment, host));
      return { peer: peerIdOf(identity), host };
    }),
  );
  return { key, allow, assignment };
}
