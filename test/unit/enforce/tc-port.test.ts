import { describe } from 'vitest';
import { FakeTc } from '../../support/fakes/fake-tc.ts';
import { tcPortContract } from '../../support/fakes/tc-port-contract.ts';

describe('the fake of tc', () =>
  tcPortContract(
    () => ({
      tc: new FakeTc(),
      endpoint: {
        number: 3,
        name: 'client.0',
        namespace: '/run/netns/none',
        ifname: 'eth0',
        ifindex: 2,
        addresses: ['10.1.0.1', 'fd00:1::1'],
      },
      close: () => {},
    }),
    true,
  ));
