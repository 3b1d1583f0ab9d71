/** Single datagrams with their addresses, without waiting. What can't be sent is lost, as in a network. */
import { ERRNO, fail, lastErrno, libc } from './libc.ts';

const raw = {
  recvfrom: libc.func(
    'long recvfrom(int fd, void *data, size_t length, int flags, void *address, _Inout_ uint32_t *addressLength)',
  ),
  sendto: libc.func(
    'long sendto(int fd, void *data, size_t length, int flags, void *address, uint32_t addressLength)',
  ),
};

const MSG_DONTWAIT = 0x40;

/**
 * Bytes received into `data`, and the start of the sender's address in `address`; -1 if none waits. An error that an earlier
 * datagram has met (for instance ECONNREFUSED) counts as none. Throws `KernelError` for a descriptor that is none.
 */
export function receiveFrom(fd: number, data: Uint8Array, address: Uint8Array): number {
  const received = Number(
    raw.recvfrom(fd, data, data.length, MSG_DONTWAIT, address, new Uint32Array([address.length])),
  );
  if (received < 0 && lastErrno() === ERRNO.EBADF) return fail('recvfrom', String(fd));
  return received;
}

/** `address`: a struct sockaddr. Returns whether the kernel has taken the datagram. */
export function sendTo(fd: number, data: Uint8Array, length: number, address: Uint8Array): boolean {
  return Number(raw.sendto(fd, data, length, MSG_DONTWAIT, address, address.length)) >= 0;
}
