// Sends requests to a NATS server, one after the other: HOST SUBJECT BODY COUNT → { answer, times } in JSON, times in ms.
// Ends with 1 if an answer doesn't come within three seconds. https://docs.nats.io/reference/reference-protocols/nats-protocol
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';

const [host = '', subject = '', body = '', count = '1'] = process.argv.slice(2);
const WAIT_MS = 3000;
/** Of this connection alone, as all clients do: servers remember for a while who subscribed to what. */
const inbox = `_INBOX.${randomUUID()}`;
const socket = connect({ host, port: 4222, noDelay: true });
let text = '';
/** @type {(answer: string) => void} */
let heard = () => {};
socket.on('data', (data) => {
  text += String(data);
  if (/^PING\r\n/m.test(text)) socket.write('PONG\r\n');
  const message = /^MSG \S+ 1 +\d+\r\n(.*)\r\n/m.exec(text);
  if (message?.[1] === undefined) return;
  text = '';
  heard(message[1]);
});
socket.on('error', () => process.exit(1));
socket.write(`CONNECT {"verbose":false}\r\nSUB ${inbox} 1\r\n`);

const times = [];
let answer = '';
for (let i = 0; i < Number(count); i++) {
  const timer = setTimeout(() => process.exit(1), WAIT_MS);
  const start = performance.now();
  answer = await new Promise((resolve) => {
    heard = resolve;
    socket.write(`PUB ${subject} ${inbox} ${Buffer.byteLength(body)}\r\n${body}\r\n`);
  });
  times.push(performance.now() - start);
  clearTimeout(timer);
}
console.log(JSON.stringify({ answer, times }));
process.exit(0);
