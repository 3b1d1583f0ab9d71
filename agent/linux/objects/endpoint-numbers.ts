/** Endpoints by their addresses, as the BPF maps have them. */
import { addressBytes, addressKey } from '../../kernel/netlink/addresses.ts';

/** The numbers of endpoints, each by the keys of all its addresses. Throws like `addressBytes`. */
export function numbersByAddress(
  endpoints: readonly { readonly number: number; readonly addresses: readonly string[] }[],
): Map<string, number> {
  return new Map(
    endpoints.flatMap(({ number, addresses }) =>
      addresses.map((text): [string, number] => [addressKey(addressBytes(text)), number]),
    ),
  );
}
