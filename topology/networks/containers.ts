/** What files of containers say about a container that a service of netfold has, too; the rest is told. */
import { quote } from '../model/diagnostics.ts';
import { splitWords } from '../model/shell-words.ts';
import type { Notes, Place } from './notes.ts';

/** A mapping of a YAML file. */
export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where something stands that is told. */
export interface Told {
  readonly place: Place;
  readonly field: string;
  readonly notes: Notes;
}

/** A value of YAML as the text that programs get; `undefined`: it is none, or a list or a mapping. */
export function textOfScalar(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

export function leaveOut(what: string, message: string, { place, field, notes }: Told): void {
  notes.tell({ code: 'VALUE_INVALID', what }, place, field, `${message}: it is left out`, '');
}

const VARIABLE = /^(?!NETFOLD_)[A-Za-z_][A-Za-z0-9_]{0,999}$/;
/** As topology/formats/native/service-settings.ts has it, of characters. */
const MAX_ENV_LENGTH = 30_000;

/** A mapping, or a list of `NAME=value`. */
export function environment(value: unknown, told: Told): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  const entries = entriesOf(value);
  if (!entries) {
    leaveOut('environments that are none', 'the environment is neither a mapping nor a list', told);
    return undefined;
  }
  const kept = new Map<string, string>();
  let length = 0;
  for (const [name, one] of entries) {
    const text = textOfScalar(one);
    length += name.length + (text?.length ?? 0);
    if (text === undefined)
      leaveOut('variables without a value', `the variable ${quote(name)} has no value`, told);
    else if (!VARIABLE.test(name) || text.includes('\0'))
      leaveOut('variables that are none', `${quote(name)} is no variable that an application can have`, told);
    else if (length > MAX_ENV_LENGTH)
      leaveOut('variables that are too many', `${quote(name)} is more than an environment holds`, told);
    else kept.set(name, text);
  }
  return kept.size === 0 ? undefined : Object.fromEntries(kept);
}

function entriesOf(value: unknown): (readonly [string, unknown])[] | undefined {
  if (isMapping(value)) return Object.entries(value);
  if (!Array.isArray(value)) return undefined;
  return value.map((one: unknown): [string, unknown] => {
    const text = textOfScalar(one) ?? '';
    const equals = text.indexOf('=');
    return equals === -1 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
  });
}

/** A list of words, or a text that is divided as a shell does it, without expanding anything. */
export function commandWords(value: unknown, told: Told): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const words: (string | undefined)[] | undefined = Array.isArray(value)
    ? value.map(textOfScalar)
    : typeof value === 'string'
      ? splitWords(value)
      : undefined;
  if (words?.every((word): word is string => word !== undefined && !word.includes('\0'))) return words;
  leaveOut(
    'commands that are none',
    'the command is neither a list of texts nor a text with closed quotes',
    told,
  );
  return undefined;
}

/** An image's name has no blank and is short: anything else is a slip. */
export function imageName(value: unknown, told: Told): string | undefined {
  const text = textOfScalar(value);
  if (text !== undefined && /^\S{1,500}$/.test(text)) return text;
  if (value !== undefined && value !== null) leaveOut('images that are none', 'the image is no name', told);
  return undefined;
}
