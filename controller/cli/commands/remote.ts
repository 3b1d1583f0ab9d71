/** Commands about experiments of another machine (`--api`): what its `netfold serve` says, printed as if they were here. */
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';
import { formatMicros, fromMillis, type Micros, micros } from '../../../proto/units.ts';
import type { ApiClient } from '../../../sdk/client.ts';
import { Lab } from '../../../sdk/lab.ts';
import { suggest } from '../../../topology/model/names.ts';
import { type PathRow, pathsOfRows } from '../../../topology/report/paths.ts';
import { ControllerError } from '../../errors.ts';
import { LinePrefix } from '../../logs/line-prefix.ts';
import { nodesNamed } from '../../logs/sources.ts';
import { connectApi, experimentAt } from '../options/api-option.ts';
import { printHistory } from '../terminal/history.ts';
import {
  linesOf,
  print,
  printBytes,
  printJson,
  printPieces,
  step,
  styled,
  warn,
} from '../terminal/output.ts';

export interface RemoteCommand {
  readonly api: string;
  readonly name: string | undefined;
  readonly text: string;
  readonly host?: string | undefined;
  readonly at?: { readonly after: Micros } | { readonly at: Micros } | undefined;
  readonly length?: Micros | undefined;
  readonly alone?: boolean | undefined;
  readonly wait: boolean;
  readonly json?: boolean | undefined;
}

/** What is for later is not waited for. */
const LONGEST_WAIT = micros(2e6);

const durationOf = (time: Micros): string => `${time}us`;

export async function commandAt(command: RemoteCommand): Promise<void> {
  const { api, host, at, length, alone } = command;
  const client = connectApi(api);
  const experiment = await experimentAt(client, command.name);
  const when = at === undefined ? undefined : 'after' in at ? `+${durationOf(at.after)}` : durationOf(at.at);
  const body = {
    text: command.text,
    ...(host !== undefined && { host }),
    ...(when !== undefined && { at: when }),
    ...(length !== undefined && { for: durationOf(length) }),
    ...(alone && { alone }),
  };
  const params = { experiment };
  const given = await client.call('giveCommand', { params, body });
  const isFar = fromMillis(given.atMs - (given.nowMs ?? 0)) > LONGEST_WAIT;
  const state = await outcomeAt(client, experiment, given.id, command.wait && !isFar);
  if (command.json) printJson({ experiment, command: state });
  else report(state);
  if (state.state === 'failed') process.exitCode = 1;
}

type CommandState = AnswerOf<'getCommand'>;
const PATIENCE_MS = 3000;
const POLL_MS = 100;

async function outcomeAt(
  client: ApiClient,
  experiment: string,
  id: string,
  wait: boolean,
): Promise<CommandState> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const state = await client.call('getCommand', { params: { experiment, id } });
    if (!wait || state.everywhere || state.state === 'failed' || performance.now() > end) return state;
    await sleep(POLL_MS);
  }
}

function report({ text, state, atMs, problem, inStep, behind }: CommandState): void {
  const at = `at ${formatMicros(Math.round(fromMillis(atMs)))}`;
  if (state === 'done') print(`${styled('green', 'done')} ${at}: ${text} (${inStep.join(', ')})`);
  else if (state === 'failed') warn(`${text}: it changed nothing: ${problem}`);
  else if (state === 'undone') print(`undone: ${text}`);
  else step(`${text}: comes into force ${at}`);
  if (behind.length > 0)
    warn(`not yet known to ${behind.join(', ')}; they follow as soon as they are heard of again`);
}

export async function historyAt(api: string, name: string | undefined, json: boolean): Promise<void> {
  const client = connectApi(api);
  const params = { experiment: await experimentAt(client, name) };
  const commands = await client.call('listCommands', { params });
  if (json) return printJson(commands);
  const whole = (ms: number): Micros => micros(Math.round(fromMillis(ms)));
  printHistory(
    commands.map(({ atMs, untilMs, ...rest }) => ({
      ...rest,
      at: whole(atMs),
      ...(untilMs !== null && { until: whole(untilMs) }),
    })),
  );
}

export interface RemotePaths {
  readonly api: string;
  readonly name?: string;
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

/** Those in force now. */
export async function pathsAt({ api, name, from, to, json = false }: RemotePaths): Promise<void> {
  const client = connectApi(api);
  const experiment = await experimentAt(client, name);
  const query = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const params = { experiment };
  if (!json) {
    const { agents } = await client.call('getExperiment', { params });
    const nowMs = Math.max(-1, ...agents.map((one) => ('nowMs' in one ? (one.nowMs ?? -1) : -1)));
    const at = nowMs < 0 ? 'before its start' : `at ${formatMicros(Math.round(fromMillis(nowMs)))}`;
    step(`${experiment} ${at}`);
  }
  const rows = await client.call('getPaths', { params, query });
  const report = pathsOfRows(rows as readonly PathRow[]);
  await printPieces(json ? report.json() : linesOf(report.text()));
}

export interface RemoteLogs {
  readonly api: string;
  readonly name: string | undefined;
  readonly node: string;
  readonly follow: boolean;
  readonly tail: number | undefined;
}

/** Of one endpoint after the other; following, of one alone. */
export async function logsAt({ api, name, node, follow, tail }: RemoteLogs): Promise<void> {
  const client = connectApi(api);
  const experiment = await experimentAt(client, name);
  const lab = new Lab(client, experiment);
  const nodes = (await lab.endpoints()).map((endpoint) => endpoint.name);
  const named = nodesNamed(node, nodes);
  if (named.length === 0)
    throw new ControllerError(
      'NODE_UNKNOWN',
      `there is no endpoint "${node}" in ${experiment}`,
      suggest(node, nodes, `there are: ${nodes.slice(0, 10).join(' ')}`),
    );
  const width = Math.max(...named.map((one) => one.length));
  const follows: Promise<void>[] = [];
  for (const one of named) {
    const prefix = named.length > 1 ? new LinePrefix(`${one.padEnd(width)} | `) : undefined;
    const write = async (text: string): Promise<boolean> => {
      const bytes = Buffer.from(text);
      return printBytes(prefix?.push(bytes) ?? bytes);
    };
    if (!(await write(await lab.logs(one, tail === undefined ? { tail: MOST_LINES } : { tail })))) return;
    if (prefix) await printBytes(prefix.end());
    if (follow) follows.push(followOne(lab, one, write));
  }
  await Promise.all(follows);
}

/** Of a longer log, the last ones. */
const MOST_LINES = 10_000;

async function followOne(lab: Lab, node: string, write: (text: string) => Promise<boolean>): Promise<void> {
  for await (const text of lab.followLogs(node)) if (!(await write(text))) return;
}

export interface RemoteExec {
  readonly api: string;
  readonly name?: string;
  readonly node: string;
  readonly command: readonly string[];
  readonly user?: string;
  readonly privileged?: boolean;
  readonly timeout: string;
  readonly sendsStdin: boolean;
}

/** Runs it to its end there, and prints what it has written then; exits with its code. Ctrl-C ends it there as well. */
export async function execAt(asked: RemoteExec): Promise<void> {
  const { api, name, node, command, user, privileged = false, timeout, sendsStdin } = asked;
  const client = connectApi(api);
  const experiment = await experimentAt(client, name);
  const stdin = sendsStdin ? await text(process.stdin) : undefined;
  const ended = await client.call('exec', {
    params: { experiment, endpoint: node },
    body: {
      ...{ command: [...command], privileged, timeout },
      ...(user !== undefined && { user }),
      ...(stdin !== undefined && { stdin }),
    },
  });
  await printBytes(Buffer.from(ended.stdout));
  process.stderr.write(ended.stderr);
  if (ended.truncated) warn('of an output, only the first mebibyte was kept');
  if (ended.timedOut) warn(`it was ended after ${timeout}: a longer one takes --timeout, up to 10m`);
  process.exitCode = ended.code;
}
