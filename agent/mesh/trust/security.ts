/** The security settings of a mesh, from the bootstrap and the command line of an agent. */
import { resolve } from 'node:path';

import type { CommandRules } from '../../../proto/command.ts';
import { MeshError } from '../errors.ts';
import { Admission, type AdmissionRules, readAllowList } from './admission.ts';
import { type Identity, openIdentity, peerIdOf } from './identity.ts';
import { parseMeshKey, readMeshKey } from './mesh-key.ts';
import { readCommanders } from './user-key.ts';

export interface SecuritySettings extends AdmissionRules {
  /** Who may give which commands; absent: every member may give all. */
  readonly commands?: CommandRules | undefined;
  /** Text of the mesh's key (mesh-key.ts); absent: every peer that reaches the port can join. */
  readonly key?: string | undefined;
  /** Where it is, for one that replaces it. */
  readonly keyFile?: string | undefined;
  /** Folder with the agent's identity; absent: a new one each time. */
  readonly identity?: string | undefined;
}

export interface MeshSecurity {
  readonly admission: Admission;
  readonly meshKey?: string;
  readonly privateKey?: Identity;
}

/** From the command line of an agent. */
export interface LocalSecurity {
  /** The source of the settings, a URL or `unix:PATH`. */
  readonly controller: string;
  /** File with the mesh's key. */
  readonly meshKey?: string;
  /** Folder of the identity. */
  readonly identity?: string;
  /** File with the allow-list. */
  readonly allow?: string;
  /** File with users' keys that may give commands, instead of those that are sent. */
  readonly commanders?: string;
}

/**
 * Settings, with this machine's files instead of their values. Throws `MeshError`: for a wrong file, and
 * `MESH_KEY_IN_CLEAR` for a key that crossed a network unprotected.
 */
export function withLocalSecurity<Settings extends SecuritySettings>(
  settings: Settings,
  { controller, meshKey, identity, allow, commanders }: LocalSecurity,
): Settings {
  if (settings.key !== undefined && !controller.startsWith('unix:')) {
    throw new MeshError('MESH_KEY_IN_CLEAR', `${controller} has sent the mesh's key for everybody to read`, {
      remedy:
        'make a new one (`netfold mesh key FILE`), copy it over SSH, and start agents with --mesh-key FILE',
      blame: 'input',
    });
  }
  return {
    ...settings,
    ...(meshKey !== undefined && { key: readMeshKey(meshKey), keyFile: resolve(meshKey) }),
    ...(identity !== undefined && { identity }),
    ...(allow !== undefined && { allow: readAllowList(allow) }),
    ...withCommanders(settings.commands, commanders),
  };
}

/** The rules with the users' keys of a file of this machine. Throws `MeshError`. */
export function withCommanders(
  commands: CommandRules | undefined,
  file: string | undefined,
): Pick<SecuritySettings, 'commands'> {
  if (!commands) return {};
  return { commands: file === undefined ? commands : { ...commands, commanders: readCommanders(file) } };
}

/** `endpointNames`: `Graph.endpoints`. Throws `MeshError`: wrong key, identity or list; an agent that others would refuse. */
export async function openSecurity(
  { key, identity, allow, assignment, addresses }: SecuritySettings,
  host: string,
  endpointNames: readonly string[],
): Promise<MeshSecurity> {
  const admission = new Admission({ allow, assignment, addresses }, endpointNames);
  const meshKey = key === undefined ? undefined : parseMeshKey(key, 'the bootstrap');
  const privateKey = identity === undefined ? undefined : await openIdentity(identity);
  if (allow) requireListed(admission, host, privateKey);
  return { admission, ...(meshKey && { meshKey }), ...(privateKey && { privateKey }) };
}

function requireListed(admission: Admission, host: string, privateKey: Identity | undefined): void {
  const peer = privateKey && peerIdOf(privateKey);
  const refused =
    peer === undefined
      ? { reason: 'this agent has no lasting identity, so no allow-list can name it' }
      : (admission.refusePeer(peer) ?? admission.refuseHost(peer, host));
  if (!refused) return;
  throw new MeshError('MESH_NOT_ALLOWED', `the others would refuse ${host}: ${refused.reason}`, {
    remedy: 'put its peer id (`netfold mesh identity FOLDER`) on the allow-list of every agent',
    blame: 'input',
  });
}
