/**
 * `netfold completion SHELL` prints a script for the shell, which asks `netfold __complete WORD…` what may stand in the place of
 * the last word. Answers come within some tenths of a second: of the commands' modules only that of the present one is loaded,
 * and running experiments are read from their files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ControllerError } from '../../errors.ts';
import { RUN_FOLDER, stateFile } from '../../names.ts';
import { print } from '../terminal/output.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** What the name of an argument says of what it may be. */
const EXPERIMENT = /^experiments?$/;
const ENDPOINT = /^(node|from|to|groups|targets(-and-[a-z]+)?)$/;

export interface CompletionPorts {
  /** Names of all commands. */
  readonly commands: readonly string[];
  /** A command with its options and arguments; `undefined`: there is none of this name. */
  readonly load: (name: string) => Promise<Command | undefined>;
  readonly experiments: () => readonly string[];
  /** Of an experiment; `undefined`: of all. */
  readonly endpoints: (experiment: string | undefined) => readonly string[];
}

/** What may stand in place of the last of these words, which may be empty. An empty answer leaves it to the shell: files. */
export async function candidates(words: readonly string[], ports: CompletionPorts): Promise<string[]> {
  const [name, ...rest] = words;
  const last = words.at(-1) ?? '';
  const begins = (all: readonly string[]): string[] =>
    [...new Set(all)].filter((one) => one.startsWith(last)).sort();
  if (words.length <= 1) return begins(ports.commands);
  const command = await ports.load(name!);
  if (!command) return [];
  const { options } = command;
  // Behind `--`, words belong to a command of the user.
  if (rest.slice(0, -1).includes('--')) return [];
  if (last.startsWith('-'))
    return begins(options.filter(({ hidden }) => !hidden).flatMap((one) => one.long ?? []));
  const before = rest.at(-2);
  const option = options.find(
    ({ long, short }) => before !== undefined && (long === before || short === before),
  );
  if (option && (option.required || option.optional)) {
    if (option.argChoices) return begins(option.argChoices);
    return option.long === '--name' ? begins(ports.experiments()) : [];
  }
  const given = positions(rest.slice(0, -1), command);
  const arguments_ = command.registeredArguments;
  const argument = arguments_[Math.min(given.length, arguments_.length - 1)];
  if (!argument) return [];
  if (argument.argChoices) return begins(argument.argChoices);
  const experiment = valueBehind('--name', rest);
  if (EXPERIMENT.test(argument.name())) return begins(ports.experiments());
  if (argument.name() === 'source') return begins(ports.experiments());
  return ENDPOINT.test(argument.name()) ? begins(ports.endpoints(experiment)) : [];
}

/** The words that are no options, and no values of them. */
function positions(words: readonly string[], { options }: Command): string[] {
  const takesValue = (word: string | undefined): boolean =>
    word !== undefined && options.some((one) => (one.long === word || one.short === word) && one.required);
  return words.filter((word, at) => !word.startsWith('-') && !takesValue(words[at - 1]));
}

function valueBehind(option: string, words: readonly string[]): string | undefined {
  const at = words.indexOf(option);
  return at < 0 ? undefined : words[at + 1];
}

/** What runs on this machine, by the files. A user who may not read them completes nothing. */
export const machinePorts: Pick<CompletionPorts, 'experiments' | 'endpoints'> = {
  experiments: runningNames,
  endpoints: (experiment) =>
    (experiment === undefined ? runningNames() : [experiment]).flatMap((name) => {
      try {
        const state = JSON.parse(readFileSync(stateFile(name), 'utf8')) as { endpoints: { name: string }[] };
        return state.endpoints.map((one) => one.name);
      } catch {
        return [];
      }
    }),
};

function runningNames(): string[] {
  try {
    return readdirSync(RUN_FOLDER, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# netfold completion bash: in ~/.bashrc, source <(netfold completion bash)
_netfold() {
  local line="\${COMP_LINE:0:COMP_POINT}" words=() answer
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  mapfile -t answer < <(netfold __complete "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=("\${answer[@]}")
}
complete -o default -o bashdefault -F _netfold netfold
`,
  zsh: `#compdef netfold
# netfold completion zsh: in ~/.zshrc, after compinit, source <(netfold completion zsh)
_netfold() {
  local -a answer
  answer=("\${(@f)$(netfold __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${answer[1]}" ]]; then compadd -a answer; else _files; fi
}
compdef _netfold netfold
`,
  fish: `# netfold completion fish: netfold completion fish > ~/.config/fish/completions/netfold.fish
function __netfold_complete
  set -l words (commandline -opc) (commandline -ct)
  netfold __complete $words[2..-1] 2>/dev/null
end
complete -c netfold -a '(__netfold_complete)'
`,
};

export function addCompletionCommand(program: Command): void {
  program
    .command('completion <shell>')
    .description(
      `print a script that completes commands, options, experiments and endpoints: ${SHELLS.join(', ')}`,
    )
    .action((shell: string) => {
      if (!Object.hasOwn(SCRIPTS, shell))
        throw new ControllerError(
          'COMPLETION_SHELL',
          `there is no completion for ${shell}`,
          `there is for ${SHELLS.join(', ')}`,
        );
      print(SCRIPTS[shell as keyof typeof SCRIPTS]);
    });
}
