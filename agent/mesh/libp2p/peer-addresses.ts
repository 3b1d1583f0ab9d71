/** Where agents can be dialled: multiaddrs, as users write them and as other agents announce them. */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { MeshError } from '../errors.ts';

/** Throws `MESH_ADDRESS`. */
export function parseAddress(address: string): Multiaddr {
  try {
    return multiaddr(address);
  } catch (cause) {
    throw new MeshError('MESH_ADDRESS', `"${address}" is not an address of an agent`, {
      remedy: 'write a multiaddr, e.g. /ip4/192.0.2.7/tcp/4646',
      blame: 'input',
      cause,
    });
  }
}

/** Whether an address that another agent has told is one. */
export function isAddress(address: string): boolean {
  try {
    parseAddress(address);
    return true;
  } catch {
    return false;
  }
}

/** Announced addresses may be no addresses, or not those of the peer; such are left out. */
export function dialable(peer: string, addresses: readonly string[]): Multiaddr[] {
  return addresses.flatMap((address) => {
    try {
      const suffix = `/p2p/${peer}`;
      return [multiaddr(address.includes('/p2p/') ? address : address + suffix)].filter((parsed) =>
        parsed.toString().endsWith(suffix),
      );
    } catch {
      return [];
    }
  });
}

/** The peer id in an address, if there is one. */
export const peerIn = (address: string): string | undefined => /\/p2p\/([^/]+)$/.exec(address)?.[1];

/** The IPv4 address of a peer to which there is a connection of TCP; `undefined`: it has another one, or is reached over a relay. */
export const directIpv4 = (address: string): string | undefined =>
  /^\/ip4\/([\d.]+)\/tcp\/\d+(?:\/p2p\/[^/]+)?$/.exec(address)?.[1];
