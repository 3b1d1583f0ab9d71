/** The programs of a control plane, in a network of their own: etcd, API server, controllers, scheduler, and a name server. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_24 } from '../../../../deploy/setup/processes.mjs';
import { Daemons } from './daemons.ts';
import type { Kubernetes } from './distribution.ts';

export const CONTROL_ADDRESS = '10.98.0.1';
const API_SERVER = `https://${CONTROL_ADDRESS}:6443`;
const ETCD = 'http://127.0.0.1:2379';
const SERVICES = '10.97.0.0/16';
const NAME_SERVER = join(import.meta.dirname, 'name-server.ts');

export class ControlPlane extends Daemons {
  readonly #programs: Kubernetes['programs'];
  readonly #tokens = new Map<string, string>();

  constructor(programs: Kubernetes['programs']) {
    super('control');
    this.#programs = programs;
    this.makeNamespace();
    for (const command of [
      ['link', 'add', 'nodes', 'type', 'bridge'],
      ['address', 'add', `${CONTROL_ADDRESS}/24`, 'dev', 'nodes'],
      ['link', 'set', 'nodes', 'up'],
    ])
      execFileSync('ip', ['-n', this.name, ...command]);
  }

  /** A file for `--kubeconfig`, which gives the rights of this user. */
  accessOf(user: string): string {
    const file = join(this.folder, `${user.replaceAll(':', '-')}.conf`);
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'it' },
      clusters: [{ name: 'it', cluster: { server: API_SERVER, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'it', user: { token: this.#tokens.get(user) } }],
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    };
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  /** Resolves when the API server answers. `nodes`: who may join. */
  async start(nodes: readonly string[]): Promise<void> {
    const users = [
      ['admin', 'system:masters'],
      ...nodes.map((node) => [`system:node:${node}`, 'system:nodes']),
    ] as [string, string][];
    const lines = users.map(([user, group]) => {
      const token = randomBytes(16).toString('hex');
      this.#tokens.set(user, token);
      return `${token},${user},${user},"${group}"\n`;
    });
    const tokens = join(this.folder, 'tokens.csv');
    writeFileSync(tokens, lines.join(''), { mode: 0o600 });
    await this.startAll({
      before: ['sysctl -q -w net.ipv4.ip_forward=1'],
      commands: this.#commands(tokens),
      answer: () => this.#isReady(),
    });
  }

  #commands(tokens: string): Record<string, readonly string[]> {
    const at = (name: string): string => join(this.folder, name);
    const keys = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    writeFileSync(at('accounts.key'), keys.privateKey, { mode: 0o600 });
    writeFileSync(at('accounts.pub'), keys.publicKey);
    const access = `--kubeconfig=${this.accessOf('admin')}`;
    // They give up when it does not answer within some seconds.
    const ready = `until ${this.#programs.kubectl} ${access} get --raw /readyz >/dev/null 2>&1; do sleep 1; done`;
    const afterwards = ['sh', '-c', `${ready}; exec "$@"`, 'sh'];
    const admin = this.#tokens.get('admin')!;
    return {
      etcd: [
        ...[this.#programs.etcd, `--data-dir=${at('etcd')}`],
        ...[`--listen-client-urls=${ETCD}`, `--advertise-client-urls=${ETCD}`],
        ...[
          '--listen-peer-urls=http://127.0.0.1:2380',
          '--heartbeat-interval=1000',
          '--election-timeout=10000',
        ],
      ],
      'api-server': [
        ...[this.#programs['kube-apiserver'], `--etcd-servers=${ETCD}`, `--cert-dir=${at('certificates')}`],
        ...[`--advertise-address=${CONTROL_ADDRESS}`, `--service-cluster-ip-range=${SERVICES}`],
        ...[`--token-auth-file=${tokens}`, '--authorization-mode=Node,RBAC', '--allow-privileged=true'],
        ...['--service-account-issuer=https://kubernetes.default.svc', '--endpoint-reconciler-type=none'],
        ...[`--service-account-key-file=${at('accounts.pub')}`],
        ...[`--service-account-signing-key-file=${at('accounts.key')}`],
        '--kubelet-preferred-address-types=InternalIP',
      ],
      // A busy machine is not a node that is gone.
      controllers: [
        ...[...afterwards, this.#programs['kube-controller-manager'], access, '--leader-elect=false'],
        ...[`--service-account-private-key-file=${at('accounts.key')}`, '--node-monitor-grace-period=5m'],
      ],
      scheduler: [...afterwards, this.#programs['kube-scheduler'], access, '--leader-elect=false'],
      names: [NODE_24, NAME_SERVER, CONTROL_ADDRESS, API_SERVER, admin],
    };
  }

  async #isReady(): Promise<boolean> {
    const { code } = await this.kubectl('get', '--raw', '/readyz');
    return code === 0;
  }

  kubectl(...args: readonly string[]) {
    // Discovery is kept in $HOME otherwise.
    const own = [`--kubeconfig=${this.accessOf('admin')}`, `--cache-dir=${join(this.folder, 'cache')}`];
    return this.beside(this.#programs.kubectl, ...own, ...args);
  }
}
