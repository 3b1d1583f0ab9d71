/** The attributes of an element of the Kollaps dialect, with its units: ms, fractions, seconds, `100Mbps`. */

import { type Impairment, impairment } from '../../../proto/impairment.ts';
import {
  type Bps,
  fromMillis,
  fromSeconds,
  MAX_LATENCY,
  MAX_QUANTITY_LENGTH,
  type Micros,
  micros,
  parseBandwidth,
  type Ratio,
  ratio,
  toMillis,
  toSeconds,
} from '../../../proto/units.ts';
import { MAX_TIME } from '../../events/grammar.ts';
import { type DiagnosticCode, type Findings, quote } from '../../model/diagnostics.ts';
import type { Suggestions } from '../../model/names.ts';
import type { Element } from '../../syntax/xml.ts';

const NUMBER = /^\s*[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\s*$/;
/** A hundred days; later is a typing mistake. */
/** 0.3 × 1000 is 299.99999999999994: only a difference of a larger part is rounding. */
const NOISE = 1e-6;
const MAX_SECONDS = toSeconds(MAX_TIME);

/** What is told so often per file only. */
export interface ToldOfFile {
  /** That values which are finer than a microsecond are rounded: once. */
  rounding: boolean;
  readonly suggestions: Suggestions;
}

export class Attributes {
  readonly element: Element;
  readonly #findings: Findings;
  readonly #told: ToldOfFile;

  constructor(element: Element, findings: Findings, told: ToldOfFile) {
    this.element = element;
    this.#findings = findings;
    this.#told = told;
  }

  /** `<link origin="a" dest="b"> latency`. */
  field(attribute?: string): string {
    const naming = ['name', 'origin', 'dest'].filter((key) => this.element.attributes.has(key));
    const shown = naming.map((key) => ` ${key}=${quote(this.element.attributes.get(key))}`).join('');
    return `<${this.element.name}${shown}>${attribute === undefined ? '' : ` ${attribute}`}`;
  }

  error(code: DiagnosticCode, attribute: string | undefined, message: string, remedy: string): void {
    this.#findings.error(code, this.element, this.field(attribute), message, remedy);
  }

  warning(code: DiagnosticCode, attribute: string | undefined, message: string, remedy: string): void {
    this.#findings.warning(code, this.element, this.field(attribute), message, remedy);
  }

  has(attribute: string): boolean {
    return this.element.attributes.has(attribute);
  }

  text(attribute: string): string | undefined {
    return this.element.attributes.get(attribute);
  }

  /** A text that must be there and not be empty. */
  required(attribute: string): string | undefined {
    const value = this.text(attribute);
    if (value !== undefined && value !== '') return value;
    this.error('KEY_MISSING', attribute, `the attribute ${attribute} is missing`, `add ${attribute}="…"`);
    return undefined;
  }

  /** As in Kollaps, "true" is true and anything else is false. */
  flag(attribute: string, otherwise: boolean): boolean {
    const value = this.text(attribute);
    if (value === undefined) return otherwise;
    if (value !== 'true' && value !== 'false') {
      this.warning(
        'VALUE_INVALID',
        attribute,
        `${quote(value)} counts as false, as it does in Kollaps`,
        'write true or false',
      );
    }
    return value === 'true';
  }

  count(attribute: string, most: number): number | undefined {
    const value = this.text(attribute);
    if (value === undefined) return undefined;
    const number = /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : Number.NaN;
    if (number >= 1 && number <= most) return number;
    this.error(
      'VALUE_INVALID',
      attribute,
      `${quote(value)} is not a whole number from 1 to ${most}`,
      `write e.g. ${attribute}="3"`,
    );
    return undefined;
  }

  /** Milliseconds, as `latency` and `jitter` are. */
  milliseconds(attribute: string): Micros | undefined {
    const value = this.#number(attribute, 'a number of milliseconds', `${attribute}="10"`);
    if (value === undefined) return undefined;
    const result = this.#whole(fromMillis(value), attribute);
    if (result >= 0 && result <= MAX_LATENCY) return micros(result);
    const message = `${quote(this.text(attribute))} is outside of 0 to ${toMillis(MAX_LATENCY)} milliseconds`;
    this.error('UNIT', attribute, message, `write milliseconds, e.g. ${attribute}="10"`);
    return undefined;
  }

  /** Seconds since the start of the experiment. */
  seconds(attribute: string): Micros | undefined {
    const value = this.#number(attribute, 'a number of seconds', `${attribute}="30.0"`);
    if (value === undefined) return undefined;
    if (value >= 0 && value <= MAX_SECONDS) return micros(this.#whole(fromSeconds(value), attribute));
    const message = `${quote(this.text(attribute))} is outside of 0 to ${MAX_SECONDS} seconds`;
    this.error('UNIT', attribute, message, 'write seconds since the start');
    return undefined;
  }

  fraction(attribute: string): Ratio | undefined {
    const value = this.#number(attribute, 'a fraction', `${attribute}="0.01"`);
    if (value === undefined) return undefined;
    if (value >= 0 && value <= 1) return ratio(value);
    const message = `${quote(this.text(attribute))} is outside of 0 to 1`;
    this.error('UNIT', attribute, message, 'write a fraction: 0.01 is 1 %');
    return undefined;
  }

  bandwidth(attribute: string): Bps | undefined {
    const value = this.text(attribute);
    if (value === undefined) return undefined;
    return this.#findings.unit(this.element, this.field(attribute), () => parseBandwidth(value));
  }

  /** Warns of attributes that this element does not have; Kollaps ignores them, and so does netfold. */
  warnOfUnknown(known: readonly string[]): void {
    for (const attribute of this.element.attributes.keys()) {
      if (known.includes(attribute)) continue;
      const remedy = this.#told.suggestions.of(
        attribute,
        () => known,
        `known attributes: ${known.join(' ')}`,
      );
      this.warning(
        'KEY_UNKNOWN',
        attribute,
        `the attribute ${quote(attribute)} is unknown and ignored`,
        remedy,
      );
    }
  }

  #number(attribute: string, what: string, example: string): number | undefined {
    const value = this.text(attribute);
    if (value === undefined) return undefined;
    if (value.length <= MAX_QUANTITY_LENGTH && NUMBER.test(value)) return Number(value);
    this.error(
      'UNIT',
      attribute,
      `${quote(value)} is not ${what}`,
      `this format writes it without a unit, e.g. ${example}`,
    );
    return undefined;
  }

  #whole(value: number, attribute: string): number {
    const rounded = Math.round(value);
    if (Math.abs(value - rounded) > NOISE * Math.max(1, value) && !this.#told.rounding) {
      this.#told.rounding = true;
      this.warning(
        'UNIT',
        attribute,
        `${quote(this.text(attribute))} is rounded to whole microseconds, as all times of this file are`,
        '',
      );
    }
    return rounded;
  }
}

/** Latency, jitter and loss of a link, with no limit of its bandwidth. */
export function readImpairment(attributes: Attributes): Impairment {
  return impairment({
    latency: attributes.milliseconds('latency'),
    jitter: attributes.milliseconds('jitter'),
    loss: attributes.fraction('drop'),
  });
}
