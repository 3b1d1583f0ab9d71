/** The errors and warnings of a topology file: each with its position and remedy. */
import { NetfoldError } from '../../proto/errors.ts';
import { UnitError } from '../../proto/units.ts';
import type { Position } from './position.ts';

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: DiagnosticCode;
  readonly file: string;
  /** Line and column count from 1. */
  readonly line: number;
  readonly column: number;
  /** The field: `links[2].latency`, `<link origin="a" dest="b">`; empty: the file as a whole. */
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}

export type DiagnosticCode =
  | 'FILE_EMPTY'
  | 'FILE_TOO_LARGE'
  | 'FILE_NOT_TEXT'
  | 'NOT_A_TOPOLOGY'
  | 'NOT_AN_INVENTORY'
  | 'YAML_SYNTAX'
  | 'YAML_ALIASES'
  | 'XML_SYNTAX'
  | 'XML_ENTITY'
  | 'GML_SYNTAX'
  | 'JSON_SYNTAX'
  | 'TCL_ERROR'
  | 'KEY_UNKNOWN'
  | 'KEY_DUPLICATE'
  | 'KEY_MISSING'
  | 'KEY_IGNORED'
  | 'VALUE_INVALID'
  | 'UNIT'
  | 'NAME_INVALID'
  | 'NAME_CHANGED'
  | 'NAME_DUPLICATE'
  | 'NAME_UNKNOWN'
  | 'LINK_TO_ITSELF'
  | 'LINK_DUPLICATE'
  | 'LINK_ONE_WAY'
  | 'LINK_LEFT_OUT'
  | 'LATENCY_ASSUMED'
  | 'BANDWIDTH_ASSUMED'
  | 'UNIT_ASSUMED'
  | 'ENDS_ASSUMED'
  | 'FORWARD_ASSUMED'
  | 'LIMIT'
  | 'USER_UNKNOWN'
  | 'FOLDER_MISSING'
  | 'COMMAND_ABSENT'
  | 'IMAGE_ABSENT'
  | 'VOLUME_BESIDE'
  | 'LIVES_ELSEWHERE'
  | 'AFTER_CIRCLE'
  | 'NO_SERVICES'
  | 'NO_LINKS'
  | 'SERVICE_ISOLATED'
  | 'BRIDGE_UNLINKED'
  | 'SUPERVISOR_LEFT_OUT'
  | 'EVENT_SYNTAX'
  | 'EXPECT_SYNTAX'
  | 'EXPECT_NODE'
  | 'EXPECT_EVENT'
  | 'EXPECT_TIME'
  | 'EXPECT_CONTRADICTION'
  | 'SEQUENCE'
  | 'EVENT_TARGET'
  | 'EVENT_AMOUNT'
  | 'EVENT_TIME'
  | 'EVENT_CONTRADICTION'
  | 'EVENT_OVERLAP'
  | 'EVENT_ASSUMED'
  | 'VALUE_CLAMPED'
  | 'JITTER_LARGE'
  | 'LINK_UNUSED'
  | 'BUFFERS_SMALL'
  | 'QUEUE_SMALL'
  | 'RATE_UNREACHED'
  | 'VARIABLE_UNKNOWN'
  | 'VARIABLE_UNUSED'
  | 'VARIABLE_CIRCLE'
  | 'PROFILE_UNKNOWN'
  | 'INCLUDE'
  | 'MATRIX'
  | 'ROUTE';

/** `ring.yaml:4:12: error: links[0].latency: "10" has no unit (write the unit, e.g. 10ms)`. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, field, message, remedy } = diagnostic;
  const what = field === '' ? message : `${field}: ${message}`;
  return `${file}:${line}:${column}: ${severity}: ${what}${remedy === '' ? '' : ` (${remedy})`}`;
}

/** A file that is not a valid topology, or inventory. The message lists the first errors, `diagnostics` holds all. */
export class TopologyError extends NetfoldError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const errors = diagnostics.filter((one) => one.severity === 'error');
    const shown = errors.slice(0, MAX_SHOWN).map(formatDiagnostic);
    if (errors.length > MAX_SHOWN) shown.push(`and ${errors.length - MAX_SHOWN} more errors`);
    super({ code: errors[0]?.code ?? 'NOT_A_TOPOLOGY', blame: 'input', message: shown.join('\n') });
    this.diagnostics = diagnostics;
  }
}

const MAX_SHOWN = 20;
/** More than a reader can use; a hostile file must not cause millions. */
const MAX_DIAGNOSTICS = 1000;
/** Values from the file are quoted in messages; a long one is cut. */
const MAX_QUOTED = 60;

/** Collects findings while a file is read, so that the user sees all of them at once. */
export class Findings {
  readonly #file: string;
  readonly #found: Diagnostic[] = [];
  #errors = 0;
  #warnings = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  get count(): number {
    return this.#errors;
  }

  error(code: DiagnosticCode, at: Place, field: string, message: string, remedy: string): void {
    this.#errors++;
    if (this.#errors <= MAX_DIAGNOSTICS) this.#add('error', code, at, field, message, remedy);
  }

  warning(code: DiagnosticCode, at: Place, field: string, message: string, remedy: string): void {
    this.#warnings++;
    if (this.#warnings <= MAX_DIAGNOSTICS) this.#add('warning', code, at, field, message, remedy);
  }

  /** Adds the findings of another file. */
  include(other: Findings): void {
    this.#errors += other.#errors;
    this.#warnings += other.#warnings;
    this.#found.push(...other.#found);
  }

  /** Runs a parser of units; a value that it refuses becomes an error here and gives `undefined`. */
  unit<T>(at: Place, field: string, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      this.error('UNIT', at, field, error.message, error.remedy ?? '');
      return undefined;
    }
  }

  /**
   * Throws the findings if any of them is an error; otherwise returns the warnings in the order of the file. Those of
   * other files come last.
   */
  settle(): readonly Diagnostic[] {
    const rank = ({ file }: Diagnostic): number => (file === this.#file ? 0 : 1);
    const sorted = this.#found.toSorted(
      (a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column,
    );
    if (this.#errors > 0) throw new TopologyError(sorted);
    return sorted;
  }

  #add(
    severity: Diagnostic['severity'],
    code: DiagnosticCode,
    at: Place,
    field: string,
    message: string,
    remedy: string,
  ): void {
    const { line, column, file = this.#file } = at;
    this.#found.push({ severity, code, file, line, column, field, message, remedy });
  }
}

/** Without a file, the one that is being read. */
type Place = Pick<Position, 'line' | 'column'> & Partial<Pick<Position, 'file'>>;

/** A value of the file for a message: quoted, on one line, cut when long. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const cut = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  // Control characters of a hostile file must not reach a terminal.
  return `"${cut.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')}"`;
}
