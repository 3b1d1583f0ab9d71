/**
 * Runs a command in a container of a pod, with the input, output and exit code of this process: `node stream.ts URL [--terminal]`,
 * where the URL is the answer to CRI's `Exec`. The protocol is that of `kubectl exec`, over a WebSocket: each message begins with
 * the number of its channel (k8s.io/apimachinery, pkg/util/remotecommand/constants.go). `netfold exec` starts it.
 */
import { exit, stderr, stdin, stdout } from 'node:process';

const CHANNEL = { input: 0, output: 1, error: 2, status: 3, size: 4, close: 255 } as const;
/** The fifth version can end the input; containerd 1.6 has the fourth. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;
/** Not more than so much is under way. */
const MOST_PENDING = 2 ** 20;
const LOOK_MS = 10;
/** As shells: a command can't be executed, is not there. */
const EXIT = { failed: 1, notExecutable: 126, notFound: 127 } as const;

interface Status {
  readonly status?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

function main([url, ...options]: readonly string[]): void {
  const isTerminal = options.includes('--terminal');
  const socket = new WebSocket(url!.replace(/^http/, 'ws'), [...PROTOCOLS]);
  socket.binaryType = 'arraybuffer';
  let code: number = EXIT.failed;
  socket.addEventListener('open', () => {
    if (isTerminal) useTerminal(socket);
    passInput(socket);
  });
  socket.addEventListener('message', ({ data }) => {
    const bytes = Buffer.from(data as ArrayBuffer);
    const [channel, text] = [bytes[0], bytes.subarray(1)];
    if (channel === CHANNEL.output) stdout.write(text);
    else if (channel === CHANNEL.error) stderr.write(text);
    else if (channel === CHANNEL.status) code = codeOf(text.toString());
  });
  socket.addEventListener('error', () => stderr.write('netfold: the container runtime broke off\n'));
  socket.addEventListener('close', () => {
    if (isTerminal) stdin.setRawMode?.(false);
    // What was written is read first.
    stdout.write('', () => stderr.write('', () => exit(code)));
  });
}

function passInput(socket: WebSocket): void {
  stdin.on('data', (text: Buffer) => {
    socket.send(Buffer.concat([Buffer.of(CHANNEL.input), text]));
    if (socket.bufferedAmount < MOST_PENDING) return;
    stdin.pause();
    const look = setInterval(() => {
      if (socket.bufferedAmount >= MOST_PENDING) return;
      clearInterval(look);
      stdin.resume();
    }, LOOK_MS);
  });
  stdin.on('end', () => {
    if (socket.protocol === PROTOCOLS[0]) socket.send(Buffer.of(CHANNEL.close, CHANNEL.input));
  });
}

function useTerminal(socket: WebSocket): void {
  stdin.setRawMode?.(true);
  const tell = (): void => {
    const size = JSON.stringify({ Width: stdout.columns, Height: stdout.rows });
    socket.send(Buffer.concat([Buffer.of(CHANNEL.size), Buffer.from(size)]));
  };
  tell();
  stdout.on('resize', tell);
}

/** The exit code that a status tells; prints why a command could not be run. */
function codeOf(text: string): number {
  const { status, message = text, details } = parse(text);
  if (status === 'Success') return 0;
  const told = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (told !== undefined) return Number(told);
  stderr.write(`netfold: ${message}\n`);
  if (/not found|no such file/i.test(message)) return EXIT.notFound;
  return /permission denied/i.test(message) ? EXIT.notExecutable : EXIT.failed;
}

function parse(text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return {};
  }
}

main(process.argv.slice(2));
