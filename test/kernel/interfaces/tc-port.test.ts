/** LinuxTc keeps the contract of `TcPort`, on a veth pair in a namespace of its own. */
import { describe } from 'vitest';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import { loadPrograms } from '../../../agent/linux/programs/programs.ts';
import { tcPortContract } from '../../support/fakes/tc-port-contract.ts';
import { layCable } from '../../support/kernel/veth-pair.ts';

const hasNetem = delayBackends(probeMachine()).includes('netem');

describe('tc over netlink', () =>
  tcPortContract(() => {
    const cable = layCable();
    const programs = loadPrograms(64);
    return {
      tc: programs.tc,
      endpoint: { ...cable.a, addresses: ['10.1.0.1', 'fd00:1::1'] },
      close: async () => {
        await programs.close();
        cable.remove();
      },
    };
  }, hasNetem));
