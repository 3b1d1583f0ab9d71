/** Tells a running experiment what to do: any of its agents takes it, and tells the others. */
import type { ControlAnswer, ControlRequest } from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { callJson } from '../../proto/http-json.ts';
import { suggest } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import { agentSocket } from '../names.ts';
import { readState } from './state.ts';

export interface Accepted {
  readonly answer: ControlAnswer;
  /** Asks the agent that accepted it how it stands. */
  readonly ask: () => Promise<ControlAnswer>;
}

/** Gives the command to `host`, or to the first agent that answers. Throws what the agent refuses it with. */
export async function controlAgents(
  experiment: string,
  host: string | undefined,
  request: ControlRequest,
): Promise<Accepted> {
  const { answer, address } = await firstAnswer(experiment, host, request);
  return { answer, ask: async () => (await callJson(address, '/control')) as ControlAnswer };
}

/** What the first agent that answers knows of all commands. */
export async function controlHistory(experiment: string): Promise<ControlAnswer> {
  return (await firstAnswer(experiment, undefined, undefined)).answer;
}

async function firstAnswer(
  experiment: string,
  wanted: string | undefined,
  request: ControlRequest | undefined,
): Promise<{ answer: ControlAnswer; address: string }> {
  let failure: unknown;
  for (const host of hostsOf(experiment, wanted)) {
    const address = `unix:${agentSocket(experiment, host)}`;
    try {
      return { answer: (await callJson(address, '/control', request)) as ControlAnswer, address };
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
