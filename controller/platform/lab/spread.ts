/** How endpoints are spread over the hosts of a lab. Small: the command line reads it for its help. */

/** In turn; or so that as little traffic as possible crosses between hosts. */
export const SPREADS = ['turns', 'traffic'] as const;
export type Spread = (typeof SPREADS)[number];
