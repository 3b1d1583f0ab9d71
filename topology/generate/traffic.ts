/** The traffic of a generated topology, as `run` commands. */
import type { SeededRandom } from '../model/random.ts';
import { GenerateError } from './errors.ts';
import type { Wiring } from './model.ts';

export const TRAFFIC = ['ping', 'iperf3'] as const;
export type Traffic = (typeof TRAFFIC)[number];

/**
 * Service → shell command. `ping`: every service pings one other, and is pinged by one (a random ring of all).
 * `iperf3`: one half sends TCP without end to the other half, each to one. Partners of the wiring have precedence.
 */
export function trafficCommands(
  { services, partners }: Wiring,
  traffic: Traffic,
  random: SeededRandom,
): Map<string, string> {
  if (services.length < 2) {
    const message = `--traffic ${traffic} needs two services`;
    throw new GenerateError('GENERATE_NUMBER', message, 'use more nodes, or leave --traffic out');
  }
  if (traffic === 'ping') {
    const pairs = partners ? partners.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]) : circle();
    return new Map(pairs.map(([from, to]) => [from, `exec ping -i 1 ${to}`]));
  }
  return new Map(
    (partners ?? halves()).flatMap(([client, server]) => [
      [client, `until iperf3 -c ${server} -C cubic -t 0; do sleep 1; done`] as const,
      [server, 'exec iperf3 -s'] as const,
    ]),
  );

  function circle(): [string, string][] {
    const order = random.sample(services, services.length);
    return order.map((from, index) => [from, order[(index + 1) % order.length]!]);
  }

  /** With an odd number of services one stays idle. */
  function halves(): [string, string][] {
    const order = random.sample(services, services.length);
    const half = Math.floor(order.length / 2);
    return order.slice(0, half).map((client, index) => [client, order[half + index]!]);
  }
}
