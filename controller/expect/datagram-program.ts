/**
 * Sends or receives datagrams in an endpoint (datagrams.ts starts it there), and prints a line for each: its number, and when, in
 * nanoseconds by the monotonic clock, which all endpoints of a machine have in common.
 *
 *     receive ADDRESS                prints `port N` first: where it listens
 *     send ADDRESS PORT INTERVAL     every so many milliseconds
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** As the data of an echo request by `ping`. */
const BYTES = 56;

const [role, address = '', port, interval] = process.argv.slice(2);
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
const tell = (...words: (string | number | bigint)[]): boolean =>
  process.stdout.write(`${words.join(' ')}\n`);
// Its starter has ended.
process.stdout.on('error', () => process.exit());

if (role === 'receive') {
  socket.on('message', (message) => {
    const now = process.hrtime.bigint();
    if (message.length === BYTES) tell(message.readUInt32LE(), now);
  });
  socket.bind(0, address, () => tell('port', socket.address().port));
} else {
  const message = Buffer.alloc(BYTES);
  let number = 0;
  setInterval(() => {
    message.writeUInt32LE(number);
    const now = process.hrtime.bigint();
    // Nowhere to send to, for the moment: it is lost.
    socket.send(message, Number(port), address, () => {});
    tell(number++, now);
  }, Number(interval));
}
