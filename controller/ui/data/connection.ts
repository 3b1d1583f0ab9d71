/** How the page hears of an experiment. Pure. */

export type Connection = 'connecting' | 'live' | 'lost' | 'ended';

/**
 * After a request about it was refused with this code. Who has heard of an experiment that is unknown now knows that it has
 * ended, also where nobody could say so: the server was another one, or the browser asleep. Before, it may be just starting.
 */
export const afterRefusal = (before: Connection, code: string): Connection =>
  code === 'EXPERIMENT_UNKNOWN' && (before === 'live' || before === 'lost') ? 'ended' : before;
