/** `netfold mesh`: keys and identities for agents that are started by hand, and for users. */

import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { makeMeshKey } from '../../../agent/mesh/trust/mesh-key.ts';
import { makeUserKey, readUserKey } from '../../../agent/mesh/trust/user-key.ts';
import { formatMicros, type Micros, parseDuration } from '../../../proto/units.ts';
import { ControllerError } from '../../errors.ts';
import { userKeyOf } from '../../experiment/control.ts';
import { findExperiment } from '../../experiment/state.ts';
import { userName } from '../../user-name.ts';
import { print, printJson, warn } from '../terminal/output.ts';

/** The default folder for the identity of an agent on this machine. */
export const IDENTITY_FOLDER = '/var/lib/netfold/identity';

/** Shorter, and hosts on a busy machine have not connected again; longer than any host is away by accident. */
const SHORTEST_OVERLAP = parseDuration('10s');
const LONGEST_OVERLAP = parseDuration('720h');

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
  mesh
    .command('rotate [experiment]')
    .description('give a running experiment another mesh key; a copy of the old one opens nothing any more')
    .addOption(
      new Option(
        '--overlap <time>',
        'hosts that are away learn the new key if they come back within this time',
      )
        .default(parseDuration('1h'), '1h')
        .argParser(parseOverlap),
    )
    .option('--without <host...>', 'hosts that are not to get the new key, and are shut out at once')
    .option('--alone', 'also if the agent receives from none of the others')
    .addOption(
      new Option(
        '--key <file>',
        "the user's key that signs it (default: that of who started the experiment here)",
      ).env('NETFOLD_KEY'),
    )
    .option('--json', 'print JSON')
    .action(rotate);
  for (const command of mesh.commands) command.exitOverride();
}

function parseOverlap(text: string): Micros {
  const overlap = parseDuration(text);
  if (overlap >= SHORTEST_OVERLAP && overlap <= LONGEST_OVERLAP) return overlap;
  throw new InvalidArgumentError(
    `write a time from ${formatMicros(SHORTEST_OVERLAP)} to ${formatMicros(LONGEST_OVERLAP)}`,
  );
}

interface RotateOptions {
  readonly overlap: Micros;
  readonly without?: readonly string[];
  readonly alone?: boolean;
  readonly key?: string;
  readonly json?: boolean;
}

async function rotate(name: string | undefined, options: RotateOptions): Promise<void> {
  const experiment = await findExperiment(name);
  const key = userKeyOf(experiment, options.key);
  if (!key)
    throw new ControllerError(
      'KEY_MISSING',
      "only a user's key may replace the mesh's, and this machine has none",
      'give it where the experiment was started, or with --key FILE',
    );
  const { rotateKey } = await import('../../keys/rotate-key.ts');
  const { overlap, without = [], alone = false, json } = options;
  const rotated = await rotateKey({ experiment, key, overlap, without, alone });
  if (json) return printJson({ experiment, ...rotated });
  const { told, away, keyFile, until } = rotated;
  print(
    `${experiment} has another mesh key, on ${told.join(', ')}; from ${formatMicros(until)} on nobody comes in by the old one`,
  );
  if (away.length > 0)
    warn(
      `not there: ${away.join(', ')}; who is back within ${formatMicros(overlap)} learns it, who is not needs a copy, and is named by netfold status`,
    );
  if (keyFile !== undefined) print(`hosts that join from now on need a copy of ${keyFile}`);
}
