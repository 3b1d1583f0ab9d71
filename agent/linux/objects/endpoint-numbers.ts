/** The numbers of endpoints by their addresses, in the form of the BPF maps. */
import { addressBytes, addressKey } from '../../kernel/netlink/addresses.ts';

/** Key of an address (`addressKey`) → number of its endpoint. Throws like `addressBytes`. */
export function numbersByAddress(
  endpoints: readonly { readonly number: number; readonly addresses: readonly string[] }[],
): Map<string, number> {
  return new Map(
    endpoints.flatMap(({ number, addresses }) =>
      addresses.map((text): [string, number] => [addressKey(addressBytes(text)), number]),
    ),
  );
}
