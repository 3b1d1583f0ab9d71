/** Live control: the verbs of the event grammar, on a running experiment. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { compareCommands, type Command as LiveCommand } from '../../../proto/command.ts';
import type { ControlAnswer, ControlRequest, ControlStanding } from '../../../proto/control.ts';
import { formatMicros, type Micros, micros, parseDuration, toMillis } from '../../../proto/units.ts';
import { CHANGEABLE } from '../../../topology/events/changes.ts';
import { type Accepted, controlAgents, controlHistory, userKeyOf } from '../../experiment/control.ts';
import { findExperiment } from '../../experiment/state.ts';
import { notifyInside, ownLife } from '../../notify-inside.ts';
import { apiOption, caOption, namedBy, nameOption, sameNameOption } from '../options/name-option.ts';
import { printHistory } from '../terminal/history.ts';
import { print, printJson, step, styled, warn } from '../terminal/output.ts';

interface Verb {
  readonly name: string;
  readonly words: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly note?: string;
}

const NODES = 'services, replicas, tag:NAME or *';
const VERBS: readonly Verb[] = [
  {
    name: 'set',
    words: '<links-and-changes...>',
    description: 'change what links do: latency, loss, bandwidth, and all other impairments',
    examples: [
      'set s1--s2 latency=50ms loss=1%',
      "set 's1->s2' bandwidth=50% --for 10s",
      "set '*' latency=+5ms",
      'set s1--s2 loss_model="bursts 1% of 5 packets" duplicate=1%',
      'set s1--s2 loss_model=none slots=none trace=night',
    ],
    note: 'Links are A--B, A->B (quote the >), tag:NAME or *; values are absolute, relative (200%), moved (+5ms, -1Mbps), or none.',
  },
  {
    name: 'join',
    words: '<targets...>',
    description: 'let endpoints, bridges or links come (back)',
    examples: ['join server 2', 'join s1--s2'],
  },
  {
    name: 'leave',
    words: '<targets...>',
    description: 'let them go; applications are asked to end',
    examples: ['leave server.1', 'leave client 50%', 'leave s1--s2 --for 5s'],
  },
  {
    name: 'crash',
    words: '<targets...>',
    description: 'kill endpoints with their applications',
    examples: ['crash server.1', 'crash tag:edge 3', 'crash client 50%'],
  },
  {
    name: 'disconnect',
    words: '<targets...>',
    description: 'cut the network of endpoints; applications live on',
    examples: ['disconnect server.1 --for 2s'],
  },
  {
    name: 'reconnect',
    words: '<targets...>',
    description: 'undo disconnect',
    examples: ['reconnect server.1'],
  },
  {
    name: 'flap',
    words: '<targets...>',
    description: 'cut links or endpoints and heal them, again and again',
    examples: ['flap s1--s2 every 500ms --for 10s'],
  },
  {
    name: 'churn',
    words: '<targets...>',
    description: 'crash endpoints at random, again and again',
    examples: ['churn client 10% every 1s replace seed 7 --for 30s'],
  },
  {
    name: 'partition',
    words: '<groups...>',
    description: 'cut the network between groups of endpoints',
    examples: ["partition 'client | server'", "partition 'a b | c d' --for 10s", "partition 'a | *'"],
    note: `Groups are ${NODES} (all that no other group names); quote the |, which shells take for themselves.`,
  },
  { name: 'heal', words: '', description: 'end all partitions', examples: ['heal'] },
  {
    name: 'start',
    words: '<names...>',
    description: "let traffic of netfold's own flow, by its names in the file, or *",
    examples: ['start bulk', "start '*' --at +5s"],
  },
  {
    name: 'stop',
    words: '<names...>',
    description: "end traffic of netfold's own",
    examples: ['stop bulk'],
  },
  {
    name: 'run',
    words: '<targets-and-command...>',
    description: 'start a command in endpoints',
    examples: ["run client.0 'iperf3 -c server'"],
  },
  {
    name: 'signal',
    words: '<targets-and-signal...>',
    description: 'send a signal to the commands of endpoints',
    examples: ['signal server.1 STOP'],
  },
  {
    name: 'notify',
    words: '<name...>',
    description: 'tell that something has happened, for which a sequence waits; also from inside an endpoint',
    examples: ['notify ready'],
  },
  {
    name: 'reset',
    words: '',
    description: 'undo all commands: back to the timeline of the file',
    examples: ['reset', 'reset --at +5s'],
  },
];

/** Printed after errors of usage. */
const USAGE_HINTS: Readonly<Record<string, string>> = {
  run: "put the command in quotes: netfold run a 'ls -l /'",
  set: "changes go without dashes, and links with > or * in quotes: netfold set 'a->b' latency=-5ms",
};

interface ControlOptions {
  readonly name?: string;
  readonly host?: string;
  readonly at?: When;
  readonly for?: Micros;
  readonly alone?: boolean;
  readonly key?: string;
  readonly wait: boolean;
  readonly json?: boolean;
  readonly api?: string;
}

/** From now on, or since the start. */
type When = { readonly after: Micros } | { readonly at: Micros };

export function addControlCommands(program: Command): void {
  program.commandsGroup('Live control of a running experiment:');
  for (const verb of VERBS) addVerb(program, verb);
  program
    .command('history [experiment]')
    .description('commands that a running experiment was given, with time, origin and outcome')
    .option('--json', 'print JSON')
    .addOption(sameNameOption())
    .addOption(apiOption())
    .addOption(caOption())
    .action(history);
}

function addVerb(program: Command, { name, words, description, examples, note }: Verb): void {
  const command = program.command(words ? `${name} ${words}` : name);
  const help = [
    `Examples:`,
    ...examples.map((example) => `  netfold ${example}`),
    ...(note ? ['', note] : []),
  ];
  command
    .description(description)
    .addOption(nameOption('which experiment, if several are running'))
    .option('--host <host>', 'which agent to use; any one will do')
    .addOption(
      new Option(
        '--at <time>',
        'when: +5s from now on, or 30s since the start (default: as soon as all agents know)',
      ).argParser(parseWhen),
    )
    .addOption(new Option('--for <time>', 'undo it after this time, e.g. 10s').argParser(parseLength))
    .option('--alone', 'accept it even if the agent receives from none of the others')
    .addOption(
      new Option(
        '--key <file>',
        "the user's key that signs it (default: that of who started the experiment here)",
      ).env('NETFOLD_KEY'),
    )
    .option('--no-wait', "don't wait until it is in force")
    .option('--json', 'print JSON')
    .addOption(apiOption())
    .addOption(caOption())
    .addHelpText('after', `\n${help.join('\n')}`)
    .showHelpAfterError(USAGE_HINTS[name] ?? false)
    .action((...given: unknown[]) => {
      const [list, options] = words ? [given[0] as string[], given[1]] : [[], given[0]];
      const life = ownLife();
      if (name === 'notify' && life !== undefined)
        return notifyInside(life, list.join(' ')).then(() => print('ok'));
      return control(textOf(name, list), options as ControlOptions);
    });
}

function parseLength(text: string): Micros {
  const length = parseDuration(text);
  if (length === 0) throw new InvalidArgumentError('write a time above 0s, e.g. 10s');
  return length;
}

function parseWhen(text: string): When {
  if (text.startsWith('+')) return { after: parseDuration(text.slice(1)) };
  if (text.startsWith('-'))
    throw new InvalidArgumentError('write +5s for in five seconds, or 30s for since the start');
  return { at: parseDuration(text) };
}

/** The action in the grammar's syntax: the command of `run` is one text, and a value of several words stands in quotes. */
function textOf(verb: string, words: readonly string[]): string {
  if (verb === 'set') return [verb, ...words.map(withQuotes)].join(' ');
  if (verb !== 'run' || words.length < 2) return [verb, ...words].join(' ');
  const command = words.at(-1)!.replace(/["\\]/g, '\\$&');
  return [verb, ...words.slice(0, -1), `"${command}"`].join(' ');
}

/** `loss_model=bursts 1% of 5 packets`, as shells hand it over. */
function withQuotes(word: string): string {
  const [property = '', ...values] = word.split('=');
  const value = values.join('=');
  const isText = CHANGEABLE.get(property)?.rule.kind === 'replacement';
  return isText && /\s/.test(value) && !value.includes('"') ? `${property}="${value}"` : word;
}

/** Longer waits are the user's own choice. */
const LONGEST_WAIT = micros(2e6);
/** A host that doesn't have it by then is named; it gets the command when it returns. */
const PATIENCE_MS = 3000;
/** The longest wait of one request. */
const LONGEST_QUESTION_MS = 5000;

async function control(text: string, options: ControlOptions): Promise<void> {
  if (options.api !== undefined) {
    const { commandAt } = await import('./remote.ts');
    const { api, name, host, at, for: length, alone, wait, json } = options;
    return commandAt({ api, name, text, host, at, length, alone, wait, json });
  }
  const experiment = await findExperiment(options.name);
  const request: ControlRequest = {
    text,
    ...options.at,
    ...(options.for !== undefined && { during: options.for }),
    ...(options.alone && { alone: true }),
  };
  const key = userKeyOf(experiment, options.key);
  const accepted = await controlAgents(experiment, options.host, request, key);
  const { command, ...standing } = accepted.answer;
  const isFar = command.at - nowOf(standing) > LONGEST_WAIT;
  const isAwaited = options.wait && !isFar;
  // All that there are is asked for where it is wanted.
  const known = isAwaited
    ? await outcome(accepted, command)
    : options.json
      ? await accepted.ask()
      : undefined;
  const entry = known && entryOf(known, command);
  if (options.json) printJson({ experiment, ...known, command });
  else report(command, known ?? standing, entry);
  if (entry?.state === 'failed') process.exitCode = 1;
}

/** The cost is proportional to the number of pairs that have sent since the last reading. */
async function outcome({ ask, news }: Accepted, command: LiveCommand): Promise<ControlAnswer> {
  const end = performance.now() + toMillis(LONGEST_WAIT) + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    const isOver = entryOf(answer, command)?.state !== 'pending';
    if (isOver && answer.behind.length === 0) return answer;
    const patience = isOver
      ? PATIENCE_MS - toMillis(micros(nowOf(answer) - command.at))
      : Number.POSITIVE_INFINITY;
    const left = Math.min(end - performance.now(), patience);
    if (left < 0) return answer;
    await relevantNews(news, command, performance.now() + left);
  }
}

/** Resolves when the command's outcome is known, the commands of a host have changed, or the time is over. */
async function relevantNews(news: Accepted['news'], command: LiveCommand, until: number): Promise<void> {
  for (let left = until - performance.now(); left >= 0; left = until - performance.now()) {
    const entries = await news(Math.min(left + 1, LONGEST_QUESTION_MS));
    const isRelevant = entries.some(
      (entry) =>
        entry.kind === 'host' || (entry.kind === 'outcome' && compareCommands(entry.command, command) === 0),
    );
    if (isRelevant) return;
  }
}

const nowOf = ({ now }: ControlStanding): number => now ?? 0;

const entryOf = ({ history }: ControlAnswer, command: LiveCommand) =>
  history.find((entry) => compareCommands(entry, command) === 0);

function report(
  command: LiveCommand,
  answer: ControlStanding,
  entry: ReturnType<typeof entryOf> | undefined,
): void {
  const at = `at ${formatMicros(command.at)}`;
  const hosts = answer.inStep.join(', ');
  if (entry?.state === 'done') print(`${styled('green', 'done')} ${at}: ${command.text} (${hosts})`);
  else if (entry?.state === 'failed') warn(`${command.text}: it changed nothing: ${entry.problem}`);
  else if (entry?.state === 'undone') print(`undone: ${command.text}`);
  else
    step(
      `${command.text}: comes into force ${at}, in ${formatMicros(micros(Math.max(0, Math.round(command.at - nowOf(answer)))))}`,
    );
  if (answer.behind.length > 0)
    warn(`not yet known to ${answer.behind.join(', ')}; they follow as soon as they are heard of again`);
}

async function history(
  given: string | undefined,
  { json = false, name, api }: { json?: boolean; name?: string; api?: string },
): Promise<void> {
  if (api !== undefined) return (await import('./remote.ts')).historyAt(api, namedBy(given, name), json);
  const experiment = await findExperiment(namedBy(given, name));
  const answer = await controlHistory(experiment);
  if (json) printJson(answer.history);
  else printHistory(answer.history, answer.folded);
}
