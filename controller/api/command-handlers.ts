/** Routes about commands and the run log. */
import { commandId } from '../../proto/api/v1/command-id.ts';
import type { AnswerOf, BodyOf } from '../../proto/api/v1/routes.ts';
import type { ControlAnswer, ControlRequest, HistoryEntry } from '../../proto/control.ts';
import type { RunLogPage } from '../../proto/run-log.ts';
import { micros, parseDuration, toMillis } from '../../proto/units.ts';
import { suggest } from '../../topology/model/names.ts';
import { ControllerError } from '../errors.ts';
import type { ExperimentState } from '../experiment/state.ts';
import { ApiError } from './errors.ts';
import type { Handlers } from './handler-types.ts';
import type { Experiments } from './ports.ts';
import { askSoon, commandOf, firstOf, nowMsOf } from './view.ts';

export function commandHandlers(
  experiments: Experiments,
): Handlers<'listCommands' | 'giveCommand' | 'getCommand' | 'getLog'> {
  return {
    listCommands: async ({ params }) => {
      const state = await experiments.state(params.experiment);
      return (await firstOf<ControlAnswer>(experiments, state, '/control')).history.map(commandOf);
    },
    giveCommand: async ({ params: { experiment }, body }) => {
      const state = await experiments.state(experiment);
      if (body.host !== undefined) requireHost(state, body.host);
      const { host, command, ...answer } = await experiments.command(experiment, body.host, requestOf(body));
      return { id: commandId(command), atMs: toMillis(micros(command.at)), nowMs: nowMsOf(answer), host };
    },
    getCommand: async ({ params: { experiment, id } }) =>
      commandState(experiments, await experiments.state(experiment), id),
    getLog: async ({ params: { experiment }, query: { host, from, waitMs } }) => {
      const state = await experiments.state(experiment);
      if (host !== undefined) requireHost(state, host);
      const asked = host ?? state.hosts[0]!.name;
      const position = from === undefined ? '' : `from=${from}&`;
      const page = (await experiments.ask(
        experiment,
        asked,
        `/log?${position}waitMs=${waitMs}`,
      )) as RunLogPage;
      return { ...page, entries: page.entries.map((entry) => ({ ...entry })) };
    },
  };
}

export function requestOf({ text, at, for: length, alone }: BodyOf<'giveCommand'>): ControlRequest {
  const during = length === undefined ? undefined : parseDuration(length);
  if (during === 0)
    throw new ApiError('REQUEST_MALFORMED', 'body.for: 0s is no time', 'write a time above 0s');
  return {
    text,
    ...(at !== undefined &&
      (at.startsWith('+') ? { after: parseDuration(at.slice(1)) } : { at: parseDuration(at) })),
    ...(during !== undefined && { during }),
    ...(alone && { alone }),
  };
}

function requireHost({ name, hosts }: ExperimentState, host: string): void {
  const names = hosts.map((one) => one.name);
  if (names.includes(host)) return;
  throw new ControllerError(
    'HOST_UNKNOWN',
    `there is no host "${host}" of ${name} on this machine`,
    suggest(host, names, `there are: ${names.join(' ')}`),
  );
}

type Said = { readonly host: string; readonly answer?: ControlAnswer };

/** Every agent of this machine is asked; of others, the first that answers says whether they have it. */
async function commandState(
  experiments: Experiments,
  { name, hosts }: ExperimentState,
  id: string,
): Promise<AnswerOf<'getCommand'>> {
  const said = await Promise.all(
    hosts.map(async ({ name: host }): Promise<Said> => {
      try {
        return { host, answer: await askSoon<ControlAnswer>(experiments.ask(name, host, '/control')) };
      } catch {
        return { host };
      }
    }),
  );
  const entryIn = (answer: ControlAnswer): HistoryEntry | undefined =>
    answer.history.find((entry) => commandId(entry) === id);
  const first = said.find(({ answer }) => answer && entryIn(answer))?.answer;
  if (!first) {
    if (said.every(({ answer }) => !answer))
      throw new ControllerError(
        'AGENT_FAILED',
        `no agent of ${name} answers`,
        `see \`netfold status ${name}\``,
      );
    throw new ApiError('COMMAND_UNKNOWN', `${name} has no command ${id}`, 'GET …/commands lists all');
  }
  const states = said.map(({ host, answer }) => {
    const state = answer ? (entryIn(answer)?.state ?? ('unknown' as const)) : ('unreachable' as const);
    return { host, state };
  });
  const isOver = states.every(({ state }) => ['done', 'undone', 'failed'].includes(state));
  return {
    ...commandOf(entryIn(first)!),
    nowMs: nowMsOf(first),
    hosts: states,
    inStep: first.inStep,
    behind: first.behind,
    everywhere: isOver && first.behind.length === 0,
  };
}
