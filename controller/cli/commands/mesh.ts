/** `netfold mesh`: keys and identities for agents that are started by hand. */
import type { Command } from 'commander';
import { makeMeshKey } from '../../../agent/mesh/trust/mesh-key.ts';
import { print } from '../terminal/output.ts';

/** The default folder for the identity of an agent on this machine. */
export const IDENTITY_FOLDER = '/var/lib/netfold/identity';

export function addMeshCommand(program: Command): void {
  const mesh = program.command('mesh').description("the mesh's key, and the identities of agents");
  mesh
    .command('key <file>')
    .description('make a key: only agents that have it can talk to each other')
    .action((file: string) => {
      makeMeshKey(file);
      print(`${file} holds a new mesh key; copy it to every agent's machine, readable by root alone`);
    });
  mesh
    .command('identity [folder]')
    .description("print this machine's peer id, as allow-lists name it; makes one where there is none")
    .action(async (folder: string = IDENTITY_FOLDER) => {
      const { openIdentity, peerIdOf } = await import('../../../agent/mesh/trust/identity.ts');
      print(peerIdOf(await openIdentity(folder)));
    });
  for (const command of mesh.commands) command.exitOverride();
}
