/** What the API needs of this machine: its experiments, and the inside of their endpoints. */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type {
  execSchema,
  executedSchema,
  logsQuery,
  logsSchema,
  terminalQuery,
} from '../../proto/api/v1/endpoints.ts';
import type {
  experimentSchema,
  removedSchema,
  startedSchema,
  startSchema,
} from '../../proto/api/v1/experiments.ts';
import type { AnswerOf, BodyOf, ParamsOf } from '../../proto/api/v1/routes.ts';
import type { AcceptedCommand, ControlRequest } from '../../proto/control.ts';
import type { ExperimentState } from '../experiment/state.ts';

export type StartRequest = z.infer<typeof startSchema>;
export type Started = z.infer<typeof startedSchema>;
export type Removed = z.infer<typeof removedSchema>;
export type Listed = z.infer<typeof experimentSchema>;
export type LogsQuery = z.infer<typeof logsQuery>;
export type Logs = z.infer<typeof logsSchema>;
export type ExecRequest = z.infer<typeof execSchema>;
export type Executed = z.infer<typeof executedSchema>;
export type TerminalQuery = z.infer<typeof terminalQuery>;

/** A shell in an endpoint. */
export interface Terminal {
  write(text: string): void;
  resize(size: TerminalQuery): void;
  /** What it writes waits until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the shell and what it has started; does nothing once it has ended. */
  close(): void;
}

export interface TerminalEars {
  readonly output: (bytes: Uint8Array) => void;
  /** Once, at last. */
  readonly ended: (reason: string) => void;
}

export interface Experiments {
  list(): Promise<readonly Listed[]>;
  /** Throws `EXPERIMENT_UNKNOWN`. */
  state(name: string): Promise<ExperimentState>;
  /** Asks the agent of a host (agent/daemon/api.ts). Throws what it refuses, and `HttpError`. */
  ask(experiment: string, host: string, path: string): Promise<unknown>;
  /** Of `host`, or of the first agent that answers; signed. Throws what it refuses. */
  command(experiment: string, host: string | undefined, request: ControlRequest): Promise<AcceptedCommand>;
  /** Resolves when all agents enforce the topology; `tell` hears what it is doing. Throws `TopologyError`, and why it could not start. */
  start(request: StartRequest, tell?: (progress: string) => void): Promise<Started>;
  /** A command about files; `signal` ends it. Throws `TOO_MUCH_AT_ONCE`. */
  tool(
    tool: ParamsOf<'runTool'>['tool'],
    request: BodyOf<'runTool'>,
    signal: AbortSignal,
  ): Promise<AnswerOf<'runTool'>>;
  /** Hosts over SSH. Throws what is wrong with all of them. */
  askHosts(
    action: ParamsOf<'askHosts'>['action'],
    request: BodyOf<'askHosts'>,
  ): Promise<AnswerOf<'askHosts'>>;
  hostLogs(request: BodyOf<'hostLogs'>): Promise<AnswerOf<'hostLogs'>>;
  hostExec(request: BodyOf<'hostExec'>, signal: AbortSignal): Promise<AnswerOf<'hostExec'>>;
  hostNetwork(request: BodyOf<'hostNetwork'>): Promise<AnswerOf<'hostNetwork'>>;
  /** Throws `EXPERIMENT_UNKNOWN`. */
  remove(name: string): Promise<Removed>;
  /** Both throw `RECORD_UNKNOWN`. */
  record(name: string): Promise<AnswerOf<'getRecord'>>;
  recordFile(name: string, path: string): Promise<Readable>;
}

type Endpoint = ExperimentState['endpoints'][number];

export interface Inside {
  /** What the commands of an endpoint have written. */
  logs(state: ExperimentState, endpoint: Endpoint, query: LogsQuery): Promise<Logs>;
  /** Runs a command to its end; `signal` ends it. */
  exec(
    state: ExperimentState,
    endpoint: Endpoint,
    request: ExecRequest,
    signal: AbortSignal,
  ): Promise<Executed>;
  /** A shell. Throws `TERMINAL_FAILED`. */
  terminal(state: ExperimentState, endpoint: Endpoint, size: TerminalQuery, ears: TerminalEars): Terminal;
}
