/** A program with the SDK, where hosts over SSH can be reached: starts an experiment there, asks for it, and ends it. Prints what it saw. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NetfoldError } from '../../../sdk/index.ts';

const [sshConfig, topologyFile, inventoryFile] = process.argv.slice(2) as [string, string, string];
const [topology, inventory] = [topologyFile, inventoryFile].map((file) => readFileSync(file, 'utf8')) as [
  string,
  string,
];
const words = ['serve', '--listen', '127.0.0.1:0', '--json', '--ssh-config', sshConfig, '--with-stdin'];
const server = spawn(join(import.meta.dirname, '../../../bin/netfold'), words, {
  stdio: ['pipe', 'pipe', 'inherit'],
});
let out = '';
for await (const bytes of server.stdout) {
  out += bytes;
  if (out.trimEnd().endsWith('}')) break;
}
const there = connect((JSON.parse(out) as { url: string }).url);

/** Code, message and hosts of a start that fails, as who watches it sees them. */
async function failedStart(text: string) {
  const { client } = there;
  const body = { topology, file: 'wan.yaml', inject: { inventory: text } };
  const { id } = await client.call('beginStart', { body });
  for (;;) {
    const { state, error, injected } = await client.call('getStart', { params: { id } });
    if (state !== 'starting')
      return { state, error, hosts: injected.map(({ host, ok, errors }) => ({ host, ok, errors })) };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const refused = await failedStart(inventory.replace('10.9.0.2', '10.9.0.99'));
const wrong = await failedStart('hosts: [');
const checked = await there.injection(inventory).check(topology);
const lab = await there.inject(topology, { inventory, file: 'wan.yaml', lease: '20s', never: ['tcp:5301'] });
const status = await lab.status();
const logs = await lab.logs(['b.0'], { tail: 50 });
const onHost = await lab.exec('one', 'read -r line; echo "$line $SSH_CONNECTION"', { stdin: 'over SSH\n' });
const inEndpoint = await lab.exec('b', ['sh', '-c', 'echo "$NETFOLD_NODE" -n; exit 7'], { check: false });
const tooLong = await lab.exec('two', ['sleep', '20'], { timeout: '2s', check: false });
const unknown = await lab.exec('nowhere', ['true']).catch(({ code }: NetfoldError) => ({ code }));
const network = await lab.measure();
const inside = { logs, onHost, inEndpoint, tooLong, unknown, network };
const stopped = await lab.stop();
const none = await there
  .injection(inventory)
  .status()
  .catch(({ code }: NetfoldError) => ({ code }));
const removed = await there.client.call('askHosts', {
  params: { action: 'uninstall' },
  body: { inventory },
});
console.log(
  JSON.stringify({ refused, wrong, checked, name: lab.name, status, inside, stopped, none, removed }),
);
server.stdin.end();
