/** Settings of IP in network namespaces (/proc/sys/net; Documentation/networking/ip-sysctl.rst of the kernel). */
import { existsSync, writeFileSync } from 'node:fs';
import { within } from './namespaces.ts';

const FOLDER = '/proc/sys/net';

/**
 * A router forwards what comes from where answers to it would go, on interfaces that are added later (the strict reverse path
 * filter, RFC 3704): nobody sends with an address that is not his. The kernel has no such setting for IPv6.
 */
const ROUTER = {
  'ipv4/ip_forward': '1',
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/default/rp_filter': '1',
};
/** New namespaces may inherit a sysctl that switches IPv6 off (net.core.devconf_inherit_init_net). */
const IPV6 = { 'ipv6/conf/all/disable_ipv6': '0' };
const IPV6_ROUTER = { ...IPV6, 'ipv6/conf/all/forwarding': '1' };
/** Of all interfaces, loopback among them; those that are added later take it from `default`. */
const NO_IPV6 = { 'ipv6/conf/all/disable_ipv6': '1', 'ipv6/conf/default/disable_ipv6': '1' };

/** False where the kernel was built or booted without IPv6 (`ipv6.disable=1`): then no namespace can have it. */
export function hasIpv6(): boolean {
  return existsSync(`${FOLDER}/ipv6/conf`);
}

/** Makes the namespace at `path` forward, on interfaces that are added later as well. Without `ipv6` it has none. */
export function makeRouter(path: string, { ipv6 }: { ipv6: boolean }): void {
  write(path, { ...ROUTER, ...(ipv6 ? IPV6_ROUTER : withoutIpv6()) });
}

/** Makes sure that interfaces of the namespace at `path` can have IPv6 addresses. */
export function enableIpv6(path: string): void {
  write(path, IPV6);
}

/** Keeps the interfaces of the namespace at `path`, also those that are added later, from IPv6: not even ::1 is there. */
export function disableIpv6(path: string): void {
  write(path, withoutIpv6());
}

/** A kernel without IPv6 needs no setting. */
const withoutIpv6 = (): Readonly<Record<string, string>> => (hasIpv6() ? NO_IPV6 : {});

function write(path: string, settings: Readonly<Record<string, string>>): void {
  within(path, () => {
    for (const [name, value] of Object.entries(settings)) writeFileSync(`${FOLDER}/${name}`, value);
  });
}
