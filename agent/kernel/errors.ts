import { NetfoldError } from '../../proto/errors.ts';

export type KernelErrorCode =
  | 'SYSCALL_FAILED'
  | 'NAMESPACE_MISSING'
  | 'NAMESPACE_EXISTS'
  | 'NETLINK_REFUSED'
  | 'NETLINK_MALFORMED'
  | 'LIBBPF_MISSING'
  | 'BPF_REFUSED'
  | 'QDISC_FOREIGN'
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
