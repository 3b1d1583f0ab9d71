/** Which agents understand each other: names of protocols, and what each tells of itself (identify of libp2p). */
import { netfoldVersion } from '../../files/version.ts';
import { MeshError } from '../errors.ts';

/** Of gossip, questions and invitations. Agents of another one do not talk: whoever joins is told so. */
export const MESH_PROTOCOL = 1;

export const protocolName = (kind: string, version = MESH_PROTOCOL): string => `/netfold/${kind}/${version}`;

/** `netfold/0.1.0 mesh/1`. */
export const selfDescription = (protocol = MESH_PROTOCOL): string =>
  `netfold/${netfoldVersion()} mesh/${protocol}`;

const DESCRIPTION = /^netfold\/([\w.+-]{1,40}) mesh\/(\d{1,6})$/;

/** The agent at `where` does not know a protocol of this version. `description`: what it tells of itself; absent: nothing. */
export function otherVersion(where: string, name: string, description?: string, cause?: unknown): MeshError {
  const [, version, protocol] = DESCRIPTION.exec(description ?? '') ?? [];
  const isOther = protocol !== undefined && Number(protocol) !== MESH_PROTOCOL;
  const message = isOther
    ? `the agent at ${where} is of netfold ${version}, with version ${protocol} of the mesh's protocol; this is netfold ${netfoldVersion()}, with version ${MESH_PROTOCOL}`
    : `the agent at ${where} is of another version: it does not know ${name}`;
  return new MeshError('MESH_VERSION', message, {
    remedy: 'install the same version of netfold on all hosts (`netfold --version`)',
    blame: 'input',
    ...(cause !== undefined && { cause }),
  });
}
