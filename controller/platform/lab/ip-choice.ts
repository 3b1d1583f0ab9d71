/** Which IP versions the endpoints of a lab have. Small: the command line reads it for its help. */
import { ControllerError } from '../../errors.ts';

export const IP_CHOICES = ['4', '6', 'both'] as const;

/** A user's choice. */
export type IpChoice = (typeof IP_CHOICES)[number];

/**
 * At least one of the two. Without a choice both, or IPv4 on a kernel without IPv6; throws `IPV6_MISSING` if the user has
 * asked for what such a kernel does not have.
 */
export function familiesOf(ip: IpChoice | undefined, hasIpv6: boolean): { ipv4: boolean; ipv6: boolean } {
  const wantsIpv6 = ip !== '4';
  if (wantsIpv6 && !hasIpv6 && ip !== undefined)
    throw new ControllerError(
      'IPV6_MISSING',
      `--ip ${ip}: this kernel has no IPv6`,
      'write --ip 4, or see `netfold doctor` for what the kernel lacks',
    );
  return { ipv4: ip !== '6', ipv6: wantsIpv6 && hasIpv6 };
}
