/** `new`: objects of all classes that mean something here, and of the others. */
import { wrongArgs } from '../../tcl/errors.ts';
import type { Call } from '../../tcl/interpreter.ts';
import { makeProgram } from './programs.ts';
import { makeGroup, makeSequence } from './sequences.ts';
import { simulatorMethods } from './simulator.ts';
import { makeOther } from './traffic.ts';
import { callMethod, type World } from './world.ts';

/** `new CLASS …`. */
export function makeNew(world: World, args: readonly string[], call: Call): string {
  const [className] = args;
  if (className === undefined) throw wrongArgs('new class ?arg ...?');
  switch (className) {
    case 'Simulator':
      return world.add(
        (handle) => ({ kind: 'simulator' as const, handle, place: call.place }),
        (simulator, words, at) => callMethod(world, simulatorMethods(world), simulator, words, at),
      );
    case 'Program':
      return makeProgram(world, undefined, [], call);
    case 'EventGroup':
      return makeGroup(world, [], call);
    case 'EventSequence':
    case 'EventTimeline':
      return makeSequence(world, className === 'EventSequence' ? 'sequence' : 'timeline', [], call);
    default:
      return makeOther(world, className, call);
  }
}
