/** Sends a command to a running experiment: any of its agents accepts it, and sends it to the others. */
import { existsSync } from 'node:fs';
import { signCommand } from '../../agent/mesh/trust/command-signature.ts';
import type { SigningKey } from '../../agent/mesh/trust/peer-id.ts';
import { readUserKey } from '../../agent/mesh/trust/user-key.ts';
import type { Command } from '../../proto/command.ts';
import type { AcceptedCommand, ControlAnswer, ControlRequest, PlacedCommand } from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { type Address, callJson } from '../../proto/http-json.ts';
import type { RunLogEntry, RunLogPage } from '../../proto/run-log.ts';
import { suggest } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import { agentSocket, userKeyFile } from '../names.ts';
import { readState } from './state.ts';

export interface Accepted {
  readonly answer: AcceptedCommand;
  /** Asks the accepting agent for the command's state. */
  readonly ask: () => Promise<ControlAnswer>;
  /**
   * The new entries of that agent's run log since the last call, at first since before the command; waits for them at
   * most for this time.
   */
  readonly news: (waitMs: number) => Promise<readonly RunLogEntry[]>;
}

/**
 * The key that signs a user's commands: of `file`, or the experiment's own, which is where it was started; `undefined`: there
 * is none, as on machines that have joined. Throws `MeshError`.
 */
export function userKeyOf(experiment: string, file?: string): SigningKey | undefined {
  const own = userKeyFile(experiment);
  if (file === undefined && !existsSync(own)) return undefined;
  return readUserKey(file ?? own);
}

/**
 * Gives a command to the agent at `address`: signed by the user, or by the agent itself, within its rights. Throws the agent's
 * refusal.
 */
export async function giveCommand(
  address: Address,
  request: ControlRequest,
  key: SigningKey | undefined,
): Promise<AcceptedCommand> {
  if (!key) return (await callJson(address, '/control', request)) as AcceptedCommand;
  const asked = { ...request, author: key.peer };
  const { command, scope } = (await callJson(address, '/control/place', asked)) as PlacedCommand;
  requireAsked(command, asked);
  const signed = scope === undefined ? command : signCommand(command, scope, key);
  return (await callJson(address, '/control/signed', { command: signed })) as AcceptedCommand;
}

/** Nothing else is signed than what the user wants. */
function requireAsked(command: Command, { text, at, during }: ControlRequest): void {
  const until = during === undefined ? undefined : command.at + Math.round(during);
  const isWhen = at === undefined || command.at === Math.round(at);
  if (command.text === text && isWhen && command.until === until) return;
  throw new ControllerError(
    'AGENT_FAILED',
    `the agent wants another command signed than was given: ${JSON.stringify(command.text)}`,
  );
}

/** Sends the command to `host`, or to the first agent that answers. Throws the agent's refusal. */
export async function controlAgents(
  experiment: string,
  host: string | undefined,
  request: ControlRequest,
  key: SigningKey | undefined = userKeyOf(experiment),
): Promise<Accepted> {
  const { answer, address, logPosition } = await firstAnswer(experiment, host, (agent) =>
    giveCommand(agent, request, key),
  );
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
  const ask = async (address: Address) => (await callJson(address, '/control')) as ControlAnswer;
  return (await firstAnswer(experiment, undefined, ask)).answer;
}

/** Asks `wanted`, or the first agent that answers. Throws its refusal. */
export async function firstAnswer<Answer>(
  experiment: string,
  wanted: string | undefined,
  ask: (address: Address) => Promise<Answer>,
): Promise<{ answer: Answer; address: Address; logPosition: number }> {
  let failure: unknown;
  for (const host of hostsOf(experiment, wanted)) {
    const address = `unix:${agentSocket(experiment, host)}`;
    try {
      const { next: logPosition } = await readLog(address);
      return { answer: await ask(address), address, logPosition };
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
