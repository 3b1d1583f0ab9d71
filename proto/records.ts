/**
 * Functions on records whose fields stand in a table. Their code is generated when the table is known, so that they take the
 * time of code that names each field: reading `record[field]` in a loop over the fields takes four times that. Names
 * of fields are identifiers of this program, never a user's.
 */

export interface Field {
  readonly name: string;
  readonly default: unknown;
  /** Whether it is left out if it has its default. */
  readonly isOptional: boolean;
}

/** Makes records; `reads` give the value of each field from the same two arguments, `undefined` for its default. */
export function recordMaker<A, B, R>(
  fields: readonly Field[],
  reads: readonly ((a: A, b: B) => unknown)[],
): (a: A, b: B) => R {
  const values = fields.map((_, at) => `const value${at} = read${at}(a, b) ?? default${at};`);
  const always = fields.map(({ name, isOptional }, at) => (isOptional ? '' : `${name}: value${at},`));
  const rest = fields.map(({ name, isOptional }, at) => {
    return isOptional ? `if (value${at} !== default${at}) made.${name} = value${at};` : '';
  });
  const code = `return (a, b) => { ${values.join('')} const made = {${always.join('')}}; ${rest.join('')} return made; };`;
  const parameters = fields.flatMap((_, at) => [`read${at}`, `default${at}`]);
  return new Function(...parameters, code)(...fields.flatMap((field, at) => [reads[at], field.default]));
}

/** Whether two records have the same fields; absent ones are the same only as each other. */
export function recordEquality<R>(fields: readonly Field[]): (a: R | undefined, b: R | undefined) => boolean {
  const same = fields.map(({ name }) => `a.${name} === b.${name}`).join(' && ');
  const code = `return (a, b) => a === b || (a !== undefined && b !== undefined && ${same});`;
  return new Function(code)();
}
