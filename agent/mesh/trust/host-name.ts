import { MeshError } from '../errors.ts';
import { HOST_NAME, MAX_HOST_NAME_LENGTH } from '../wire/limits.ts';

/** Throws `MeshError` (`MESH_HOST_NAME`). */
export function requireHostName(host: string): void {
  if (HOST_NAME.test(host)) return;
  throw new MeshError('MESH_HOST_NAME', `${JSON.stringify(host)} can't be the name of a host`, {
    remedy: `use 1 to ${MAX_HOST_NAME_LENGTH} printable ASCII characters without spaces`,
    blame: 'input',
  });
}
