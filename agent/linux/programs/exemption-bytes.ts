/** The table of exempt traffic as the programs read it (`struct exemption_list` of bpf/layout.h). Pure. */
import { isIPv4 } from 'node:net';
import type { Exemption } from '../../../proto/bootstrap.ts';
import { ADDRESS_BYTES, addressBytes } from '../../kernel/netlink/addresses.ts';
import { EXEMPT_NETWORK, EXEMPT_PORT, EXEMPTIONS } from '../objects/bpf-layout.ts';

/** Of the protocol field of IP headers (netinet/in.h). */
const PROTOCOLS = { tcp: 6, udp: 17 } as const;
const ADDRESS_BITS = 128;
const IPV4_BITS = 32;
const BYTE_BITS = 8;

/** There is room for them (`hasRoomFor`). Ports in network order; networks without the bits that don't count. */
export function exemptionBytes(traffic: readonly Exemption[]): Uint8Array {
  const bytes = new Uint8Array(EXEMPTIONS.size);
  const view = new DataView(bytes.buffer);
  let ports = 0;
  let networks = 0;
  for (const one of traffic) {
    if ('port' in one) {
      const at = EXEMPTIONS.port + EXEMPT_PORT.size * ports++;
      view.setUint16(at + EXEMPT_PORT.port, one.port);
      bytes[at + EXEMPT_PORT.protocol] = PROTOCOLS[one.protocol];
      continue;
    }
    const at = EXEMPTIONS.network + EXEMPT_NETWORK.size * networks++;
    const mask = maskOf(isIPv4(one.network) ? ADDRESS_BITS - IPV4_BITS + one.bits : one.bits);
    bytes.set(mask, at + EXEMPT_NETWORK.mask);
    bytes.set(
      addressBytes(one.network).map((byte, index) => byte & mask[index]!),
      at + EXEMPT_NETWORK.address,
    );
  }
  // The machine's own order, as the kernel reads it.
  new Uint32Array(bytes.buffer, EXEMPTIONS.ports, 1)[0] = ports;
  new Uint32Array(bytes.buffer, EXEMPTIONS.networks, 1)[0] = networks;
  return bytes;
}

/** So many ones, then zeros. */
function maskOf(bits: number): Uint8Array {
  return Uint8Array.from({ length: ADDRESS_BYTES }, (_, index) => {
    const ones = Math.max(0, Math.min(BYTE_BITS, bits - index * BYTE_BITS));
    return (0xff00 >> ones) & 0xff;
  });
}
