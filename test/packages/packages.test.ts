/** Packages built twice, and installed on a Debian root that has nothing but what they depend on. */
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { agentStatus } from '../../controller/experiment/agents.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { meshKeyFile } from '../../controller/names.ts';
import { ping } from '../../controller/verify/traffic.ts';
import { ROOT } from '../../deploy/setup/processes.mjs';
import { unpackInto } from '../../deploy/vm/unpacked-packages.ts';
import { experimentName, run, runIn, until } from '../support/lab/lab.ts';
import { connectMachines } from '../support/lab/machines.ts';
import { buildPackages, sha256, withoutCheckout } from '../support/packages.ts';

let folder: string;
let out: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-packages-'));
  out = join(folder, 'first');
  await buildPackages(out, '077');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const named = (end: string): string => join(out, readdirSync(out).find((name) => name.endsWith(end))!);

it('two builds are equal, whatever the umask is', async () => {
  const again = join(folder, 'second');
  await buildPackages(again, '022');
  const sums = (built: string) => readdirSync(built).map((name) => [name, sha256(join(built, name))]);
  expect(sums(again)).toEqual(sums(out));
  expect(sums(out)).toHaveLength(4);
});

it('npm pack takes the same files', async () => {
  const copy = join(folder, 'checkout');
  const without = ['node_modules', '.git', 'dist', 'build'].map((name) => `--exclude=./${name}`).join(' ');
  const script = `mkdir '${copy}' && tar -C '${ROOT}' ${without} -cf - . | tar -C '${copy}' -xf - || exit
ln -s '${realpathSync(join(ROOT, 'node_modules'))}' '${copy}/node_modules' && cd '${copy}' || exit
npm pack --json --pack-destination '${folder}'`;
  const packed = await run('sh', ['-c', script]);
  expect(packed, packed.err).toMatchObject({ code: 0 });
  const list = async (file: string): Promise<string[]> => {
    const { out: paths } = await run('tar', ['-tf', file]);
    return paths
      .split('\n')
      .filter((path) => !path.endsWith('/'))
      .sort();
  };
  const [{ filename }] = JSON.parse(packed.out.slice(packed.out.indexOf('['))) as [{ filename: string }];
  expect(await list(join(folder, filename))).toEqual(await list(named('.tgz')));
});

it('the Debian package has one owner and two modes, whatever the umask was, and a unit that nothing enables', async () => {
  const { out } = await run('dpkg-deb', ['-c', named('.deb')]);
  const lines = out.trimEnd().split('\n');
  expect(
    lines.filter((line) => !/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) root\/root /.test(line)),
  ).toEqual([]);
  expect(out).toContain(' ./usr/bin/netfold -> ../lib/netfold/bin/netfold\n');
  expect(out).toContain(' ./usr/lib/systemd/system/netfold@.service\n');
  expect(out).not.toContain('.wants/');
  const control = (await run('dpkg-deb', ['-f', named('.deb')])).out;
  expect(control).toContain('Depends: iproute2, libbpf1');
});

/** Debian's smallest system, and what the package depends on and recommends. */
const PACKAGES = 'iproute2,libbpf1,libstdc++6,iperf3,iputils-ping';

it('on a new Debian root the package is installed, runs the job of npm start with umask 077, and is removed', async () => {
  const tools = join(folder, 'tools');
  await unpackInto(tools, ['debootstrap']);
  const root = join(folder, 'root');
  const made = await run(
    'sh',
    [
      '-c',
      'exec "$1/usr/sbin/debootstrap" --variant=minbase "--include=$2" stable "$3"',
      'sh',
      tools,
      PACKAGES,
      root,
    ],
    { ...process.env, DEBOOTSTRAP_DIR: join(tools, 'usr/share/debootstrap') },
  );
  expect(made.code, made.out.slice(-2000)).toBe(0);
  copyFileSync(named('.deb'), join(root, 'netfold.deb'));
  const script = `
mount --bind "$1" "$1" || exit
for one in proc sys dev; do mount --rbind /$one "$1/$one" || exit; done
mount -t tmpfs run "$1/run" || exit
chroot "$1" sh -c '
  umask 077
  dpkg -i /netfold.deb || exit
  netfold doctor || exit
  # It loads all that there is.
  netfold --help > /dev/null || exit
  netfold verify /usr/lib/netfold/examples/quickstart.yaml --hosts 2; code=$?
  netfold cleanup
  dpkg --purge netfold || exit
  find / -xdev -path "*netfold*" -not -path "/proc/*" -not -name netfold.deb -not -path "/var/lib/dpkg/*" -not -path "/var/log/*"
  exit $code'`;
  const tried = await withoutCheckout(script, root);
  expect(tried.code, tried.out.slice(-3000) + tried.err.slice(-3000)).toBe(0);
  expect(tried.out).toMatch(/faithful/);
});

it('an agent of another tree adopts what a killed one has left: an upgrade shapes all the time', async () => {
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  expect(await run('tar', ['-xf', named('.tar.gz'), '-C', tree, '--strip-components=1'])).toMatchObject({
    code: 0,
  });
  const { machines, remove } = connectMachines(2);
  onTestFinished(remove);
  const [first, second] = [experimentName(), experimentName()];
  const file = join(folder, 'wan.yaml');
  const key = join(folder, 'mesh.key');
  writeFileSync(
    file,
    'services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, latency: 30ms, up: 10Mbps, down: 20Mbps }]\n',
  );
  const up = await machines[0]!.netfold(
    'up',
    file,
    '--name',
    first,
    '--at',
    'a=eth0',
    '--elsewhere',
    '--detach',
  );
  expect(up, up.err).toMatchObject({ code: 0 });
  copyFileSync(meshKeyFile(first), key);
  const words = [
    'agent',
    '--join',
    machines[0]!.address,
    '--experiment',
    first,
    '--name',
    second,
    '--host',
    'b',
  ];
  const joining = [...words, '--mesh-key', key, '--at', 'b=eth0'];
  machines[1]!.start(...joining);
  const isRunning = async (): Promise<boolean> => {
    const status = await agentStatus(second, 'b').catch(() => undefined);
    return status?.state === 'running' && status.known === 2;
  };
  await until(isRunning, 'it runs', 30_000);
  process.kill(agentsOf(second)[0]!, 'SIGKILL');
  await until(() => agentsOf(second).length === 0, 'it is gone');
  // Rates stay; latency too where the kernel has netem. The delay line is a thread of the agent that has ended.
  expect((await runIn(machines[1]!, 'tc', 'qdisc')).out).toContain('qdisc htb 4e46:');
  const next = spawn('ip', ['netns', 'exec', machines[1]!.namespace, join(tree, 'bin/netfold'), ...joining], {
    stdio: 'ignore',
  });
  onTestFinished(() => void next.kill('SIGTERM'));
  await until(isRunning, 'the next one runs', 30_000);
  const isShaped = async (): Promise<boolean> =>
    (await ping(machines[1]!, machines[0]!, 5, 50)).medianMs > 50;
  await until(isShaped, 'the path is shaped as before');
});
