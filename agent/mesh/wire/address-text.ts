/** IP addresses as text, to be compared. */
import { isIPv6, SocketAddress } from 'node:net';

/** About 10 MB. */
const MAX_REMEMBERED_TEXTS = 65_536;
/** Parsing takes a microsecond, and all addresses of an experiment are compared whenever one changes. */
const texts = new Map<string, string>();

/** The same for all ways to write an address. */
export function addressText(address: string): string {
  if (!isIPv6(address)) return address;
  const known = texts.get(address);
  if (known !== undefined) return known;
  const text = new SocketAddress({ address, family: 'ipv6' }).address;
  if (texts.size >= MAX_REMEMBERED_TEXTS) texts.clear();
  texts.set(address, text);
  return text;
}
