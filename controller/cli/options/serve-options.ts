/** Where the API listens, as given on the command line. */
import { isIP } from 'node:net';
import { InvalidArgumentError, Option } from 'commander';
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
