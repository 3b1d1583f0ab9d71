/** The inside of this machine's endpoints: outputs as `netfold logs` reads them, commands as `netfold exec` runs them. */
import { spawn } from 'node:child_process';
import { MAX_LOG_BYTES } from '../../proto/api/v1/endpoints.ts';
import { MAIN } from '../experiment/agents.ts';
import { LogReader } from '../logs/log-reader.ts';
import { logFile } from '../names.ts';
import { openPlatform } from '../platform/registry.ts';
import { ExecSlots, timeoutMsOf } from './exec-bounds.ts';
import { openLocalTerminal } from './local-terminal.ts';
import type { ExecRequest, Executed, Inside, Logs } from './ports.ts';
import { outcomeOf, toItsEnd } from './starting/bounded-child.ts';

export function localInside(): Inside {
  const slots = new ExecSlots();
  return {
    logs: async ({ name, platform }, endpoint, query) => {
      const { contained } = await openPlatform(platform);
      const words = await contained?.logs(endpoint, { follow: false, tail: query.tail });
      if (!words) return readLog(logFile(name, endpoint.name), endpoint.name, query);
      const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
      const { stdout, stderr } = await outcomeOf(child);
      return { endpoint: endpoint.name, text: stdout + stderr, next: null };
    },
    exec: ({ name }, endpoint, request, signal) =>
      slots.run(() => exec(name, endpoint.name, request, signal)),
    terminal: ({ name }, endpoint, size, ears) => openLocalTerminal(name, endpoint.name, size, ears),
  };
}

interface LogPlan {
  readonly tail: number;
  readonly from?: number | undefined;
}

export function readLog(path: string, endpoint: string, { tail, from }: LogPlan): Logs {
  const reader = new LogReader(path, { ...(from === undefined ? { tail } : { from }), once: true });
  try {
    const pieces: Buffer[] = [];
    let size = 0;
    for (let bytes = reader.read(); bytes.length > 0; bytes = reader.read()) {
      pieces.push(bytes);
      size += bytes.length;
      if (size >= MAX_LOG_BYTES) break;
    }
    const all = Buffer.concat(pieces);
    const whole = wholeCharacters(all);
    return { endpoint, text: all.toString('utf8', 0, whole), next: reader.position - (all.length - whole) };
  } finally {
    reader.close();
  }
}

/** How many of the bytes end with a whole character; the rest of the last one may follow. */
export function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

async function exec(
  experiment: string,
  node: string,
  { command, stdin, timeout, user, privileged }: ExecRequest,
  signal: AbortSignal,
): Promise<Executed> {
  const timeoutMs = timeoutMsOf(timeout);
  const options = [...(user === undefined ? [] : ['--user', user]), ...(privileged ? ['--privileged'] : [])];
  const words = [MAIN, 'exec', ...options, '--name', experiment, node, '--', ...command];
  const { NETFOLD_API: _, NETFOLD_TOKEN: __, ...env } = process.env;
  const child = spawn(process.execPath, [...process.execArgv, ...words], {
    env: { ...env, NO_COLOR: '1' },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return toItsEnd(child, { stdin, timeoutMs, signal });
}
