/** A node of a cluster: containerd and a kubelet, which have /run, /var/lib and /var/log of their own. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../../../../controller/platform/containers/containers.ts';
import { Runtime } from '../../../../controller/platform/cri/runtime.ts';
import { runtimeConfig, writeTestImage } from '../../docker/runtime-files.ts';
import type { Finished } from '../../lab/lab.ts';
import { CONTROL_ADDRESS, type ControlPlane } from './control-plane.ts';
import { Daemons } from './daemons.ts';
import type { Kubernetes } from './distribution.ts';

const SOCKET = '/run/containerd/containerd.sock';
const STATE = '/var/lib/kubelet';
/** What a kubelet wants the kernel to do, for all of the machine; here it is only told so. */
const SYSCTLS = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
} as const;

export class TestNode extends Daemons {
  readonly #index: number;

  constructor(index: number) {
    super('node');
    this.#index = index;
    this.makeNamespace();
  }

  get address(): string {
    return `10.98.0.${11 + this.#index}`;
  }

  /** Of its pods. */
  get pods(): string {
    return `10.79.${this.#index}.0/24`;
  }

  /** Connects it to the control plane, whose network knows the way to its pods. */
  connect(control: ControlPlane): void {
    const port = `node${this.#index}`;
    const ends = ['netns', control.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name];
    execFileSync('ip', ['link', 'add', port, ...ends]);
    execFileSync('ip', ['-n', control.name, 'link', 'set', port, 'master', 'nodes', 'up']);
    for (const command of [
      ['address', 'add', `${this.address}/24`, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
      ['route', 'add', 'default', 'via', CONTROL_ADDRESS],
    ])
      execFileSync('ip', ['-n', this.name, ...command]);
    execFileSync('ip', ['-n', control.name, 'route', 'add', this.pods, 'via', this.address]);
  }

  /** Resolves when its runtime has the images; the kubelet may not have joined yet. `images`: files. */
  async start(
    kubelet: Kubernetes['programs']['kubelet'],
    access: string,
    images: readonly string[],
  ): Promise<void> {
    const at = (name: string): string => join(this.folder, name);
    mkdirSync(at('cni'));
    writeFileSync(at('cni/pods.conflist'), JSON.stringify(podNetwork(this.pods, '/var/lib/cni/addresses')));
    writeFileSync(
      at('containerd.toml'),
      runtimeConfig({ folder: this.folder, socket: SOCKET, state: '/run/containerd' }),
    );
    writeFileSync(at('kubelet.json'), JSON.stringify(kubeletConfig(this.name)));
    const own = [`--config=${at('kubelet.json')}`, `--kubeconfig=${access}`, `--root-dir=${STATE}`];
    const named = [`--hostname-override=${this.name}`, `--node-ip=${this.address}`];
    const runtime = ['--container-runtime=remote', `--container-runtime-endpoint=unix://${SOCKET}`];
    await this.startAll({
      before: [
        ...['/run', '/var/lib', '/var/log'].map((folder) => `mount -t tmpfs -o mode=755 tmpfs ${folder}`),
        `mkdir -p /run/containerd /run/netns ${STATE}`,
        ...Object.entries(SYSCTLS).flatMap(([name, value]) => {
          const file = at(name.replaceAll('/', '.'));
          writeFileSync(file, `${value}\n`);
          return [`mount --bind '${file}' /proc/sys/${name}`];
        }),
        // What appears in /run is to be seen by those who have it in theirs.
        'mount --make-rshared /',
        'sysctl -q -w net.ipv4.ip_forward=1',
      ],
      commands: {
        containerd: ['containerd', '--config', at('containerd.toml')],
        kubelet: [
          ...['sh', '-c', `until ctr version >/dev/null 2>&1; do sleep 0.2; done; exec "$@"`, 'sh'],
          ...[kubelet, ...own, ...named, ...runtime, `--volume-plugin-dir=${STATE}/plugins-exec`],
        ],
      },
      answer: async () => (await this.ctr('version')).code === 0,
    });
    const image = writeTestImage(this.folder, this.busyboxTar());
    for (const file of [image, ...images]) {
      const { code, err } = await this.ctr('images', 'import', file);
      if (code !== 0) throw new Error(`ctr images import ${file}: ${err}`);
    }
  }

  ctr(...args: readonly string[]): Promise<Finished> {
    return this.inside('ctr', '--namespace', 'k8s.io', ...args);
  }

  /** Ids of the sandboxes that its runtime says are ready. */
  async readySandboxes(): Promise<string[]> {
    const runtime = new Runtime(`/proc/${this.init}/root${SOCKET}`);
    try {
      return (await runtime.list()).filter(isRunning).map(({ id }) => id);
    } finally {
      runtime.close();
    }
  }

  /** Files of the networks of its pods. */
  async podNetworks(): Promise<string[]> {
    const { out } = await this.inside('ls', '/run/netns');
    return out.split('\n').filter((name) => name.startsWith('cni-'));
  }
}

function podNetwork(subnet: string, dataDir: string): object {
  const ipam = { type: 'host-local', dataDir, ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] };
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, ipam };
  return { cniVersion: '0.4.0', name: 'pods', plugins: [bridge] };
}

/** `group`: of its pods. */
const kubeletConfig = (group: string): object => ({
  ...{ apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' },
  ...{ cgroupDriver: 'cgroupfs', cgroupsPerQOS: false, cgroupRoot: `/${group}`, enforceNodeAllocatable: [] },
  ...{ clusterDNS: [CONTROL_ADDRESS], clusterDomain: 'cluster.local', resolvConf: '' },
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  ...{ oomScoreAdj: 0, makeIPTablesUtilChains: false, protectKernelDefaults: true, failSwapOn: false },
  // The disk is the machine's, whose other use is not the cluster's matter.
  evictionHard: { 'nodefs.available': '0%', 'imagefs.available': '0%', 'memory.available': '0%' },
  imageGCHighThresholdPercent: 100,
  syncFrequency: '10s',
});
