/**
 * Rates on the wire: small floating-point numbers of a 5-bit exponent and a 9-bit mantissa, two bytes as a varint.
 * All agents, the sender too, compute shares from the decoded rate, so that they get the same bits.
 */

const MANTISSA_BITS = 9;
const MANTISSA_END = 1 << MANTISSA_BITS;
const MAX_EXPONENT = 31;

/** The largest code: 511 × 2^31 bit/s, about 1.1 Tb/s. */
export const MAX_RATE_CODE = MAX_EXPONENT * MANTISSA_END + MANTISSA_END - 1;

/**
 * The code of the nearest rate, at most 0.2 % off (above 511 bit/s; below, whole bit/s). Any rate above 0 has a code
 * above 0, too large ones the largest. A larger rate never has a smaller code.
 */
export function encodeRate(bps: number): number {
  if (!(bps > 0)) return 0;
  if (bps >= decodeRate(MAX_RATE_CODE)) return MAX_RATE_CODE;
  let mantissa = Math.max(1, bps);
  let exponent = 0;
  while (Math.round(mantissa) >= MANTISSA_END) {
    mantissa /= 2;
    exponent++;
  }
  return exponent * MANTISSA_END + Math.round(mantissa);
}

/** bit/s, exactly. */
export function decodeRate(code: number): number {
  return (code % MANTISSA_END) * 2 ** Math.floor(code / MANTISSA_END);
}

/** The rate that others will decode for `bps`. */
export function announcedRate(bps: number): number {
  return decodeRate(encodeRate(bps));
}
