/** Commands of a script besides those of Tcl: `new`, `source`, Emulab's, and files that a simulation would write. */
import type { Place } from '../../networks/notes.ts';
import { TclError } from '../../tcl/errors.ts';
import type { CommandFunction } from '../../tcl/interpreter.ts';
import { makeNew } from './make.ts';
import { testbedCommands } from './testbed.ts';
import type { World } from './world.ts';

const CLASS =
  /^(?:Simulator|Node|Link|Queue|Agent|Application|Trace|Tracefile|Scheduler|RNG|RandomVariable|ErrorModel|Mac|Phy|Antenna|Propagation|LL|Channel|Topography|rtModel|Classifier|Class|SessionSim|CMUTrace)(?:\/|$)/;

export function installScriptCommands(world: World): void {
  for (const [name, run] of Object.entries({ ...testbedCommands(world), ...scriptCommands(world) }))
    world.tcl.commands.set(name, run);
}

function scriptCommands(world: World): Record<string, CommandFunction> {
  const leftOut =
    (name: string, why: string, value = ''): CommandFunction =>
    (_, { place }) => {
      world.leaveOut(name, place, why);
      return value;
    };
  return {
    new: (args, call) => makeNew(world, args, call),
    delete: () => '',
    remove: () => '',
    source: ([file = ''], { place }) => {
      if (/(?:^|\/)(?:ns)?tb_compat\.tcl$/.test(file)) world.isEmulab = true;
      else
        world.leaveOut(
          `source ${file.slice(0, 60)}`,
          place,
          'other files are not read: what this one defines is missing',
          'put its text into this file',
        );
      return '';
    },
    open: ([file = '', access = 'r'], { place }) => {
      if (!/^[wa]/.test(access))
        throw new TclError(
          `the file "${file.slice(0, 60)}" can't be read: no files are read here`,
          'put what it has into the script',
        );
      world.leaveOut('open', place, 'no files are written here: what a simulation would write is left out');
      return 'nowhere';
    },
    close: () => '',
    exec: leftOut('exec', 'nothing is run while the script is read'),
    remote: leftOut('remote', 'it is about machines of a testbed'),
    puts: () => '',
    Class: leftOut('Class', 'classes of OTcl are left out'),
    clock: leftOut('clock', 'there is no clock here: it says 0', '0'),
    'ns-random': () => world.tcl.expressionText('int(rand() * 2147483647)', { line: 1, column: 1 }),
  };
}

/** A command that nothing has defined: told, and left out. */
export function unknownCommand(world: World, words: readonly string[], place: Place): string | undefined {
  const [name, verb, variable, value] = words as [string, string?, string?, string?];
  if (CLASS.test(name) || (name.includes('/') && /^[A-Z]/.test(name))) {
    if (verb === 'set' && variable !== undefined) {
      const key = `${name} ${variable}`;
      if (value !== undefined) world.classValues.set(key.slice(0, 200), value);
      return value ?? world.classValues.get(key) ?? '0';
    }
    world.leaveOut(
      `${name.slice(0, 40)} ${verb?.slice(0, 40) ?? ''}`,
      place,
      'what it changes is in the simulator alone',
    );
    return '';
  }
  world.unknown(name, 'there is no command', () => world.tcl.commands.keys(), place);
  return '';
}
