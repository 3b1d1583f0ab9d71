/** The points of a study: computed one by one from their number, so that a million of them need no memory. Pure. */
import { SeededRandom } from '../../../topology/model/random.ts';
import { amountOf, type Range, type Study } from './definition.ts';
import { StudyError } from './errors.ts';

/** One combination of parameters. */
export interface Point {
  /** From 0. */
  readonly index: number;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Space {
  readonly count: number;
  /** In the order of the file. */
  readonly names: readonly string[];
  /** `index`: 0 to `count` − 1. */
  at(index: number): Point;
}

/** Throws `StudyError` (`STUDY_FILE`) for a zip of lists of different lengths. */
export function spaceOf(study: Study): Space {
  const { list, parameters, combine } = study;
  if (list) {
    const names = Object.keys(list[0]!);
    return { count: list.length, names, at: (index) => ({ index, parameters: list[index]! }) };
  }
  const names = Object.keys(parameters);
  if (combine === 'random') return randomSpace(study, names);
  const values = names.map((name) => valuesOf(parameters[name]!));
  return combine === 'zip' ? zip(names, values) : grid(names, values);
}

/** The last parameter changes fastest. */
function grid(names: readonly string[], values: readonly (readonly string[])[]): Space {
  const count = values.reduce((product, { length }) => product * length, 1);
  const at = (index: number): Point => {
    const chosen: [string, string][] = [];
    let rest = index;
    for (let place = names.length - 1; place >= 0; place--) {
      const { length } = values[place]!;
      chosen.unshift([names[place]!, values[place]![rest % length]!]);
      rest = Math.floor(rest / length);
    }
    return { index, parameters: Object.fromEntries(chosen) };
  };
  return { count, names, at };
}

/** A list of one value holds for all points. */
function zip(names: readonly string[], values: readonly (readonly string[])[]): Space {
  const count = Math.max(...values.map(({ length }) => length));
  const other = names.findIndex((_, place) => values[place]!.length !== count && values[place]!.length !== 1);
  if (other >= 0)
    throw new StudyError(
      'STUDY_FILE',
      `combine: zip: ${names[other]} has ${values[other]!.length} values, and others have ${count}`,
      'give each parameter as many values, or one',
    );
  const at = (index: number): Point => ({
    index,
    parameters: Object.fromEntries(
      names.map((name, place) => [name, values[place]![Math.min(index, values[place]!.length - 1)]!]),
    ),
  });
  return { count, names, at };
}

/** Odd, so that neighbouring points have seeds far apart (the golden ratio's part of 2^32). */
const STRIDE = 0x9e3779b1;

function randomSpace({ parameters, seed, points = 0 }: Study, names: readonly string[]): Space {
  const at = (index: number): Point => {
    const random = new SeededRandom((seed ^ Math.imul(index + 1, STRIDE)) >>> 0);
    const draw = (given: Study['parameters'][string]): string =>
      Array.isArray(given) ? given[random.below(given.length)]! : within(given, random.next());
    return { index, parameters: Object.fromEntries(names.map((name) => [name, draw(parameters[name]!)])) };
  };
  return { count: points, names, at };
}

function valuesOf(given: Study['parameters'][string]): readonly string[] {
  if (Array.isArray(given)) return given;
  const { steps = 2 } = given;
  return Array.from({ length: steps }, (_, step) => within(given, step / (steps - 1)));
}

/** More digits than this are noise of the computation. */
const DIGITS = 6;

/** `part`: 0 is `from`, 1 is `to`. */
function within({ from, to, scale }: Range, part: number): string {
  const [a, b] = [amountOf(from)!, amountOf(to)!];
  const number =
    scale === 'log' ? a.number * (b.number / a.number) ** part : a.number + (b.number - a.number) * part;
  return `${plain(Number(number.toPrecision(DIGITS)))}${a.unit}`;
}

/** Without an exponent, which no quantity of a topology may have. */
const plain = (number: number): string =>
  Math.abs(number) < 1e-6 ? number.toFixed(12).replace(/\.?0+$/, '') : String(number);
