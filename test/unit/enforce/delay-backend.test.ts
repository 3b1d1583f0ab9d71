import { describe } from 'vitest';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { delayBackendContract } from '../../support/fakes/delay-backend-contract.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';

const endpoint = (number: number): LocalEndpoint => ({
  number,
  name: `e${number}.0`,
  namespace: `/run/netns/${number}`,
  ifname: 'eth0',
  ifindex: 2,
  addresses: [`10.0.0.${number}`, `fd00::${number}`],
});

describe.each(['delay-line', 'netem'] as const)('the fake of %s', (name) =>
  delayBackendContract(() => {
    const delay = new FakeDelay(name);
    const [source, destination] = [endpoint(1), endpoint(2)];
    return { delay, source, destination, send: () => delay.send(source, destination), close: () => {} };
  }),
);
