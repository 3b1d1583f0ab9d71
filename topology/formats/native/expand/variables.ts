/** `vars` and what `--set` changes of them; `${name}` in texts. */
import { type Findings, quote } from '../../../model/diagnostics.ts';
import { Suggestions } from '../../../model/names.ts';
import { CalculationError, calculate, namesIn, type Scalar, scalarText } from './calculate.ts';
import {
  asMapping,
  below,
  fieldOf,
  isContainer,
  keyPlaceOf,
  type Origin,
  placeOf,
  type Source,
} from './origins.ts';

/** More than any file needs; each may refer to others. */
const MAX_VARIABLES = 1000;
/** Each is resolved within the one that refers to it. */
const MAX_NESTED = 50;
/** Variables of variables could multiply a text without end. */
const MAX_TEXT = 10_000;
const NAME = /^[A-Za-z_]\w*$/;
const PART = /(\$?)\$\{([^{}\n]*)\}/g;

/** Keys whose values are numbers, true or false: a text that a variable made is read again. */
const TYPED = new Set([
  'replicas',
  'forward',
  'share',
  'oneway',
  'processes',
  'descriptors',
  'mtu',
  'port',
  'weight',
]);

/** In commands, what is not declared is the shell's. */
export type Strictness = 'strict' | 'lenient';

interface Declared {
  readonly value: Scalar;
  readonly origin: Origin;
  /** Whether the file that was named has it: only there an unused one is told. */
  readonly isOwn: boolean;
}

export class Variables {
  readonly #declared = new Map<string, Declared>();
  readonly #known = new Map<string, Scalar>();
  readonly #used = new Set<string>();
  readonly #resolving: string[] = [];
  readonly #findings: Findings;
  readonly #suggestions = new Suggestions();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Those of one file; of a name that another has, too, the later one counts. */
  declare(source: Source, isOwn: boolean): void {
    const written = asMapping(source.value)?.vars;
    if (written === undefined || written === null) return;
    const mapping = asMapping(written);
    const at: Origin = { source, path: ['vars'] };
    if (!mapping) {
      this.#complain(at, 'VALUE_INVALID', 'the variables are no mapping', 'write e.g. vars: { delay: 20ms }');
      return;
    }
    for (const [name, value] of Object.entries(mapping)) {
      const origin: Origin = { source, path: ['vars', name] };
      if (!NAME.test(name))
        this.#findings.error(
          'NAME_INVALID',
          keyPlaceOf(origin),
          fieldOf(origin),
          `${quote(name)} is no name of a variable`,
          'use letters, digits and _, no digit first',
        );
      else if (value === null || isContainer(value))
        this.#complain(
          origin,
          'VALUE_INVALID',
          `${name} has no value of its own`,
          'write a text or a number, e.g. 20ms',
        );
      else this.#declared.set(name, { value: value as Scalar, origin, isOwn });
    }
    if (this.#declared.size > MAX_VARIABLES)
      this.#complain(at, 'LIMIT', `there are more than ${MAX_VARIABLES} variables`, 'use fewer');
  }

  /** `--set`. What the file does not declare is refused: it would change nothing. */
  override(set: ReadonlyMap<string, string>): void {
    for (const [name, text] of set) {
      const declared = this.#declared.get(name);
      if (declared) this.#known.set(name, text);
      else {
        const names = [...this.#declared.keys()];
        const otherwise =
          names.length > 0
            ? `variables: ${names.slice(0, 10).join(', ')}`
            : `declare it: vars: { ${name}: … }`;
        const remedy = this.#suggestions.of(name, () => names, otherwise);
        const message = `--set ${quote(name)}: the file declares no such variable`;
        this.#findings.error('VARIABLE_UNKNOWN', { line: 1, column: 1 }, 'vars', message, remedy);
      }
    }
  }

  has(name: string): boolean {
    return this.#declared.has(name);
  }

  value(name: string): Scalar | undefined {
    this.#used.add(name);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const declared = this.#declared.get(name);
    if (!declared) return undefined;
    const value = typeof declared.value === 'string' ? this.#resolve(name, declared) : declared.value;
    this.#known.set(name, value);
    return value;
  }

  /** Tells those that nothing refers to. */
  tellUnused(): void {
    for (const [name, { origin, isOwn }] of this.#declared) {
      if (!isOwn || this.#used.has(name)) continue;
      const message = `nothing uses the variable ${name}`;
      this.#findings.warning(
        'VARIABLE_UNUSED',
        keyPlaceOf(origin),
        fieldOf(origin),
        message,
        `write \${${name}}, or remove it`,
      );
    }
  }

  #resolve(name: string, { value, origin }: Declared): Scalar {
    const text = value as string;
    if (this.#resolving.includes(name)) {
      const circle = [...this.#resolving.slice(this.#resolving.indexOf(name)), name].join(' → ');
      this.#complain(origin, 'VARIABLE_CIRCLE', `a circle: ${circle}`, 'give one of them a value');
      return '';
    }
    if (this.#resolving.length === MAX_NESTED) {
      const message = `${name} is a variable of a variable of a variable, ${MAX_NESTED} times`;
      this.#complain(origin, 'LIMIT', message, 'refer to fewer');
      return '';
    }
    this.#resolving.push(name);
    const result = new Scope(this, new Map(), this.#findings).text(text, origin, 'strict');
    this.#resolving.pop();
    return result;
  }

  complain(error: CalculationError, origin: Origin, others: readonly string[]): void {
    const { unknown } = error;
    const names = [...this.#declared.keys(), ...others];
    const remedy =
      unknown === undefined ? error.remedy : this.#suggestions.of(unknown, () => names, error.remedy);
    this.#complain(
      origin,
      unknown === undefined ? 'VALUE_INVALID' : 'VARIABLE_UNKNOWN',
      error.message,
      remedy,
    );
  }

  #complain(
    origin: Origin,
    code: 'VALUE_INVALID' | 'LIMIT' | 'VARIABLE_CIRCLE' | 'VARIABLE_UNKNOWN',
    message: string,
    remedy: string,
  ): void {
    this.#findings.error(code, placeOf(origin), fieldOf(origin), message, remedy);
  }
}

/** Variables, and the numbers of the ranges around a place. */
export class Scope {
  readonly #variables: Variables;
  readonly #indices: ReadonlyMap<string, string>;
  readonly #findings: Findings;
  readonly #ambiguous: ReadonlySet<string>;

  /** `indices`: name of a range → its present number as it is written. */
  constructor(
    variables: Variables,
    indices: ReadonlyMap<string, string>,
    findings: Findings,
    ambiguous: ReadonlySet<string> = new Set(),
  ) {
    this.#ambiguous = ambiguous;
    this.#variables = variables;
    this.#indices = indices;
    this.#findings = findings;
  }

  /** `ambiguous`: names of several ranges. */
  within(indices: ReadonlyMap<string, string>, ambiguous: readonly string[]): Scope {
    if (indices.size === 0 && ambiguous.length === 0) return this;
    return new Scope(
      this.#variables,
      new Map([...this.#indices, ...indices]),
      this.#findings,
      new Set(ambiguous),
    );
  }

  has(name: string): boolean {
    return this.#indices.has(name) || this.#variables.has(name);
  }

  /** With its variables; as a scalar of their type if the text is nothing but one of them. */
  text(text: string, origin: Origin, strictness: Strictness): string {
    if (!text.includes('${')) return text;
    const result = text.replace(PART, (whole, escaped: string, inner: string) => {
      const isOurs = strictness === 'strict' || (namesIn(inner)?.every((name) => this.has(name)) ?? false);
      if (!isOurs) return whole;
      return escaped === '' ? this.#value(inner, origin) : whole.slice(1);
    });
    if (result.length <= MAX_TEXT || result.length <= text.length) return result;
    const message = `the text is longer than ${MAX_TEXT} characters with its variables`;
    this.#findings.error('LIMIT', placeOf(origin), fieldOf(origin), message, 'use shorter values');
    return '';
  }

  #lookup(name: string): Scalar | undefined {
    if (this.#ambiguous.has(name))
      throw new CalculationError(
        `${name} could be the number of several ranges`,
        'name the ranges: leaf[i=1..4], spine[j=1..2]',
      );
    return this.#indices.get(name) ?? this.#variables.value(name);
  }

  #value(inner: string, origin: Origin): string {
    try {
      return scalarText(calculate(inner, (name) => this.#lookup(name)));
    } catch (error) {
      if (!(error instanceof CalculationError)) throw error;
      this.#variables.complain(error, origin, [...this.#indices.keys()]);
      return '0';
    }
  }

  /** The value of a key of a service or of a link. */
  field(key: string, value: unknown, origin: Origin): unknown {
    return this.value(value, origin, strictnessOf(key, 'strict'), key);
  }

  /** A value with everything in it. Parts without variables stay the same objects. */
  value(value: unknown, origin: Origin, strictness: Strictness, key: string | number = ''): unknown {
    if (typeof value === 'string') {
      const text = this.text(value, origin, strictness);
      return text !== value && TYPED.has(String(key)) ? typed(text) : text;
    }
    if (!isContainer(value)) return value;
    if (Array.isArray(value)) {
      const items = value.map((item, index) => this.value(item, below(origin, index), strictness, key));
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    let isSame = true;
    const entries = Object.entries(value).map(([name, one]): [string, unknown] => {
      const inner = this.value(one, below(origin, name), strictnessOf(name, strictness), name);
      isSame &&= inner === one;
      return [name, inner];
    });
    return isSame ? value : Object.fromEntries(entries);
  }
}

/** What shells and programs read. */
const COMMANDS = new Set([
  ...['run', 'command', 'env', 'ready', 'image', 'cwd'],
  ...['entrypoint', 'args', 'environment', 'healthcheck', 'working_dir'],
]);

function strictnessOf(key: string, otherwise: Strictness): Strictness {
  return COMMANDS.has(key) ? 'lenient' : otherwise;
}

function typed(text: string): Scalar {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
