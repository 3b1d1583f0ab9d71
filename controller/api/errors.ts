/** Refusals of the API itself, and the HTTP status of every refusal. */
import { z } from 'zod';
import { type Blame, type ErrorFacts, NetfoldError } from '../../proto/errors.ts';
import { answerTo, toRefusal } from '../../proto/http-json.ts';

export type ApiErrorCode =
  | 'TOKEN_MISSING'
  | 'TOKEN_WRONG'
  | 'SESSION_EXPIRED'
  | 'LINK_USED'
  | 'HOST_FOREIGN'
  | 'ORIGIN_FOREIGN'
  | 'TOO_MANY_REQUESTS'
  | 'TOO_MUCH_AT_ONCE'
  | 'METHOD_UNKNOWN'
  | 'REQUEST_MALFORMED'
  | 'COMMAND_UNKNOWN'
  | 'PATHS_TOO_MANY'
  | 'TERMINAL_FAILED'
  | 'TOKEN_UNPROTECTED'
  | 'PORT_TAKEN';

const BLAME: Readonly<Partial<Record<ApiErrorCode, Blame>>> = {
  TOO_MANY_REQUESTS: 'usage',
  TOO_MUCH_AT_ONCE: 'machine',
  TERMINAL_FAILED: 'machine',
  TOKEN_UNPROTECTED: 'usage',
  PORT_TAKEN: 'machine',
};

export class ApiError extends NetfoldError {
  declare readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string, remedy: string, cause?: unknown) {
    super({ code, blame: BLAME[code] ?? 'input', message, remedy, ...(cause !== undefined && { cause }) });
  }
}

const STATUS: Readonly<Record<string, number>> = {
  TOKEN_MISSING: 401,
  TOKEN_WRONG: 401,
  SESSION_EXPIRED: 401,
  LINK_USED: 403,
  HOST_FOREIGN: 403,
  ORIGIN_FOREIGN: 403,
  COMMAND_RIGHT: 403,
  EXPERIMENT_UNKNOWN: 404,
  NODE_UNKNOWN: 404,
  HOST_UNKNOWN: 404,
  COMMAND_UNKNOWN: 404,
  PATH_UNKNOWN: 404,
  RECORD_UNKNOWN: 404,
  START_UNKNOWN: 404,
  INJECTION_UNKNOWN: 404,
  METHOD_UNKNOWN: 405,
  EXPERIMENT_EXISTS: 409,
  TOO_MANY_REQUESTS: 429,
  AGENT_FAILED: 503,
};
const STATUS_OF_BLAME: Readonly<Record<Blame, number>> = {
  input: 400,
  usage: 400,
  machine: 503,
  internal: 500,
};

/** Status and facts for whatever was thrown. */
export function refusalOf(error: unknown): { readonly status: number; readonly facts: ErrorFacts } {
  if (error instanceof z.ZodError) return refusalOf(malformed(error));
  if (!(error instanceof NetfoldError)) return answerTo(error);
  return { status: STATUS[error.code] ?? STATUS_OF_BLAME[error.blame], facts: toRefusal(error) };
}

/** Names the first wrong field instead of printing what zod has. `where`: `body`, `query` … */
export function malformed({ issues }: z.ZodError, where = 'request'): ApiError {
  const [first] = issues;
  const field = [where, ...(first?.path ?? []).map(String)].join('.').slice(0, 200);
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new ApiError(
    'REQUEST_MALFORMED',
    `${field}: ${(first?.message ?? 'is wrong').slice(0, 300)}${more}`,
    'see /api/v1/openapi.json for what this path takes',
  );
}
