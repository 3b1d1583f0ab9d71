/** Where an identity is kept, without libp2p, which takes longer to load than most commands take to run. */
import { join } from 'node:path';
import { ensurePrivateFolder, readPrivate, writeNewPrivate } from '../../files/private-files.ts';

/** In the folder of an identity. */
export const IDENTITY_FILE = 'agent.key';

/** For who is to speak for the agent when `from` is gone. Throws what `openIdentity` throws. */
export function copyIdentity(from: string, to: string): void {
  ensurePrivateFolder(to, 'the identity');
  writeNewPrivate(join(to, IDENTITY_FILE), readPrivate(join(from, IDENTITY_FILE), { what: 'the identity' }));
}
