import { type Blame, exitCodeOf, NetfoldError } from '../proto/errors.ts';

/** The exit code that shells report for a command that SIGINT ended. */
export const EXIT_INTERRUPTED = 130;

export type ControllerErrorCode =
  | 'BEYOND_REQUEST'
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  | 'EXPERIMENT_EXISTS'
  | 'EXPERIMENT_UNKNOWN'
  | 'EXPERIMENT_AMBIGUOUS'
  | 'EXPERIMENT_ATTENDED'
  | 'EXPERIMENT_ENDED'
  | 'RESUME_INCOMPLETE'
  | 'JOIN_USAGE'
  | 'PLATFORM_UNKNOWN'
  | 'PLACEMENT_OPTIONS'
  | 'PLACEMENT_NO_ROOM'
  | 'PLACEMENT_FILE'
  | 'PLACEMENT_TOO_LARGE'
  | 'NODE_UNKNOWN'
  | 'PATHS_USAGE'
  | 'UP_USAGE'
  | 'START_UNKNOWN'
  | 'START_USAGE'
  | 'START_FAILED'
  | 'STARTS_TOO_MANY'
  | 'TLS_USAGE'
  | 'TLS_CERTIFICATE'
  | 'TLS_KEY'
  | 'TLS_MISMATCH'
  | 'GRAPH_USAGE'
  | 'EXPLAIN_ECMP'
  | 'COMPLETION_SHELL'
  | 'CONVERT_EVENTS'
  | 'EXPAND_EVENTS'
  | 'FORMAT_UNKNOWN'
  | 'COMMAND_WORDS'
  | 'HOST_UNKNOWN'
  | 'KEY_FIXED'
  | 'KEY_MISSING'
  | 'HOSTS_IDLE'
  | 'NAME_INVALID'
  | 'MACHINE_CANNOT'
  | 'IPV6_MISSING'
  | 'AGENT_FAILED'
  | 'AGENT_CANNOT'
  | 'AGENT_STOPPED'
  | 'NO_ROOM'
  | 'FOLDER_BUSY'
  | 'NOT_PERMITTED'
  | 'PROCESSES_STAY'
  | 'PROGRAM_MISSING'
  | 'INTERRUPTED'
  | 'EXPECT_NOTHING'
  | 'EXPECT_TIME'
  | 'SHRINK_USAGE'
  | 'NOTIFY_REFUSED'
  | 'NOTIFY_NOBODY'
  | 'RECORD_EXISTS'
  | 'RECORD_BUSY'
  | 'RECORD_INCOMPLETE'
  | 'REPLAY_LINE'
  | 'RECORD_OTHER_RUN'
  | 'RECORD_EXPECTED'
  | 'EXPORT_USAGE'
  | 'RECORD_PACKETS'
  | 'LICENCE_UNKNOWN'
  | 'BROWSER_FAILED'
  | 'RECORD_UNKNOWN'
  | 'RECORD_UNREADABLE'
  | 'SWAP_EXISTS'
  | 'SWAP_UNKNOWN'
  | 'SWAP_PLATFORM'
  | 'SWAP_FAILED'
  | 'NOTHING_TO_MEASURE'
  | 'SERVICE_NAME'
  | 'SERVICE_UNKNOWN'
  | 'SERVICE_FAILED'
  | 'CAPTURE_USAGE'
  | 'CAPTURE_FILTER'
  | 'CAPTURE_RECORD';

const BLAME: Readonly<Record<ControllerErrorCode, Blame>> = {
  BEYOND_REQUEST: 'input',
  FILE_UNREADABLE: 'input',
  FILE_UNWRITABLE: 'input',
  EXPERIMENT_EXISTS: 'input',
  EXPERIMENT_UNKNOWN: 'input',
  EXPERIMENT_AMBIGUOUS: 'usage',
  EXPERIMENT_ATTENDED: 'input',
  EXPERIMENT_ENDED: 'input',
  RESUME_INCOMPLETE: 'machine',
  JOIN_USAGE: 'usage',
  PLATFORM_UNKNOWN: 'input',
  PLACEMENT_OPTIONS: 'input',
  PLACEMENT_NO_ROOM: 'input',
  PLACEMENT_FILE: 'input',
  PLACEMENT_TOO_LARGE: 'input',
  NODE_UNKNOWN: 'input',
  PATHS_USAGE: 'usage',
  UP_USAGE: 'usage',
  START_UNKNOWN: 'input',
  START_USAGE: 'input',
  START_FAILED: 'machine',
  STARTS_TOO_MANY: 'machine',
  TLS_USAGE: 'usage',
  TLS_CERTIFICATE: 'input',
  TLS_KEY: 'input',
  TLS_MISMATCH: 'input',
  GRAPH_USAGE: 'usage',
  EXPLAIN_ECMP: 'input',
  COMPLETION_SHELL: 'usage',
  CONVERT_EVENTS: 'input',
  EXPAND_EVENTS: 'usage',
  FORMAT_UNKNOWN: 'input',
  COMMAND_WORDS: 'usage',
  KEY_FIXED: 'input',
  KEY_MISSING: 'input',
  HOST_UNKNOWN: 'input',
  HOSTS_IDLE: 'usage',
  NAME_INVALID: 'usage',
  MACHINE_CANNOT: 'machine',
  IPV6_MISSING: 'machine',
  AGENT_FAILED: 'internal',
  AGENT_CANNOT: 'machine',
  AGENT_STOPPED: 'machine',
  NO_ROOM: 'machine',
  FOLDER_BUSY: 'machine',
  NOT_PERMITTED: 'machine',
  PROCESSES_STAY: 'machine',
  PROGRAM_MISSING: 'machine',
  INTERRUPTED: 'usage',
  EXPECT_NOTHING: 'input',
  EXPECT_TIME: 'input',
  SHRINK_USAGE: 'usage',
  NOTIFY_REFUSED: 'input',
  NOTIFY_NOBODY: 'machine',
  RECORD_EXISTS: 'input',
  RECORD_BUSY: 'input',
  RECORD_INCOMPLETE: 'input',
  REPLAY_LINE: 'input',
  RECORD_OTHER_RUN: 'input',
  RECORD_EXPECTED: 'input',
  EXPORT_USAGE: 'usage',
  RECORD_PACKETS: 'input',
  LICENCE_UNKNOWN: 'input',
  BROWSER_FAILED: 'machine',
  RECORD_UNKNOWN: 'input',
  RECORD_UNREADABLE: 'input',
  SWAP_EXISTS: 'input',
  SWAP_UNKNOWN: 'input',
  SWAP_PLATFORM: 'input',
  SWAP_FAILED: 'machine',
  NOTHING_TO_MEASURE: 'input',
  SERVICE_NAME: 'usage',
  SERVICE_UNKNOWN: 'input',
  SERVICE_FAILED: 'machine',
  CAPTURE_USAGE: 'usage',
  CAPTURE_FILTER: 'input',
  CAPTURE_RECORD: 'input',
};

export class ControllerError extends NetfoldError {
  declare readonly code: ControllerErrorCode;

  constructor(code: ControllerErrorCode, message: string, remedy?: string, cause?: unknown) {
    super({
      code,
      blame: BLAME[code],
      message,
      ...(remedy && { remedy }),
      ...(cause !== undefined && { cause }),
    });
  }
}

/** The exit code for an error of a command. */
export function commandExitCode(error: unknown): number {
  return error instanceof ControllerError && error.code === 'INTERRUPTED'
    ? EXIT_INTERRUPTED
    : exitCodeOf(error);
}
