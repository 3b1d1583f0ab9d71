/** Sends a command to a running experiment: any of its agents accepts it, and sends it to the others. */
import type { ControlAnswer, ControlRequest } from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { callJson } from '../../proto/http-json.ts';
import type { RunLogEntry, RunLogPage } from '../../proto/run-log.ts';
import { suggest } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import { agentSocket } from '../names.ts';
import { readState } from './state.ts';

export interface Accepted {
  readonly answer: ControlAnswer;
  /** Asks the accepting agent for the command's state. */
  readonly ask: () => Promise<ControlAnswer>;
  /**
   * The new entries of that agent's run log since the last call, at first since before the command; waits for them at
   * most for this time.
   */
  readonly news: (waitMs: number) => Promise<readonly RunLogEntry[]>;
}

/** Sends the command to `host`, or to the first agent that answers. Throws the agent's refusal. */
export async function controlAgents(
  experiment: string,
  host: string | undefined,
  request: ControlRequest,
): Promise<Accepted> {
  const { answer, address, logPosition } = await firstAnswer(experiment, host, request);
  let from = logPosition;
  return {
    answer,
    ask: async () => (await callJson(address, '/control')) as ControlAnswer,
    news: async (waitMs) => {
      const page = await readLog(address, `?from=${from}&waitMs=${Math.max(0, Math.ceil(waitMs))}`);
      from = page.next;
      return page.entries;
    },
  };
}

async function readLog(address: string, query = ''): Promise<RunLogPage> {
  return (await callJson(address, `/log${query}`)) as RunLogPage;
}

/** All commands that the first answering agent knows. */
export async function controlHistory(experiment: string): Promise<ControlAnswer> {
  return (await firstAnswer(experiment, undefined, undefined)).answer;
}

async function firstAnswer(
  experiment: string,
  wanted: string | undefined,
  request: ControlRequest | undefined,
): Promise<{ answer: ControlAnswer; address: string; logPosition: number }> {
  let failure: unknown;
  for (const host of hostsOf(experiment, wanted)) {
    const address = `unix:${agentSocket(experiment, host)}`;
    try {
      const { next: logPosition } = await readLog(address);
      return {
        answer: (await callJson(address, '/control', request)) as ControlAnswer,
        address,
        logPosition,
      };
    } catch (error) {
      if (!(error instanceof NetfoldError) || error.code !== 'UNREACHABLE') throw error;
      failure = error;
    }
  }
  throw new ControllerError(
    'AGENT_FAILED',
    `no agent of ${experiment} answers`,
    `see \`netfold status ${experiment}\`, or remove it with \`netfold down ${experiment}\``,
    failure,
  );
}

function hostsOf(experiment: string, wanted: string | undefined): string[] {
  const hosts = (readState(experiment)?.hosts ?? []).map(({ name }) => name);
  if (wanted === undefined) return hosts;
  if (hosts.includes(wanted)) return [wanted];
  throw new ControllerError(
    'HOST_UNKNOWN',
    `there is no host "${wanted}" in ${experiment}`,
    suggest(wanted, hosts, `there are: ${hosts.join(' ')}`),
  );
}
