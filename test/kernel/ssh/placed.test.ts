/** `netfold inject` with an inventory that does not say which host is which endpoint. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Finished, until } from '../../support/lab/lab.ts';
import { type SshHosts, startSshHosts } from '../../support/lab/ssh-hosts.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const TOPOLOGY =
  'services: { client: {}, server: {} }\nlinks: [{ from: client, to: server, latency: 200ms, up: 10Mbps, down: 20Mbps }]\n';

let lab: SshHosts;
let topology: string;

beforeAll(async () => {
  lab = await startSshHosts([22, 22, 22]);
  topology = join(lab.folder, 'wan.yaml');
  writeFileSync(topology, TOPOLOGY);
});
afterAll(() => lab?.remove());

/** The third host alone has room for the server. The first can't take part: it has another SSH port than is said. */
function inventory(): string {
  const [one, two, three] = lab.hosts.map(({ address }) => address);
  const file = join(lab.folder, 'hosts.yaml');
  writeFileSync(
    file,
    `hosts:
  one: { address: ${one}, user: root, port: 23 }
  two: { address: ${two}, user: root }
  three: { address: ${three}, user: root, memory: 2TB }
needs: { server: { memory: 1TB } }
`,
  );
  return file;
}

const words = (...more: string[]): string[] => [
  ...['inject', topology, '--inventory', inventory(), '--ssh-config', lab.config],
  ...more,
];
const inject = (...more: string[]): Promise<Finished> => lab.here.netfold(...words(...more));

it('asks the hosts and the network between them, places, says where and why, and starts there', {
  timeout: 300_000,
}, async () => {
  const checked = await inject('check', '--json');
  expect(checked, checked.err).toMatchObject({ code: 0 });
  const placement = [
    { endpoint: 'client.0', host: 'two' },
    { endpoint: 'server.0', host: 'three' },
  ];
  expect(JSON.parse(checked.out)).toMatchObject({
    hosts: [
      { host: 'two', ok: true },
      { host: 'three', ok: true },
    ],
    ...{ placement, network: { paths: 2, missed: 0 } },
  });
  const told = await inject('check');
  expect(told.out).toContain('one: ');
  expect(told.out).toMatch(/^client\.0 is two \(\d+ cores?\)$/m);
  expect(told.out).toMatch(/^client\.0 > server\.0: 200ms asked for, two > three takes [\d.]+(us|ms)$/m);

  onTestFinished(async () => void (await inject('stop', '--no-gather')));
  const started = await inject();
  expect(started, started.out + started.err).toMatchObject({ code: 0 });
  // Neither topology nor inventory says it; the hosts do.
  const inside = await inject('exec', 'server', '--', 'sh', '-c', 'echo "$NETFOLD_NODE"; hostname -I');
  expect(inside.out, inside.err).toMatch(new RegExp(`^server\\.0\n.*${lab.hosts[2]!.address}`));
  expectSuccess(await inject('exec', 'two', '--', 'true'));

  // Which host is which, the first answer says: nobody waits for a host whose shell comes when the command is over.
  expectSuccess(await lab.sh(2, 'mkdir .ssh && echo sleep 10 > .ssh/rc'));
  const { child, output } = lab.here.start(...words('exec', 'two', '--', 'echo', 'done'));
  const ended = once(child, 'exit');
  await until(() => output().includes('done'), 'the command runs', 60_000);
  expect(await ended).toEqual([0, null]);
  expectSuccess(await lab.sh(2, 'rm -r .ssh'));
});
