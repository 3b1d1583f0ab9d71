/** Traffic that is never shaped, as text: `tcp:8080`, `udp:53`, `10.0.0.0/8`, `2001:db8::7`. */
import { isIP } from 'node:net';
import { type Exemption, hasRoomFor, MOST_EXEMPTIONS } from '../proto/bootstrap.ts';
import { NetfoldError } from '../proto/errors.ts';

/** A list with commas. Throws `NetfoldError` (`EXEMPTION_INVALID`). */
export function parseExemptions(text: string): Exemption[] {
  return text.split(',').map((part) => parseExemption(part.trim()));
}

function parseExemption(text: string): Exemption {
  const [, protocol, digits] = /^(tcp|udp):(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (protocol !== undefined && port >= 1 && port <= 65_535)
    return { protocol: protocol.toLowerCase() as 'tcp' | 'udp', port };
  const [, network = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const most = isIP(network) === 4 ? 32 : 128;
  const bits = prefix === undefined ? most : Number(prefix);
  if (isIP(network) !== 0 && !network.includes('%') && bits <= most) return { network, bits };
  throw invalid(`"${text}" names no traffic`);
}

/** Throws `EXEMPTION_INVALID` if there is no room for so many. */
export function requireRoomFor(exemptions: readonly Exemption[]): void {
  if (!hasRoomFor(exemptions)) throw invalid(`${exemptions.length} ports and networks are too many`);
}

const invalid = (message: string): NetfoldError =>
  new NetfoldError({
    code: 'EXEMPTION_INVALID',
    blame: 'usage',
    message,
    remedy: `write ports and networks, at most ${MOST_EXEMPTIONS} of each: --never tcp:8080,udp:53,10.0.0.0/8`,
  });

export const formatExemption = (one: Exemption): string =>
  'port' in one ? `${one.protocol}:${one.port}` : `${one.network}/${one.bits}`;
