/** Which peers may join an experiment: its hosts, each with its own name and its own endpoints, and no others. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { readListedPeers } from '../../agent/mesh/trust/admission.ts';
import { sharedStart } from '../../agent/mesh/trust/command-signature.ts';
import { makeMeshKey, readMeshKey } from '../../agent/mesh/trust/mesh-key.ts';
import {
  makeUserKey,
  readCommanders,
  readUserKey,
  requireDistinct,
} from '../../agent/mesh/trust/user-key.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { type Commander, type CommandRules, isCommanderName, RIGHTS } from '../../proto/command.ts';
import { identityFolder, meshKeyFile, userKeyFile } from '../names.ts';
import type { Plan } from '../platform/port/plan.ts';
import { userName } from '../user-name.ts';
import { assignmentOf } from './listed-endpoints.ts';

export type MeshSecurity = Pick<
  Bootstrap['mesh'],
  'key' | 'keyFile' | 'allow' | 'assignment' | 'addresses' | 'identity' | 'announce' | 'commands'
>;

/** Of an experiment's identity in what is signed. */
const ID_BYTES = 16;

/** For an experiment that hosts on other machines join. */
export interface OpenMesh {
  /** File with the mesh's key; absent: a new one is made. */
  readonly meshKey?: string;
  /** Folder of this machine's identity; absent: a new one, which is removed with the experiment. */
  readonly identity?: string;
  /** File with the allow-list; absent: every peer that has the key. */
  readonly allow?: string;
  /** File with users' keys that may give commands, beside that of who starts the experiment. */
  readonly commanders?: string;
  /** Multiaddrs to announce instead of where the agent listens. */
  readonly announce?: readonly string[];
  /**
   * File with the key of the user who may give commands. Then all hosts start alike, from the same file and the same keys, without
   * an invitation of the first; endpoints may move from host to host. Absent: a new one, and the others are invited.
   */
  readonly userKey?: string;
}

/**
 * Makes keys and identities in the experiment's folder. `names`: of all endpoints. `open`: others may join, with endpoints of
 * other machines.
 * Throws `MeshError`.
 */
export async function secureMesh(
  plan: Plan,
  names: readonly string[],
  open?: OpenMesh,
): Promise<MeshSecurity> {
  const { experiment, hosts, endpoints } = plan;
  const assignment = Object.fromEntries(endpoints.map(({ name, host }) => [name, host.name]));
  const addresses = Object.fromEntries(endpoints.map((endpoint) => [endpoint.name, [...endpoint.addresses]]));
  const key = open?.meshKey === undefined ? makeMeshKey(meshKeyFile(experiment)) : readMeshKey(open.meshKey);
  const keyFile = resolve(open?.meshKey ?? meshKeyFile(experiment));
  const host = hosts[0]!.name;
  if (open?.userKey !== undefined)
    return secureOpenMesh(
      host,
      names,
      { key, keyFile, commands: sharedRules(experiment, key, open.userKey) },
      open,
    );
  const commands = commandRules(experiment, host, open?.commanders);
  if (open) return secureOpenMesh(host, names, { key, keyFile, assignment, addresses, commands }, open);
  // libp2p takes longer to load than most commands take to run.
  const { openIdentity, peerIdOf } = await import('../../agent/mesh/trust/identity.ts');
  const allow = await Promise.all(
    hosts.map(async ({ name }) => {
      const identity = await openIdentity(identityFolder(experiment, name));
      return { peer: peerIdOf(identity), host: name };
    }),
  );
  return { key, keyFile, allow, assignment, addresses, commands };
}

/** Makes the key of the user who starts the experiment, who may give all commands. Throws `MeshError`. */
function commandRules(experiment: string, host: string, others: string | undefined): CommandRules {
  const { peer } = makeUserKey(userKeyFile(experiment));
  const own: Commander = { peer, name: nameAt(host), rights: RIGHTS };
  const commanders = [own, ...(others === undefined ? [] : readCommanders(others))];
  requireDistinct(commanders, "the list of users' keys, with that of this experiment,");
  return { id: randomBytes(ID_BYTES).toString('hex'), commanders };
}

/** The same on all hosts that have the same keys. Throws `MeshError`. */
function sharedRules(experiment: string, meshKey: string, userKey: string): CommandRules {
  const { peer } = readUserKey(userKey);
  const id = sharedStart(experiment, meshKey);
  return { id, commanders: [{ peer, name: 'user', rights: RIGHTS }] };
}

/** For `history`: `root@host0`. */
function nameAt(host: string): string {
  const name = `${userName()}@${host}`;
  return isCommanderName(name) ? name : `user@${host}`.slice(0, 64);
}

/** `host`: the one of this machine. Throws `MESH_NOT_ALLOWED` if the list has another peer for its name. */
async function secureOpenMesh(
  host: string,
  names: readonly string[],
  rules: Pick<MeshSecurity, 'key' | 'keyFile' | 'assignment' | 'addresses' | 'commands'>,
  { identity, allow, announce }: OpenMesh,
): Promise<MeshSecurity> {
  const listed = allow === undefined ? undefined : readListedPeers(allow);
  const security = {
    ...rules,
    ...((rules.assignment || listed) && {
      assignment: { ...rules.assignment, ...(listed && assignmentOf(listed, names, rules.assignment ?? {})) },
    }),
    // Agents that a resumed experiment restarts may start with another working directory.
    ...(identity !== undefined && { identity: resolve(identity) }),
    ...(listed && { allow: listed.map(({ endpoints: _, ...peer }) => peer) }),
  };
  const { openSecurity } = await import('../../agent/mesh/trust/security.ts');
  await openSecurity(security, host, []);
  return { ...security, ...(announce && { announce: [...announce] }) };
}
