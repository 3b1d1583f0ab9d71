/** Shares of competing flows, with two agents that know of each other's flows only by gossip. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import { arrivalRates, place, run, startLab, until } from '../../support/lab/lab.ts';

/** A shared machine may pause for 100 ms, which spoils a measurement of seconds; what is wrong fails every time. */
const MEASURED = { retry: 2 };

/** Round trips 50, 40 and 40 ms, the third limited to 10 Mb/s by its own link: 17.78, 22.22 and 10 Mb/s. */
const DUMBBELL = `
services: { client1: {}, client2: {}, client3: {}, server: { replicas: 3 } }
bridges: [s1, s2]
links:
  - { from: client1, to: s1, latency: 10ms, bandwidth: 100Mbps }
  - { from: client2, to: s1, latency: 5ms, bandwidth: 100Mbps }
  - { from: client3, to: s1, latency: 5ms, bandwidth: 10Mbps }
  - { from: s1, to: s2, latency: 10ms, bandwidth: 50Mbps }
  - { from: server, to: s2, latency: 5ms, bandwidth: 100Mbps }
`;

interface Transfers {
  readonly servers: readonly Place[];
  readonly clients: readonly ChildProcess[];
}

/** A greedy TCP flow from each client to the server of the same number. They end with the lab. */
async function startTransfers(lab: Experiment): Promise<Transfers> {
  const servers = [0, 1, 2].map((replica) => place(lab, `server.${replica}`));
  for (const { namespace } of servers)
    spawn('ip', ['netns', 'exec', namespace, 'iperf3', '-s'], { stdio: 'ignore' });
  for (const { namespace } of servers) {
    await until(
      async () => (await run('ip', ['netns', 'exec', namespace, 'ss', '-ltn'])).out.includes(':5201'),
      'iperf3 listens',
    );
  }
  const clients = servers.map(({ address }, index) => {
    const { namespace } = place(lab, `client${index + 1}`);
    return spawn('ip', ['netns', 'exec', namespace, 'iperf3', '-C', 'cubic', '-c', address, '-t', '60'], {
      stdio: 'ignore',
    });
  });
  return { servers, clients };
}

/** Relative deviation of each rate from its target in Mb/s. */
function deviations(rates: readonly number[], targets: readonly number[]): number[] {
  return rates.map((rate, index) => Math.abs(rate / (targets[index]! * 1e6) - 1));
}

it(
  'gives RTT-aware max-min shares across hosts within 2 s, the rest within 1 s, and is silent when steady',
  MEASURED,
  async () => {
    const lab = await startLab(DUMBBELL, { hosts: 2 });
    const { servers, clients } = await startTransfers(lab);

    await sleep(2000);
    const together = await arrivalRates(servers, 3);
    for (const deviation of deviations(together, [17.78, 22.22, 10])) expect(deviation).toBeLessThan(0.05);

    await sleep(1000);
    const before = await announcements(lab);
    await sleep(5000);
    expect(await announcements(lab)).toBe(before);

    clients[2]!.kill('SIGKILL');
    await sleep(1000);
    const rest = await arrivalRates(servers.slice(0, 2), 2);
    for (const deviation of deviations(rest, [22.22, 27.78])) expect(deviation).toBeLessThan(0.05);
  },
);

async function announcements(lab: Experiment): Promise<number> {
  const statuses = await lab.statuses();
  return statuses.reduce((sum, { mesh }) => sum + mesh.flowAnnouncements, 0);
}

it(
  'does not share across hosts once gossip is cut, so that it is gossip that makes shares right',
  MEASURED,
  async () => {
    const lab = await startLab(DUMBBELL, { hosts: 2 });
    const [host0, host1] = lab.plan.hosts;
    // Control traffic has addresses of its own, so the endpoints' packets still pass.
    await run('ip', ['-n', host0!.namespace, 'route', 'add', 'blackhole', `${host1!.address}/32`]);
    await run('ip', ['-n', host1!.namespace, 'route', 'add', 'blackhole', `${host0!.address}/32`]);
    const { servers } = await startTransfers(lab);

    await sleep(2000);
    const [first, second, third] = await arrivalRates(servers, 3);
    // client2 alone is on the second host: its agent sees an empty bottleneck.
    expect(second! / 50e6).toBeGreaterThan(0.95);
    // The first host shares 50 Mb/s among the two flows that it knows.
    expect((first! + third!) / 50e6).toBeGreaterThan(0.95);
  },
);
