/** Netlink messages as golden bytes: hex with a `#` comment on each field, in the order in which they are sent. */
import { MessageWriter, NLM_F_ACK, NLM_F_REQUEST } from '../../../agent/kernel/netlink/netlink-message.ts';
import type { NetlinkSocket, Request } from '../../../agent/kernel/netlink/netlink-socket.ts';

/** The bytes of an annotated text: everything but the text after a `#`. Throws if it is not hex. */
export function annotated(text: string): Buffer {
  const hex = text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, '');
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error(`not hex: ${hex}`);
  return Buffer.from(hex, 'hex');
}

/** Four bytes a line, so that a failing comparison shows which field differs. */
export function words(bytes: Uint8Array): string[] {
  return (
    Buffer.from(bytes)
      .toString('hex')
      .match(/.{1,8}/g) ?? []
  );
}

/** The bytes that a socket sends for requests with an acknowledgement, with sequence number 0. */
export function sent(...requests: readonly Request[]): Buffer {
  const writer = new MessageWriter(16);
  for (const { type, flags, body, silent } of requests)
    writer.message(type, flags | NLM_F_REQUEST | (silent ? 0 : NLM_F_ACK), body);
  return Buffer.from(writer.bytes);
}

/** A socket whose dumps give these bodies; `requests` are the requested dumps. */
export function dumpingSocket(...bodies: readonly Buffer[]): { socket: NetlinkSocket; requests: Request[] } {
  const requests: Request[] = [];
  const fake: Pick<NetlinkSocket, 'dump'> = {
    dump: (request, read) => {
      requests.push(request);
      return bodies.map((body) => read(body, request.type)).filter((item) => item !== undefined);
    },
  };
  return { socket: fake as NetlinkSocket, requests };
}
