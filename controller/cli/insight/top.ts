/** `netfold top`: flows, hosts and the verdict of a running experiment, live. */
import { stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { AgentStatus } from '../../../proto/status.ts';
import { type Micros, micros, parseDuration, toMillis } from '../../../proto/units.ts';
import { agentStatus } from '../../experiment/agents.ts';
import { experimentNames, findExperiment, readState } from '../../experiment/state.ts';
import { pathRows } from '../../fidelity/path-proofs.ts';
import { askVerdict } from '../../fidelity/verdict.ts';
import { apiOption, caOption, namedBy, sameNameOption } from '../options/name-option.ts';
import { print } from '../terminal/output.ts';
import { type Snapshot, screenOf } from './top-screen.ts';

interface TopOptions {
  readonly once?: boolean;
  readonly interval: Micros;
  readonly name?: string;
  readonly api?: string;
}

const DEFAULT_MS = 1000;
const LEAST_MS = 200;
const NARROW = { columns: 80, rows: 24 } as const;

export function addTopCommand(program: Command): void {
  program
    .command('top [experiment]')
    .description('flows, hosts and the verdict of a running experiment, live, until Ctrl-C')
    .option('--once', 'print one picture and end, as it does where stdout is no terminal')
    .addOption(
      new Option('--interval <time>', 'how often it is drawn')
        .argParser(parseDuration)
        .default(micros(1e6), '1s'),
    )
    .addOption(sameNameOption())
    .addOption(apiOption())
    .addOption(caOption())
    .action(top);
}

async function top(given: string | undefined, { once, interval, name, api }: TopOptions): Promise<void> {
  const shown = namedBy(given, name);
  const { look, isRunning } = api === undefined ? await watchedHere(shown) : await watchedAt(api, shown);
  if (once || !stdout.isTTY) {
    const { columns = NARROW.columns } = stdout;
    print(screenOf(await look(), { columns, rows: Number.POSITIVE_INFINITY }).join('\n'));
    return;
  }
  await onScreen(async (draw, ended) => {
    const every = Math.max(LEAST_MS, toMillis(interval) || DEFAULT_MS);
    do {
      draw(screenOf(await look(), sizeOf(stdout)));
      await sleep(every);
    } while (!ended() && (await isRunning()));
  });
}

const sizeOf = ({ columns = NARROW.columns, rows = NARROW.rows }: NodeJS.WriteStream) => ({ columns, rows });

interface Watched {
  look(): Promise<Snapshot>;
  isRunning(): Promise<boolean>;
}

async function watchedHere(name: string | undefined): Promise<Watched> {
  const experiment = await findExperiment(name);
  return {
    look: () => look(experiment),
    isRunning: async () => (await experimentNames()).includes(experiment),
  };
}

async function watchedAt(api: string, name: string | undefined): Promise<Watched> {
  const { connectApi, experimentAt } = await import('../options/api-option.ts');
  const client = connectApi(api);
  const experiment = await experimentAt(client, name);
  const params = { experiment };
  return {
    look: async () => {
      const [{ agents }, { paths, ...verdict }] = await Promise.all([
        client.call('getExperiment', { params }),
        client.call('getVerdict', { params }),
      ]);
      return {
        ...{ experiment, verdict, paths, at: new Date() },
        agents: agents.filter((one): one is AgentStatus => one.state !== 'unreachable'),
        silent: agents.flatMap(({ host, state }) => (state === 'unreachable' ? [host] : [])),
      };
    },
    isRunning: async () => (await client.call('listExperiments', {})).some((one) => one.name === experiment),
  };
}

async function look(experiment: string): Promise<Snapshot> {
  const hosts = (readState(experiment)?.hosts ?? []).map(({ name }) => name);
  const [{ verdict, proofs }, ...statuses] = await Promise.all([
    askVerdict(experiment, hosts),
    ...hosts.map((host): Promise<AgentStatus | string> => agentStatus(experiment, host).catch(() => host)),
  ]);
  return {
    ...{ experiment, verdict, at: new Date() },
    paths: pathRows(proofs),
    agents: statuses.filter((status) => typeof status !== 'string'),
    silent: statuses.filter((status) => typeof status === 'string'),
  };
}

const ESCAPE = '\x1b';
/** The other screen, without a cursor; and back. */
const ENTER = `${ESCAPE}[?1049h${ESCAPE}[?25l`;
const LEAVE = `${ESCAPE}[?25h${ESCAPE}[?1049l`;

/** Runs `use` on the terminal's other screen; it is restored in any case. A signal ends it at once. */
async function onScreen(
  use: (draw: (lines: readonly string[]) => void, ended: () => boolean) => Promise<void>,
): Promise<void> {
  let isEnded = false;
  const restore = (): void => {
    if (!isEnded) stdout.write(LEAVE);
    isEnded = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      restore();
      process.exit(0);
    });
  stdout.write(ENTER);
  try {
    // Each line clears what was behind it: a screen that is cleared as a whole flickers.
    await use(
      (lines) =>
        stdout.write(`${ESCAPE}[H${lines.map((line) => `${line}${ESCAPE}[K`).join('\r\n')}${ESCAPE}[J`),
      () => isEnded,
    );
  } finally {
    restore();
  }
}
