/** A server of this process: `netfold serve` on a free port, for as long as somebody needs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NetfoldError } from '../proto/errors.ts';
import { ApiClient } from './client.ts';

/** Of a checkout, or beside what it was compiled to. */
const PROGRAM = ['../bin/netfold', '../../bin/netfold']
  .map((path) => join(import.meta.dirname, path))
  .find(existsSync)!;

interface Server {
  readonly client: ApiClient;
  readonly child: ChildProcess;
}

let current: Promise<Server> | undefined;
let users = 0;

/** All of a process use the same one. `release` ends it when nobody needs it any more. Throws `SERVER_FAILED`. */
export async function localServer(): Promise<{ readonly client: ApiClient; release(): Promise<void> }> {
  users++;
  current ??= start();
  try {
    const { client } = await current;
    return { client, release };
  } catch (error) {
    users--;
    current = undefined;
    throw error;
  }
}

async function release(): Promise<void> {
  users--;
  if (users > 0 || !current) return;
  const { child } = await current;
  current = undefined;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.ref();
  child.kill('SIGTERM');
  await ended;
}

async function start(): Promise<Server> {
  // It ends with this process, however that ends: its stdin does.
  const child = spawn(PROGRAM, ['serve', '--listen', '127.0.0.1:0', '--json', '--with-stdin'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stderr!.on('data', (bytes: Buffer) => {
    err = `${err}${bytes}`.slice(-10_000);
  });
  const { url, tokenFile } = await new Promise<{ url: string; tokenFile: string }>((resolve, reject) => {
    child.stdout!.on('data', (bytes: Buffer) => {
      out += bytes;
      // The object is all that it prints.
      if (out.trimEnd().endsWith('}')) resolve(JSON.parse(out));
    });
    const fail = (): void =>
      reject(
        new NetfoldError({
          code: 'SERVER_FAILED',
          blame: 'machine',
          message: `netfold serve ended: ${err.trim() || 'without a word'}`,
          remedy: 'run it as root; see netfold doctor',
        }),
      );
    child.on('error', fail);
    child.on('exit', fail);
  });
  for (const stream of [child.stdin, child.stdout, child.stderr])
    (stream as unknown as { unref?(): void }).unref?.();
  child.unref();
  return { child, client: new ApiClient(url, readFileSync(tokenFile, 'utf8').trim()) };
}
