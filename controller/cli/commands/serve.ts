/** `netfold serve`: the API of this machine, and its dashboard. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { TlsFiles } from '../../api/access/tls.ts';
import type { Serving } from '../../api/serve.ts';
import { ControllerError } from '../../errors.ts';
import type { MeshAddress } from '../../mesh-address.ts';
import {
  API_ADDRESS,
  addTlsOptions,
  parseApiAddress,
  type TlsFlags,
  tlsFilesOf,
} from '../options/serve-options.ts';
import { SIGNALS } from '../options/with-experiment.ts';
import { print, printJson, step, warn } from '../terminal/output.ts';

interface ServeFlags extends TlsFlags {
  readonly listen: MeshAddress;
  readonly key?: string;
  readonly sshConfig?: string;
  /** `--no-auth`. */
  readonly auth: boolean;
  readonly allowHost?: readonly string[];
  readonly openMetrics?: boolean;
  readonly link?: boolean;
  readonly json?: boolean;
  readonly withStdin?: boolean;
}

export function addServeCommand(program: Command): void {
  addTlsOptions(program.command('serve'))
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
    .option(
      '--ssh-config <file>',
      "for experiments on hosts over SSH that are started by the API: instead of ~/.ssh/config, as ssh's -F",
    )
    .option('--no-auth', 'without a token: every user and program of this machine may ask (loopback only)')
    .option('--open-metrics', 'let whoever reaches the server read /metrics without the token')
    .option(
      '--link',
      'print another link to the server that listens there, and end; --tls-cert FILE if it has one',
    )
    .option('--json', 'print JSON: {url, link, tokenFile}')
    .addOption(new Option('--with-stdin', 'end when stdin ends').hideHelp())
    .action((flags: ServeFlags) => (flags.link ? anotherLink(flags) : serve(flags)));
}

/** Of `up` and `verify`. */
export interface BesideFlags extends TlsFlags {
  readonly serve?: MeshAddress | true;
}

/** What is wrong with the files, before anything else is done. Throws `TLS_USAGE`, and what `readTls` throws. */
export async function checkBeside(flags: BesideFlags): Promise<void> {
  await tlsOf(flags, flags.serve !== undefined);
}

/** Beside an experiment, by its own process; `undefined`: it is not asked for. Only this needs the modules of the API. */
export async function serveBeside(flags: BesideFlags): Promise<Serving | undefined> {
  const { serve: listen } = flags;
  if (listen === undefined) return undefined;
  const { serveApi } = await import('../../api/serve.ts');
  const tls = tlsFilesOf(flags);
  return serveApi({ listen: listen === true ? API_ADDRESS : listen, hasToken: true, names: [], tls });
}

async function tlsOf(flags: TlsFlags, isServing = true): Promise<TlsFiles | undefined> {
  const files = tlsFilesOf(flags, isServing);
  if (files) (await import('../../api/access/tls.ts')).readTls(files);
  return files;
}

async function serve(flags: ServeFlags): Promise<void> {
  const { listen, key, sshConfig, auth, allowHost = [], openMetrics = false, json, withStdin } = flags;
  const tls = await tlsOf(flags);
  const { isLoopback, serveApi } = await import('../../api/serve.ts');
  const ended = Promise.withResolvers<void>();
  for (const signal of SIGNALS) process.on(signal, () => ended.resolve());
  const serving = await serveApi({
    ...{ listen, key, hasToken: auth, names: allowHost, openMetrics, tls },
    ...(sshConfig !== undefined && { sshConfig: resolve(sshConfig) }),
  });
  const { url, tokenFile } = serving;
  const link = serving.link();
  if (json) printJson({ url, link, tokenFile: tokenFile ?? null });
  else {
    print(`the API is at ${url}/api/v1 (docs/api.md)`);
    print(`  dashboard, by a link for one browser:  ${link}`);
    if (tokenFile !== undefined) print(`  token for programs:                    ${tokenFile}`);
    step('Ctrl-C ends the server; experiments go on');
  }
  if (!auth) warn('every user and program of this machine may run commands as root through this server');
  if (!tls && !isLoopback(listen.address))
    warn(
      `the token passes ${listen.address} in the clear: who can listen to that network can use it (--tls-cert, --tls-key)`,
    );
  if (withStdin) process.stdin.resume().on('end', () => ended.resolve());
  await ended.promise;
  await serving.close();
  process.stdin.pause();
}

/** Links can be used once; whoever can read the token gets more. */
async function anotherLink({ listen, json, tlsCert, tlsKey }: ServeFlags): Promise<void> {
  if (tlsKey !== undefined)
    throw new ControllerError('TLS_USAGE', '--link needs no key', 'leave --tls-key out');
  const host = listen.address.includes(':') ? `[${listen.address}]` : listen.address;
  const link = await linkAt(`${host}:${listen.port}`, tlsCert);
  if (json) printJson({ link });
  else print(link);
}

async function linkAt(host: string, certificate: string | undefined): Promise<string> {
  if (certificate !== undefined)
    return (await import('../../../sdk/pinned-link.ts')).pinnedLink(`https://${host}`, certificate);
  const { connectApi } = await import('../options/api-option.ts');
  const url = `http://${host}`;
  return url + (await connectApi(url).call('makeLink', {})).path;
}
