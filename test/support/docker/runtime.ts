/** A container runtime of the tests' own, with CRI: containerd, and pods made as a kubelet makes them. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Runtime } from '../../../controller/platform/cri/runtime.ts';
import { type Finished, run } from '../lab/lab.ts';
import { TestDaemon } from './daemon.ts';
import { RUNTIME_IMAGE, runtimeConfig, writeTestImage } from './runtime-files.ts';

const KUBERNETES = 'k8s.io';
const START_MS = 30_000;
/** Files that say what becomes of containers that are made. */
const [HELD, FAILS] = ['held', 'fails'];

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
    const at = (name: string): string => join(this.folder, name);
    const places = { folder: this.folder, socket: this.socket, state: at('state'), runc: at('runc') };
    writeFileSync(at('config.toml'), runtimeConfig(places));
    const waits = `while [ -e ${at(HELD)} ]; do sleep 0.05; done; [ -e ${at(FAILS)} ] && exit 1`;
    writeFileSync(places.runc, `#!/bin/sh\ncase " $* " in *" create "*) ${waits} ;; esac\nexec runc "$@"\n`);
    chmodSync(places.runc, 0o755);
    mkdirSync(join(this.folder, 'cni'));
    const ipam = {
      ...{ type: 'host-local', dataDir: join(this.folder, 'ipam') },
      ...{ ranges: [[{ subnet: '10.79.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
    };
    const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, ipam };
    const network = { cniVersion: '0.4.0', name: 'pods', plugins: [bridge] };
    writeFileSync(join(this.folder, 'cni/pods.conflist'), JSON.stringify(network));
  }

  #importImage(): void {
    const tar = writeTestImage(this.folder, this.busyboxTar());
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

  /** From now on, nothing that the runtime starts gets further than its network. */
  hold(): void {
    writeFileSync(join(this.folder, HELD), '');
  }

  /** What it is about to start, and what it will, is started, or fails. */
  release({ fails = false } = {}): void {
    if (fails) writeFileSync(join(this.folder, FAILS), '');
    else rmSync(join(this.folder, FAILS), { force: true });
    rmSync(join(this.folder, HELD), { force: true });
  }

  /** Starts a container in a pod. */
  async runContainer(
    { id, config }: Pod,
    name: string,
    command: readonly string[],
    { isLogged = true } = {},
  ): Promise<void> {
    const made = await this.client.request('CreateContainer', {
      podSandboxId: id,
      sandboxConfig: config,
      config: {
        metadata: { name },
        image: { image: RUNTIME_IMAGE },
        command,
        ...(isLogged && { logPath: `${name}.log` }),
      },
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
