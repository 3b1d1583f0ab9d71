/** Who may join an experiment: its hosts, each under its own name and with its own endpoints, and nobody else. */
import { makeMeshKey } from '../../agent/mesh/mesh-key.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import type { LabPlan } from '../lab/lab-plan.ts';
import { identityFolder, meshKeyFile } from '../lab/names.ts';

export type MeshSecurity = Required<Pick<Bootstrap['mesh'], 'key' | 'allow' | 'assignment'>>;

/** Makes key and identities in the experiment's folder. Throws `MeshError`. */
export async function secureMesh({ experiment, hosts, endpoints }: LabPlan): Promise<MeshSecurity> {
  const key = makeMeshKey(meshKeyFile(experiment));
  // libp2p takes longer to load than most commands take to run.
  const { openIdentity, peerIdOf } = await import('../../agent/mesh/identity.ts');
  const allow = await Promise.all(
    hosts.map(async ({ name: host }) => {
      const identity = await openIdentity(identityFolder(experiment, host));
      return { peer: peerIdOf(identity), host };
    }),
  );
  const assignment = Object.fromEntries(endpoints.map(({ name, host }) => [name, host.name]));
  return { key, allow, assignment };
}
