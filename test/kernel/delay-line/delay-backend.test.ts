/** The delay line keeps the contract of `DelayBackend`, on a veth pair. */
import { describe } from 'vitest';
import { createDelayBackend } from '../../../agent/linux/delay/delay-backend.ts';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import { loadPrograms } from '../../../agent/linux/programs/programs.ts';
import { delayBackendContract } from '../../support/fakes/delay-backend-contract.ts';
import { layCable } from '../../support/kernel/veth-pair.ts';
import { runIn, until } from '../../support/lab/lab.ts';

describe.each(delayBackends(probeMachine()))('%s', (name) =>
  delayBackendContract(async () => {
    const cable = layCable();
    const programs = loadPrograms(16);
    const place = { name: cable.a.name, namespace: cable.a.namespace.split('/').at(-1)!, address: '' };
    /** Only one direction is delayed. */
    const send = async (): Promise<number | undefined> => {
      const [address] = cable.b.addresses;
      const { out } = await runIn(place, 'ping', '-n', '-c', '1', '-W', '1', address!);
      const [, milliseconds] = /time=([\d.]+) ms/.exec(out) ?? [];
      return milliseconds === undefined ? undefined : Number(milliseconds);
    };
    await until(async () => (await send()) !== undefined, 'b answers');
    const delay = createDelayBackend(name, programs, 1);
    return {
      ...{ delay, send, source: cable.a, destination: cable.b },
      close: async () => {
        await programs.close();
        cable.remove();
      },
    };
  }),
);
