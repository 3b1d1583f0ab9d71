/** `netfold mesh`: keys and identities for agents that are started by hand, and for users. */

import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { makeMeshKey } from '../../../agent/mesh/trust/mesh-key.ts';
import { makeUserKey, readUserKey } from '../../../agent/mesh/trust/user-key.ts';
import { userName } from '../../user-name.ts';
import { print } from '../terminal/output.ts';

/** The default folder for the identity of an agent on this machine. */
export const IDENTITY_FOLDER = '/var/lib/netfold/identity';

export function addMeshCommand(program: Command): void {
  const mesh = program
    .command('mesh')
    .description("the mesh's key, the identities of agents, and users' keys");
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
  mesh
    .command('user <file>')
    .description("print a user's key as `--commanders` lists have it; makes one where there is none")
    .addOption(
      new Option('--may <rights>', 'what the line says that it may')
        .choices(['network', 'network,run'])
        .default('network,run'),
    )
    .action((file: string, { may }: { may: string }) => {
      const { peer } = existsSync(file) ? readUserKey(file) : makeUserKey(file);
      print(`${peer} ${userName()}@${hostname()} ${may}`);
    });
  for (const command of mesh.commands) command.exitOverride();
}
