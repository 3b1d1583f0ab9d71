/** `template.yaml`: which files of a folder are the template, and its parameters with their types. */
import { z } from 'zod';
import {
  parseBandwidth,
  parseBytes,
  parseDuration,
  parsePercentage,
  UnitError,
} from '../../../proto/units.ts';
import { YamlDocument } from '../../../topology/formats/native/yaml/document.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import { isName, NAME_REMEDY } from '../../../topology/model/names.ts';
import { TemplateError } from './errors.ts';

export const DEFINITION = 'template.yaml';

/** What the value of a parameter is, and how a text is read as a number that can be compared. */
const UNITS: Readonly<Record<string, (text: string) => number>> = {
  time: parseDuration,
  bandwidth: parseBandwidth,
  percentage: parsePercentage,
  bytes: parseBytes,
  count: (text) => numberOf(text, /^\d{1,15}$/, 'a whole number such as 3'),
  number: (text) => numberOf(text, /^[+-]?(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})$/, 'a number such as 0.5'),
};
const UNIT_NAMES = [...Object.keys(UNITS), 'text'] as const;

function numberOf(text: string, pattern: RegExp, example: string): number {
  if (pattern.test(text)) return Number(text);
  throw new UnitError('UNIT_SYNTAX', `"${text.slice(0, 40)}" is no such value`, `write ${example}`);
}

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const parameterSchema = z.strictObject({
  default: value,
  unit: z.enum(UNIT_NAMES).default('text'),
  from: value.optional(),
  to: value.optional(),
  choices: z.array(value).optional(),
  description: z.string().max(1000).default(''),
});
export type Parameter = z.infer<typeof parameterSchema>;

const definitionSchema = z.strictObject({
  template: z.string(),
  topology: z.string(),
  files: z.array(z.string()).default(['.']),
  parameters: z.record(z.string().regex(/^[A-Za-z_]\w{0,60}$/), parameterSchema).default({}),
});
export type Definition = z.infer<typeof definitionSchema>;

/** Throws `TemplateError`, and `TopologyError` for what is no YAML. */
export function readDefinition(text: string, file: string): Definition {
  const findings = new Findings(file);
  const document = YamlDocument.parse(text, findings);
  findings.settle();
  const parsed = definitionSchema.safeParse(document?.value ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue!.path.length === 0 ? '' : `${issue!.path.join('.')}: `;
    throw new TemplateError(
      'TEMPLATE_USAGE',
      `${file}: ${where}${issue!.message}`,
      'write template: NAME, topology: FILE, and perhaps files and parameters; see docs/templates.md',
    );
  }
  const definition = parsed.data;
  if (!isName(definition.template))
    throw new TemplateError(
      'TEMPLATE_USAGE',
      `${file}: "${definition.template.slice(0, 60)}" is no name of a template`,
      NAME_REMEDY,
    );
  for (const [name, parameter] of Object.entries(definition.parameters)) {
    for (const bound of ['from', 'to'] as const)
      if (parameter[bound] !== undefined) numeric(parameter, parameter[bound], `${name}.${bound}`);
    checkValue(name, parameter, parameter.default);
  }
  return definition;
}

/** Throws `TemplateError` for a value that the parameter can't have. */
export function checkValue(name: string, parameter: Parameter, text: string): void {
  const { unit, from, to, choices } = parameter;
  if (choices && !choices.includes(text))
    throw wrong(name, text, `is none of ${choices.join(', ')}`, `write one of ${choices.join(', ')}`);
  if (unit === 'text' && from === undefined && to === undefined) return;
  const number = numeric(parameter, text, name);
  const least = from === undefined ? Number.NEGATIVE_INFINITY : numeric(parameter, from, name);
  const most = to === undefined ? Number.POSITIVE_INFINITY : numeric(parameter, to, name);
  if (number < least || number > most)
    throw wrong(
      name,
      text,
      `is outside of ${from ?? '…'} to ${to ?? '…'}`,
      `write a ${unit} from ${from ?? '…'} to ${to ?? '…'}`,
    );
}

function numeric({ unit }: Parameter, text: string, name: string): number {
  const parse = UNITS[unit];
  if (!parse)
    throw new TemplateError(
      'TEMPLATE_PARAMETER',
      `the parameter ${name} is a text and has no range`,
      `give it a unit: ${Object.keys(UNITS).join(', ')}`,
    );
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw wrong(name, text, `is no ${unit}: ${error.message}`, error.remedy ?? '', error);
  }
}

function wrong(name: string, text: string, what: string, remedy: string, cause?: unknown): TemplateError {
  return new TemplateError(
    'TEMPLATE_PARAMETER',
    `the parameter ${name}: "${text.slice(0, 60)}" ${what}`,
    remedy,
    cause,
  );
}

/** Each parameter's value: what is given, or its default. Throws `TemplateError`. */
export function parameterValues(
  parameters: Definition['parameters'],
  given: ReadonlyMap<string, string>,
): Map<string, string> {
  for (const [name, text] of given) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name]! : undefined;
    if (!parameter)
      throw new TemplateError(
        'TEMPLATE_PARAMETER',
        `the template has no parameter "${name.slice(0, 60)}"`,
        `it has: ${Object.keys(parameters).join(', ') || 'none'}`,
      );
    checkValue(name, parameter, text);
  }
  return new Map(
    Object.entries(parameters).map(([name, parameter]) => [name, given.get(name) ?? parameter.default]),
  );
}
