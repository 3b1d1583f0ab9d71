/** Which experiment a command is about. */
import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import { ControllerError } from '../../errors.ts';

/** The variable that names the experiment of a shell, or of a script, once for all commands. */
export const NAME_VARIABLE = 'NETFOLD_NAME';

/** `--name`, else what the variable says. */
export const nameOption = (description: string): Option =>
  new Option('--name <experiment>', description).env(NAME_VARIABLE);

/** Of commands that take it as an argument, too. The argument goes before the variable. */
export const sameNameOption = (): Option => nameOption('the same as the argument, as other commands have it');

/** What the user means: the argument, else `--name`, else the variable; `undefined`: the only one. */
export const namedBy = (argument: string | undefined, option: string | undefined): string | undefined =>
  argument ?? option;

/** Of commands that can ask the `netfold serve` of another machine (options/api-option.ts). */
export const apiOption = (): Option =>
  new Option('--api <url>', 'of an experiment of another machine: the address of its `netfold serve`')
    .env('NETFOLD_API')
    // An empty variable is none.
    .argParser((text) => (text === '' ? undefined : text));

/** Beside `--api`: whom a server with TLS is believed by, beside the authorities that Node knows (and NODE_EXTRA_CA_CERTS). */
export const caOption = (): Option =>
  new Option(
    '--ca <file>',
    'with --api https://…: a certificate to trust, that of the server or of its authority',
  )
    .env('NETFOLD_CA')
    .argParser((path) => {
      // For all connections of this process that are made from now on.
      if (path !== '') trust(path);
      return path;
    });

/** Throws `FILE_UNREADABLE`, `TLS_CERTIFICATE`. */
function trust(path: string): void {
  const certificates = readCertificates(path);
  // Few commands need it.
  const { getCACertificates, setDefaultCACertificates } = process.getBuiltinModule('node:tls');
  try {
    setDefaultCACertificates([...getCACertificates('default'), ...certificates]);
  } catch (cause) {
    throw noCertificate(path, cause);
  }
}

function readCertificates(path: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `${path} can't be read: ${(cause as Error).message}`;
    throw new ControllerError('FILE_UNREADABLE', message, 'give the path of a certificate (PEM)', cause);
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (found) return found;
  throw noCertificate(path);
}

const noCertificate = (path: string, cause?: unknown): ControllerError =>
  new ControllerError(
    'TLS_CERTIFICATE',
    `${path} contains no certificate`,
    'write it as PEM: -----BEGIN CERTIFICATE-----',
    cause,
  );
