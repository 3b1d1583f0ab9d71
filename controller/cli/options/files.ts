/** Topology files, and scripts of events for them, as arguments of the command line. */
import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LoadedTopology } from '../../../topology/loading.ts';
import type { Extras, TextFile } from '../../../topology/model/format.ts';
import { MAX_TEXT_LENGTH } from '../../../topology/model/limits.ts';
import type { PathAdvice, TcpBuffers } from '../../../topology/path-warnings.ts';
import { beyondRequest, DENIED_BY_NODE } from '../../beyond-request.ts';
import { ControllerError } from '../../errors.ts';
import type { TopologyText } from '../../experiment/bootstraps.ts';
import type { Origin } from '../../record/description.ts';
import type { TemplateTopology } from '../../workbench/templates/folders.ts';
import { warn } from '../terminal/output.ts';

export interface OpenedTopology extends LoadedTopology {
  readonly source: TopologyText;
}

/** What every command that takes a topology file has beside it. */
export interface FileOptions {
  /** A script of events for the topology file. */
  readonly events?: string;
  /** Variables instead of those of the file. */
  readonly set?: ReadonlyMap<string, string>;
  readonly includeOutside?: boolean;
}

/** `--events`, `--set` and `--include-outside`. */
export function addFileOptions(command: Command): Command {
  return addVariableOptions(command).addOption(
    new Option('--events <script>', 'a ThunderStorm script, whose events come after those of the file'),
  );
}

/** Those without `--events`. */
export function addVariableOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--set <name=value>', 'a variable instead of that of the file; repeatable').argParser(
        parseSetting,
      ),
    )
    .addOption(new Option('--include-outside', 'let the file include others outside of its own folder'));
}

function parseSetting(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  if (at < 1) throw new InvalidArgumentError('write a name and a value, e.g. delay=20ms');
  if (before.has(name)) throw new InvalidArgumentError(`${name} is set twice`);
  return new Map([...before, [name, text.slice(at + 1)]]);
}

/** What a command is asked about: the arguments of `loadTopology`, and where the file is from. */
export interface Asked {
  readonly file: string;
  readonly text: string;
  readonly script: TextFile | undefined;
  readonly advice: PathAdvice;
  readonly extras: Extras;
  readonly origin: Origin | undefined;
}

/** Reads the files. `template`: of that name, if there is one. Throws `ControllerError` (`FILE_UNREADABLE`). */
export function askedFor(
  named: string,
  given: FileOptions,
  { template, ...found }: TemplateTopology | { file: string; template?: undefined } = { file: named },
): Asked {
  const { file, ...options } = { ...given, ...found };
  const { events, set } = options;
  return {
    file,
    text: readText(file, 'a topology file'),
    script: events === undefined ? undefined : { file: events, text: readText(events, 'a script of events') },
    advice: { buffers: machineTcpBuffers() },
    extras: extrasOf(file, options),
    origin: originOf(template, set),
  };
}

/** With what agents are told: they have neither the other files nor the variables. */
export function opened(loaded: LoadedTopology, { file, text, script, origin }: Asked): OpenedTopology {
  const whole = loaded.expanded?.() ?? text;
  return { ...loaded, source: { file, text: whole, ...(script && { script }), ...(origin && { origin }) } };
}

function originOf(template: Origin['template'], set: FileOptions['set']): Origin | undefined {
  if (!template && !set) return undefined;
  return { ...(template && { template }), ...(set && { parameters: Object.fromEntries(set) }) };
}

/** What a file may ask for besides its text. */
export function extrasOf(file: string, { set, includeOutside = false }: FileOptions): Extras {
  return {
    ...(set && { set }),
    outside: includeOutside,
    read: (path) => included(path, file, includeOutside, (one) => ({ text: readText(one, 'a file') })),
    readBytes: (path) => included(path, file, includeOutside, (one) => ({ bytes: readWhole(one) })),
  };
}

/** Links of the file system must not lead out of the folder either. */
function included<T>(
  path: string,
  main: string,
  outside: boolean,
  read: (path: string) => T,
): T | { problem: string } {
  try {
    const folder = realpathSync(dirname(main));
    const real = realpathSync(path);
    if (!outside && !real.startsWith(folder === sep ? sep : `${folder}${sep}`))
      return { problem: `it is a link to ${real}, outside of the folder of the file that was named` };
    return read(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === DENIED_BY_NODE) return { problem: beyondRequest(error as Error).message };
    return { problem: code === 'ENOENT' ? 'there is no such file' : message };
  }
}

/** Of hundreds of the same kind, which one cause may have, these show what it is. */
const SHOWN_OF_A_KIND = 3;

/** Tells the warnings of a file, on stderr. */
export function warnOfFile(warnings: LoadedTopology['warnings']): void {
  for (const line of warningLines(warnings)) warn(line);
}

/** In the file's order; of each kind the first few, and at the end how many others there are. */
export function warningLines(warnings: LoadedTopology['warnings']): string[] {
  const counts = new Map<string, number>();
  const lines: string[] = [];
  for (const { code, file, line, message, remedy } of warnings) {
    const nth = (counts.get(code) ?? 0) + 1;
    counts.set(code, nth);
    if (nth <= SHOWN_OF_A_KIND)
      lines.push(`${file}:${line}: ${message}${remedy === '' ? '' : ` (${remedy})`}`);
  }
  const others = [...counts].filter(([, all]) => all > SHOWN_OF_A_KIND);
  const rest = others.map(([code, all]) => `${all - SHOWN_OF_A_KIND} ${code}`);
  const { file } = warnings[0] ?? {};
  if (rest.length > 0)
    lines.push(
      `more warnings of the same kinds: ${rest.join(', ')} (netfold check ${file} --json lists all)`,
    );
  return lines;
}

/** Those of this machine, which endpoints of a lab inherit. */
export const machineTcpBuffers = (): TcpBuffers | undefined =>
  tcpBuffers((setting) => readFileSync(`/proc/sys/net/ipv4/${setting}`, 'utf8'));

/** `readSetting` reads a file of /proc/sys/net/ipv4. `undefined` if it can't, or if the kernel writes something else. */
export function tcpBuffers(readSetting: (name: string) => string): TcpBuffers | undefined {
  try {
    const [sendBytes, receiveBytes] = ['tcp_wmem', 'tcp_rmem'].map((name) =>
      Number(readSetting(name).trim().split(/\s+/)[2]),
    );
    return sendBytes! > 0 && receiveBytes! > 0
      ? { sendBytes: sendBytes!, receiveBytes: receiveBytes! }
      : undefined;
  } catch {
    return undefined;
  }
}

/** A file that is given on the command line. Throws `ControllerError` (`FILE_UNREADABLE`). `what`: with its article. */
export function readText(file: string, what: string): string {
  try {
    return readBounded(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === DENIED_BY_NODE) throw beyondRequest(cause as Error);
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw new ControllerError(
      'FILE_UNREADABLE',
      `${file} can't be read: ${reason}`,
      `give the path of ${what}`,
      cause,
    );
  }
}

/** Bytes of a character in UTF-8, at most: a longer text has too many characters. */
const LONGEST_CHARACTER = 4;
const MAX_BYTES = LONGEST_CHARACTER * MAX_TEXT_LENGTH;
const PIECE_BYTES = 1 << 20;

/** Of a capture: some hundred thousand packets. */
const MOST_CAPTURED = 256 * 2 ** 20;

function readWhole(path: string): Uint8Array {
  const { size } = statSync(path);
  if (size > MOST_CAPTURED)
    throw new ControllerError(
      'FILE_UNREADABLE',
      `${path} has ${size} bytes, more than ${MOST_CAPTURED}`,
      'cut it, e.g. with editcap -c',
    );
  return readFileSync(path);
}

/**
 * The text of a file, pipe or device, which may be one that never ends: of more than `MAX_BYTES`, so much as shows that it
 * is too long.
 */
function readBounded(path: string): string {
  const file = openSync(path, 'r');
  try {
    const pieces: Buffer[] = [];
    let total = 0;
    while (total <= MAX_BYTES) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const length = readSync(file, piece);
      if (length === 0) break;
      pieces.push(piece.subarray(0, length));
      total += length;
    }
    return Buffer.concat(pieces, total).toString('utf8');
  } finally {
    closeSync(file);
  }
}
