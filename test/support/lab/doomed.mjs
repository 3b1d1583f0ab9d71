/**
 * Programs that are hard to end, for tests of what a crash leaves: `serve` fills the socket buffers of its clients, ignores
 * SIGTERM and starts processes with sessions of their own; `read ADDRESS` prints how its connection has ended.
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const PORT = 7000;
const [role, address] = process.argv.slice(2);

if (role === 'serve') serve();
else read();

function serve() {
  process.on('SIGTERM', () => {});
  spawn('setsid', ['sleep', '1001'], { stdio: 'ignore' });
  // A daemon: its parent has ended, so init is its parent.
  spawn('sh', ['-c', '(setsid sleep 1002 &) ; exit'], { stdio: 'ignore' });
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(Buffer.alloc(1 << 20));
  });
  server.on('error', ({ code }) => console.log(`failed ${code}`));
  server.listen(PORT, () => console.log('begins'));
}

function read() {
  const socket = connect(PORT, address, () => console.log('connected'));
  // Only a host that hears something from it can tell that it knows nothing of the connection.
  const speaking = setInterval(() => socket.write('.'), 100);
  let bytes = 0;
  socket.on('data', ({ length }) => {
    bytes += length;
  });
  const end = (how) => {
    clearInterval(speaking);
    console.log(`${how} after ${bytes < 1 << 20 ? 'a part' : 'all'}`);
    process.exit();
  };
  socket.on('end', () => end('end'));
  socket.on('error', ({ code }) => end(code));
}
