/** Memory beside JavaScript's, at a fixed address: for structures that the kernel reads and writes after the call that got them has returned. */
import koffi from 'koffi';
import { fail, libc } from './libc.ts';

const raw = {
  mmap: libc.func(
    'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
  ),
};

const PROT_READ_WRITE = 3;
/** (void *) -1, on 64-bit machines. */
const MAP_FAILED = 0xffffffffffffffffn;
const MAP_SHARED = 1;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Zeroed memory at a fixed address, for structures that point at each other. Never freed. Throws `KernelError`. */
export function mapMemory(bytes: number): { address: bigint; memory: ArrayBuffer } {
  const address = raw.mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0) as bigint;
  if (address === MAP_FAILED) fail('mmap', `${bytes} bytes`);
  return { address, memory: koffi.view(address, bytes) };
}

/** Memory that the kernel fills for a descriptor, from its beginning. Stays until the process ends, also when the descriptor is closed. Throws `KernelError`. */
export function mapDescriptor(fd: number, bytes: number): ArrayBuffer {
  const address = raw.mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0) as bigint;
  if (address === MAP_FAILED) fail('mmap', `${bytes} bytes of ${fd}`);
  return koffi.view(address, bytes);
}
