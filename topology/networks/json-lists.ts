/** Lists and members of JSON files of other programs. */
import type { Findings } from '../model/diagnostics.ts';
import type { Place } from './notes.ts';

/** As topology/syntax/json.ts gives it. */
export type JsonValue = Place &
  (
    | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonValue> }
    | { readonly kind: 'array'; readonly items: readonly JsonValue[] }
    | { readonly kind: 'text' | 'number' | 'word'; readonly text: string }
  );

export function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value?.kind === 'object' ? value.members.get(key) : undefined;
}

export function itemsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value?.kind === 'array' ? value.items : [];
}

/** Of a text or a number; `undefined` for all others. */
export function scalarOf(value: JsonValue | undefined): string | undefined {
  return value?.kind === 'text' || value?.kind === 'number' ? value.text : undefined;
}

/** A member that has to be there; its absence is in the findings. */
export function required(
  value: JsonValue,
  key: string,
  field: string,
  findings: Findings,
): string | undefined {
  const text = scalarOf(memberOf(value, key));
  if (text === undefined)
    findings.error(
      'KEY_MISSING',
      value,
      field,
      `"${key}" is missing`,
      `add "${key}": … with a text or a number`,
    );
  return text;
}

export function placeOf({ line, column }: JsonValue): Place {
  return { line, column };
}
