import { isHostName, MAX_HOST_NAME_LENGTH } from '../../../proto/command.ts';
import { MeshError } from '../errors.ts';

/** Throws `MeshError` (`MESH_HOST_NAME`). */
export function requireHostName(host: string): void {
  if (isHostName(host)) return;
  throw new MeshError('MESH_HOST_NAME', `${JSON.stringify(host)} can't be the name of a host`, {
    remedy: `use 1 to ${MAX_HOST_NAME_LENGTH} printable ASCII characters without spaces`,
    blame: 'input',
  });
}
