/**
 * Answers echo requests over IPv4 as over an ideal link: each exactly HOLD_MS after it arrived.
 *
 *   node bench/measure/traffic/ideal-echo.ts HOLD_MS
 *
 * Runs in the answering endpoint's namespace, whose kernel must not answer itself (net.ipv4.icmp_echo_ignore_all). Prints a line
 * when it is ready, and ends by a signal. It never sleeps, so it is awake when a request arrives and when an answer is due, at
 * the price of a whole processor.
 */
import { receiveFrom, sendTo } from '../../../agent/kernel/sys/datagrams.ts';
import { SOCK_RAW, socket } from '../../../agent/kernel/sys/sockets.ts';

const AF_INET = 2;
const IPPROTO_ICMP = 1;
const SOCKET_ADDRESS_BYTES = 16;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const CHECKSUM_AT = 2;

interface Held {
  readonly dueMs: number;
  readonly answer: Uint8Array;
  readonly address: Uint8Array;
}

const fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
const data = Buffer.alloc(65_536);
const address = Buffer.alloc(SOCKET_ADDRESS_BYTES);

/** The answer to the echo request in an IPv4 packet; of other packets nothing. Its checksum follows from the request's (RFC 1624). */
function answerTo(packet: Buffer): Uint8Array | undefined {
  const headerBytes = (packet[0]! & 0x0f) * 4;
  const answer = Buffer.from(packet.subarray(headerBytes));
  if (answer[0] !== ECHO_REQUEST) return undefined;
  answer[0] = ECHO_REPLY;
  const sum = answer.readUInt16BE(CHECKSUM_AT) + (ECHO_REQUEST << 8);
  answer.writeUInt16BE((sum & 0xffff) + (sum >> 16), CHECKSUM_AT);
  return answer;
}

function answer(holdMs: number): never {
  const held: Held[] = [];
  for (;;) {
    const bytes = receiveFrom(fd, data, address);
    if (bytes > 0) {
      const dueMs = performance.now() + holdMs;
      const found = answerTo(data.subarray(0, bytes));
      if (found) held.push({ dueMs, answer: found, address: Buffer.from(address) });
    }
    while (held.length > 0 && performance.now() >= held[0]!.dueMs) {
      const next = held.shift()!;
      sendTo(fd, next.answer, next.answer.length, next.address);
    }
  }
}

console.log('ready');
answer(Number(process.argv[2]));
