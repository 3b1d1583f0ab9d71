import { NetfoldError } from '../../../proto/errors.ts';

export type KernelErrorCode =
  | 'SYSCALL_FAILED'
  | 'NAMESPACE_MISSING'
  | 'NAMESPACE_EXISTS'
  | 'INTERFACE_GONE'
  | 'NETLINK_REFUSED'
  | 'READBACK_MISMATCH'
  | 'NETLINK_OVERRUN'
  | 'NETLINK_MALFORMED'
  | 'LIBBPF_MISSING'
  | 'BPF_REFUSED'
  | 'QDISC_FOREIGN'
  | 'QDISC_NOT_RESTORABLE'
  | 'RESTORE_FAILED'
  | 'NO_PERMISSION';

/** The kernel, or a library beside it, said no. `errno` is its number, where there is one. */
export class KernelError extends NetfoldError {
  declare readonly code: KernelErrorCode;
  readonly errno: number;

  constructor(facts: {
    code: KernelErrorCode;
    message: string;
    remedy?: string;
    errno?: number;
    cause?: unknown;
  }) {
    super({ ...facts, blame: 'machine' });
    this.errno = facts.errno ?? 0;
  }
}
