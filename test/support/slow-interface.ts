/** A desired state of two slow classes, as text too, and endpoints whose interfaces get it. */
import { type InterfaceState, NO_PATH, type ShapedClass } from '../../agent/enforce/interface-state.ts';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';

export const endpoint = (number: number, name: string): LocalEndpoint => ({
  number,
  name,
  namespace: `/run/netns/netfold.x.${name}`,
  ifname: 'eth0',
  ifindex: 2,
  addresses: [`10.1.0.${number + 1}`],
});
export const CLIENT = endpoint(0, 'client.0');
export const SERVER = endpoint(3, 'server.0');

export function shaped(minor: number, bytesPerSecond: number): ShapedClass {
  return { minor, bytesPerSecond, burstBytes: 1514, queue: { kind: 'bfifo', limit: 24224 }, bufferBytes: 0 };
}

export function desired(gsoSegments: number, ...classes: ShapedClass[]): InterfaceState {
  return {
    foreignRoot: undefined,
    classifier: true,
    gsoSegments,
    classes: new Map(classes.map((one) => [one.minor, one])),
    targets: new Map([
      ['10.9.0.9', NO_PATH],
      ...classes.map(({ minor }) => [`10.2.0.${minor}`, minor] as const),
    ]),
  };
}

export const SLOW = desired(1, shaped(4, 16_000), shaped(5, 125_000));
export const SLOW_TEXT = `  class 4e46:4 rate 128000bit burst 1514 bfifo limit 24224
  class 4e46:5 rate 1000000bit burst 1514 bfifo limit 24224
  filter bpf netfold
  gso_max_segs 1
  qdisc htb 4e46:
  target 10.2.0.4 4e46:4
  target 10.2.0.5 4e46:5
  target 10.9.0.9 drop`;
