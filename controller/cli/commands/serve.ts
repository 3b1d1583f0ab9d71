/** `netfold serve`: the API of this machine, and its dashboard. */
import { type Command, Option } from 'commander';
import type { Serving } from '../../api/serve.ts';
import type { MeshAddress } from '../../mesh-address.ts';
import { API_ADDRESS, parseApiAddress } from '../options/serve-options.ts';
import { SIGNALS } from '../options/with-experiment.ts';
import { print, printJson, step, warn } from '../terminal/output.ts';

interface ServeFlags {
  readonly listen: MeshAddress;
  readonly key?: string;
  /** `--no-auth`. */
  readonly auth: boolean;
  readonly allowHost?: readonly string[];
  readonly openMetrics?: boolean;
  readonly link?: boolean;
  readonly json?: boolean;
  readonly withStdin?: boolean;
}

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description(
      'serve API and dashboard of all experiments of this machine until Ctrl-C; they do not depend on it',
    )
    .addOption(
      new Option('--listen <address[:port]>', 'where')
        .default(API_ADDRESS, `${API_ADDRESS.address}:${API_ADDRESS.port}`)
        .argParser(parseApiAddress),
    )
    .addOption(
      new Option(
        '--key <file>',
        "the user's key that signs commands (default: that of who started the experiment here)",
      ).env('NETFOLD_KEY'),
    )
    .option(
      '--allow-host <name>',
      'a name under which browsers reach this server, beside its addresses; several may be given',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option('--no-auth', 'without a token: every user and program of this machine may ask (loopback only)')
    .option('--open-metrics', 'let whoever reaches the server read /metrics without the token')
    .option('--link', 'print another link to the server that listens there, and end')
    .option('--json', 'print JSON: {url, link, tokenFile}')
    .addOption(new Option('--with-stdin', 'end when stdin ends').hideHelp())
    .action((flags: ServeFlags) => (flags.link ? anotherLink(flags) : serve(flags)));
}

/** Beside an experiment, by its own process. Only this needs the modules of the API. */
export async function serveBeside(listen: MeshAddress | true): Promise<Serving> {
  const { serveApi } = await import('../../api/serve.ts');
  return serveApi({ listen: listen === true ? API_ADDRESS : listen, hasToken: true, names: [] });
}

async function serve(flags: ServeFlags): Promise<void> {
  const { listen, key, auth, allowHost = [], openMetrics = false, json, withStdin } = flags;
  const { serveApi } = await import('../../api/serve.ts');
  const ended = Promise.withResolvers<void>();
  for (const signal of SIGNALS) process.on(signal, () => ended.resolve());
  const serving = await serveApi({ listen, key, hasToken: auth, names: allowHost, openMetrics });
  const { url, link, tokenFile } = serving;
  if (json) printJson({ url, link, tokenFile: tokenFile ?? null });
  else {
    print(`the API is at ${url}/api/v1 (docs/api.md)`);
    print(`  dashboard, by a link for one browser:  ${link}`);
    if (tokenFile !== undefined) print(`  token for programs:                    ${tokenFile}`);
    step('Ctrl-C ends the server; experiments go on');
  }
  if (!auth) warn('every user and program of this machine may run commands as root through this server');
  if (withStdin) process.stdin.resume().on('end', () => ended.resolve());
  await ended.promise;
  await serving.close();
  process.stdin.pause();
}

/** Links can be used once; whoever can read the token gets more. */
async function anotherLink({ listen, json }: ServeFlags): Promise<void> {
  const { connectApi } = await import('../options/api-option.ts');
  const host = listen.address.includes(':') ? `[${listen.address}]` : listen.address;
  const url = `http://${host}:${listen.port}`;
  const { path } = await connectApi(url).call('makeLink', {});
  if (json) printJson({ link: url + path });
  else print(url + path);
}
