/** Prints what commands write, as `printLogs` prints files. */
import { spawn } from 'node:child_process';
import { LinePrefix } from './line-prefix.ts';

export interface Output {
  readonly node: string;
  /** Program and arguments. */
  readonly words: readonly string[];
}

type Write = (bytes: Uint8Array) => Promise<boolean>;

/**
 * With several, each line gets its endpoint's name. They run one after the other or, following, at once. Ends them if nobody reads.
 * Resolves with the exit code of the first that failed, or 0; rejects if one can't be started.
 */
export async function printOutputs(
  outputs: readonly Output[],
  { follow }: { readonly follow: boolean },
  write: Write,
): Promise<number> {
  const width = Math.max(...outputs.map(({ node }) => node.length));
  const print = ({ node, words }: Output): Promise<number> =>
    printOutput(words, outputs.length > 1 ? new LinePrefix(`${node.padEnd(width)} | `) : undefined, write);
  const codes: number[] = [];
  if (follow) codes.push(...(await Promise.all(outputs.map(print))));
  else for (const output of outputs) codes.push(await print(output));
  return codes.find((code) => code !== 0) ?? 0;
}

async function printOutput(
  [program, ...args]: readonly string[],
  prefix: LinePrefix | undefined,
  write: Write,
): Promise<number> {
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
  const pass = async (stream: NodeJS.ReadableStream): Promise<void> => {
    for await (const bytes of stream as AsyncIterable<Buffer>)
      if (!(await write(prefix?.push(bytes) ?? bytes))) child.kill();
  };
  const [code] = await Promise.all([ended, pass(child.stdout), pass(child.stderr)]);
  const rest = prefix?.end();
  if (rest && rest.length > 0) await write(rest);
  return code;
}
