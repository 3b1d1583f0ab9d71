/** Where the API listens, as given on the command line. */
import { isIP } from 'node:net';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ControllerError } from '../../errors.ts';
import type { MeshAddress } from '../../mesh-address.ts';

/** Next to that of the mesh. */
const API_PORT = 4647;
export const API_ADDRESS: MeshAddress = { address: '127.0.0.1', port: API_PORT };

/** `--serve [address]`, of `up` and `verify`. */
export const serveOption = (): Option =>
  new Option(
    '--serve [address]',
    `serve API and dashboard meanwhile, as \`netfold serve\` does (default: ${API_ADDRESS.address}:${API_PORT})`,
  ).argParser(parseApiAddress);

export interface TlsFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** `--tls-cert`, `--tls-key`. */
export function addTlsOptions(command: Command, when = ''): Command {
  return command
    .addOption(new Option('--tls-cert <file>', `${when}serve by TLS with this certificate (PEM, or a chain)`))
    .addOption(new Option('--tls-key <file>', 'its key (PEM, for its owner alone)'));
}

/** `undefined`: plain HTTP. `isServing`: whether a server is asked for at all. Throws `TLS_USAGE`. */
export function tlsFilesOf(
  { tlsCert: cert, tlsKey: key }: TlsFlags,
  isServing = true,
): { readonly cert: string; readonly key: string } | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (!isServing)
    throw new ControllerError('TLS_USAGE', '--tls-cert and --tls-key are of a server', 'add --serve');
  if (cert !== undefined && key !== undefined) return { cert, key };
  const [given, missing] = key === undefined ? ['--tls-cert', '--tls-key'] : ['--tls-key', '--tls-cert'];
  throw new ControllerError('TLS_USAGE', `${given} needs ${missing}`, `add ${missing} FILE`);
}

/** `ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT`, `:PORT` or `PORT`; port 0 is a free one. Throws `InvalidArgumentError`. */
export const parseApiAddress = (text: string): MeshAddress => parseAddress(text, API_PORT);

/** Next to that of the API. */
export const METRICS_PORT = 4648;

/** The same with the port of an agent's metrics. */
export const parseMetricsAddress = (text: string): MeshAddress => parseAddress(text, METRICS_PORT);

function parseAddress(text: string, usual: number): MeshAddress {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const alone = /^\d{1,5}$/.test(text);
  const given = alone ? '' : isIP(text) === 6 ? text : (found?.[1] ?? found?.[2]);
  const port = Number(alone ? text : isIP(text) === 6 ? usual : (found?.[3] ?? usual));
  const address = given === '' || given === 'localhost' ? API_ADDRESS.address : given;
  if (address !== undefined && isIP(address) !== 0 && port <= 65_535) return { address, port };
  throw new InvalidArgumentError(`write ADDRESS or ADDRESS:PORT, e.g. 127.0.0.1:${usual} or [::1]:${usual}`);
}
