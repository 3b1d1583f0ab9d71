/** A container runtime of the tests' own, with CRI: containerd, and pods made as a kubelet makes them. */

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Runtime } from '../../../controller/platform/cri/runtime.ts';
import { type Finished, run } from '../lab/lab.ts';
import { TestDaemon } from './daemon.ts';

/** Of pods and of their sandboxes. */
const IMAGE = 'localhost/netfold-test:1';
const KUBERNETES = 'k8s.io';
/** Where Debian has the plugins of containernetworking-plugins. */
const PLUGINS = '/usr/lib/cni';
const START_MS = 30_000;
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface Pod {
  readonly id: string;
  readonly config: object;
}

export interface PodOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly onHost?: boolean;
  /** How often it was made before. */
  readonly attempt?: number;
}

export class TestRuntime extends TestDaemon {
  readonly socket: string;
  readonly client: Runtime;

  private constructor() {
    super('cri');
    this.socket = join(this.folder, 'containerd.sock');
    this.client = new Runtime(this.socket, START_MS);
  }

  /** Resolves when it answers, and has the image. */
  static async start(): Promise<TestRuntime> {
    const runtime = new TestRuntime();
    try {
      runtime.makeNamespace();
      runtime.#configure();
      await runtime.startDaemon();
      runtime.#importImage();
      return runtime;
    } catch (error) {
      await runtime.remove();
      throw error;
    }
  }

  get env(): NodeJS.ProcessEnv {
    return { ...process.env, CONTAINER_RUNTIME_ENDPOINT: `unix://${this.socket}`, NO_COLOR: '1' };
  }

  protected words(): string[] {
    return ['containerd', '--config', join(this.folder, 'config.toml')];
  }

  protected answers(): boolean {
    return this.#ctr('plugins', 'list').stdout?.match(/cri\s+\S+\s+ok/) !== null && this.#isUp();
  }

  #isUp(): boolean {
    return this.#ctr('version').status === 0;
  }

  #ctr(...args: readonly string[]) {
    return spawnSync('ctr', ['--address', this.socket, '--namespace', KUBERNETES, ...args], {
      encoding: 'utf8',
    });
  }

  #configure(): void {
    const at = (name: string): string => JSON.stringify(join(this.folder, name));
    const cri = 'plugins."io.containerd.grpc.v1.cri"';
    writeFileSync(
      join(this.folder, 'config.toml'),
      [
        ...['version = 2', `root = ${at('data')}`, `state = ${at('state')}`],
        ...['[grpc]', `address = ${at('containerd.sock')}`],
        ...['[plugins."io.containerd.internal.v1.opt"]', `path = ${at('opt')}`],
        ...[
          `[${cri}]`,
          `sandbox_image = "${IMAGE}"`,
          'restrict_oom_score_adj = true',
          'disable_apparmor = true',
        ],
        ...[`[${cri}.cni]`, `bin_dir = "${PLUGINS}"`, `conf_dir = ${at('cni')}`],
      ].join('\n'),
    );
    mkdirSync(join(this.folder, 'cni'));
    const ipam = {
      ...{ type: 'host-local', dataDir: join(this.folder, 'ipam') },
      ...{ ranges: [[{ subnet: '10.79.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
    };
    const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, ipam };
    const network = { cniVersion: '0.4.0', name: 'pods', plugins: [bridge] };
    writeFileSync(join(this.folder, 'cni/pods.conflist'), JSON.stringify(network));
  }

  /** In the format of `docker save`. */
  #importImage(): void {
    const layer = this.busyboxTar();
    const digest = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
    const config = {
      ...{ architecture: ARCHITECTURE[process.arch], os: 'linux' },
      config: { Cmd: ['sleep', '3600'], Env: ['PATH=/bin', 'FROM_IMAGE=yes'] },
      rootfs: { type: 'layers', diff_ids: [digest] },
    };
    const image = join(this.folder, 'image');
    mkdirSync(image);
    writeFileSync(join(image, 'layer.tar'), layer);
    writeFileSync(join(image, 'config.json'), JSON.stringify(config));
    const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }];
    writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest));
    const tar = join(this.folder, 'image.tar');
    execFileSync('tar', ['-C', image, '-cf', tar, 'manifest.json', 'config.json', 'layer.tar']);
    const { status, stderr } = this.#ctr('images', 'import', tar);
    if (status !== 0) throw new Error(`ctr images import: ${stderr}`);
  }

  /** Starts the sandbox of a pod. */
  async run(namespace: string, name: string, options: PodOptions = {}): Promise<Pod> {
    const { labels = {}, onHost = false, attempt = 0 } = options;
    const config = {
      metadata: { name, namespace, uid: `${namespace}-${name}`, attempt },
      ...(onHost ? {} : { hostname: name }),
      logDirectory: join(this.folder, 'logs', name),
      labels: { ...labels, 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace },
      linux: {
        cgroupParent: `/${this.name}`,
        securityContext: { namespaceOptions: { network: onHost ? 'NODE' : 'POD', pid: 'CONTAINER' } },
      },
    };
    mkdirSync(config.logDirectory, { recursive: true });
    const made = await this.client.request('RunPodSandbox', { config });
    return { id: (made as { podSandboxId: string }).podSandboxId, config };
  }

  /** Starts a container in a pod. */
  async runContainer({ id, config }: Pod, name: string, command: readonly string[]): Promise<void> {
    const made = await this.client.request('CreateContainer', {
      podSandboxId: id,
      sandboxConfig: config,
      config: { metadata: { name }, image: { image: IMAGE }, command, logPath: `${name}.log` },
    });
    await this.client.request('StartContainer', made);
  }

  async removePod({ id }: Pod): Promise<void> {
    await this.client.request('StopPodSandbox', { podSandboxId: id });
    await this.client.request('RemovePodSandbox', { podSandboxId: id });
  }

  async addressOf({ id }: Pod): Promise<string> {
    return (await this.client.inspect(id))!.networks.pod![0]!;
  }

  /** Runs a program in the network of a pod, as a process of this machine. */
  async inNetworkOf({ id }: Pod, ...command: readonly string[]): Promise<Finished> {
    const { namespacePath } = (await this.client.inspect(id))!;
    return run('nsenter', [`--net=${namespacePath}`, ...command]);
  }

  protected override async removeContainers(): Promise<void> {
    const pods = await this.client.list().catch(() => []);
    for (const { id } of pods) await this.removePod({ id, config: {} }).catch(() => {});
    this.client.close();
  }
}
