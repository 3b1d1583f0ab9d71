import { NetfoldError } from '../../proto/errors.ts';

export type MeshErrorCode =
  | 'MESH_ADDRESS'
  | 'MESH_LISTEN'
  | 'MESH_UNREACHABLE'
  | 'MESH_NOT_UNDERSTOOD'
  | 'MESH_VERSION'
  | 'MESH_NOT_STARTED'
  | 'MESH_HOST_NAME'
  | 'MESH_NO_ANSWER'
  | 'MESH_ENDPOINT'
  | 'MESH_COMMAND'
  | 'MESH_COMMANDS_FULL'
  | 'MESH_COMMAND_REFUSED'
  | 'MESH_KEY_FORMAT'
  | 'MESH_KEY_IN_CLEAR'
  | 'MESH_FILE_EXISTS'
  | 'MESH_IDENTITY_DAMAGED'
  | 'MESH_ALLOW_LIST'
  | 'MESH_USER_KEY'
  | 'MESH_COMMANDERS'
  | 'MESH_NOT_ALLOWED';

/**
 * Errors of this agent's own part of the mesh. Errors of other agents are `Rejection`s
 * (agent/mesh/wire/rejections.ts), and counted.
 */
export class MeshError extends NetfoldError {
  declare readonly code: MeshErrorCode;
  constructor(
    code: MeshErrorCode,
    message: string,
    more: { remedy?: string; cause?: unknown; blame?: 'input' | 'machine' | 'internal' } = {},
  ) {
    super({ code, message, blame: more.blame ?? 'machine', ...more });
  }
}
