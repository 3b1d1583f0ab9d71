/** What plans of containers of Docker contain. */
import type { Service } from '../../../topology/model/model.ts';
import type { ContainersPlan, RunningKind } from '../containers/running-plan.ts';

export const DOCKER = {
  platform: 'docker',
  place: 'containers of this machine',
  lives: {
    elsewhere: 'the containers were there before, and netfold neither starts nor ends what runs in them',
    remedy:
      'use docker kill, stop, start or restart, which netfold follows; disconnect and reconnect cut the network alone',
  },
} as const satisfies RunningKind;

/** What `make` needs for containers that are not there. */
export interface Making {
  readonly socket: string;
  readonly subnet: string;
  readonly gateway: string;
  /** Absent: IPv4 alone. */
  readonly ipv6Subnet?: string;
  /** Images that the engine does not have and that are to be pulled. */
  readonly pull: readonly string[];
  /** By name. */
  readonly services: ReadonlyMap<string, Service>;
}

export interface DockerPlan extends ContainersPlan {
  /** Absent: the containers are there. */
  readonly making?: Making;
}
