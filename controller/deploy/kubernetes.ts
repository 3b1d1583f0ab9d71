/** A topology as a base of kustomize: agents on every node, and its services in a namespace of their own. */
import { dirname, extname } from 'node:path';
import { stringify } from 'yaml';
import type { Topology } from '../../topology/model/model.ts';
import type { TopologyText } from '../experiment/bootstraps.ts';
import { MESH_PORT } from '../names.ts';
import { AGENT_CAPABILITIES, FILES, WRITABLE } from './agent-rights.ts';
import { DeployError } from './errors.ts';
import { type DeployedFiles, write, writeInputs } from './files.ts';
import { type ClusterSelector, nodeSelector } from './kubernetes-selectors.ts';
import { LABELS, lostOf, workloadOf } from './kubernetes-workloads.ts';

const KUSTOMIZATION = 'kustomization.yaml';
const AGENTS_FILE = 'agents.yaml';
const WORKLOADS_FILE = 'workloads.yaml';
const AGENT = 'netfold-agent';
const CONFIG = 'netfold-topology';
const KEYS = 'netfold-keys';
/** Where the node's /run is in an agent's container: the sockets of container runtimes are below. */
const HOST_RUN = '/host/run';

export interface KubernetesDeployment {
  readonly name: string;
  readonly folder: string;
  readonly image: string;
  readonly topology: Topology;
  readonly source: TopologyText;
}

type Described = Pick<KubernetesDeployment, 'name' | 'image' | 'topology'>;

/** The experiment's namespace, and that of its agents, which need rights that applications must not have. */
export const namespaceOf = (name: string): string => name;
const agentsNamespaceOf = (name: string): string => `${name}-netfold`;

/** Returns what of the topology Kubernetes has no equivalent for. Throws `DeployError`. */
export function writeManifests(
  deployment: KubernetesDeployment,
  selectors: readonly ClusterSelector[],
): readonly string[] {
  const { name, folder, topology, source } = deployment;
  const made = topology.services.filter((service) => !selectors.some((one) => one.service === service.name));
  // Before anything is written.
  requireNames(deployment, selectors);
  const workloads = workloadManifests(deployment, made);
  const files = writeInputs(folder, KUSTOMIZATION, source);
  write(folder, AGENTS_FILE, documents(agentManifests(deployment, files, selectors)));
  if (made.length > 0) write(folder, WORKLOADS_FILE, documents(workloads));
  write(folder, KUSTOMIZATION, documents([kustomization(name, files, made.length > 0)]));
  return made.flatMap(lostOf);
}

const documents = (all: readonly object[]): string =>
  `# Written by netfold deploy; written again, it is replaced.\n${all.map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')}`;

function kustomization(name: string, files: DeployedFiles, hasWorkloads: boolean): object {
  const namespace = agentsNamespaceOf(name);
  const topology = [files.topology, ...(files.script === undefined ? [] : [files.script])];
  return {
    ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' },
    resources: [AGENTS_FILE, ...(hasWorkloads ? [WORKLOADS_FILE] : [])],
    // Their names contain a hash of their content, so that agents start anew when it changes.
    configMapGenerator: [{ name: CONFIG, namespace, files: topology }],
    secretGenerator: [{ name: KEYS, namespace, files: [files.meshKey, files.userKey] }],
  };
}

function workloadManifests({ name }: Described, services: Topology['services']): object[] {
  const namespace = namespaceOf(name);
  const isPlain = services.every(
    ({ capAdd, container }) => !capAdd && !container?.volumes && !container?.ports,
  );
  return [
    // `baseline` has neither volumes of the node, nor its ports, nor further capabilities.
    namespaceManifest(name, namespace, isPlain ? 'baseline' : 'privileged'),
    ...services.flatMap((service) => workloadOf(name, namespace, service)),
  ];
}

const namespaceManifest = (experiment: string, name: string, level: string): object => ({
  ...{ apiVersion: 'v1', kind: 'Namespace' },
  metadata: {
    name,
    labels: { [LABELS.experiment]: experiment, 'pod-security.kubernetes.io/enforce': level },
  },
});

function agentManifests(
  { name, image, topology }: Described,
  files: DeployedFiles,
  selectors: readonly ClusterSelector[],
): object[] {
  const namespace = agentsNamespaceOf(name);
  const labels = { [LABELS.experiment]: name, 'app.kubernetes.io/name': AGENT };
  const metadata = { name: AGENT, namespace, labels };
  return [
    namespaceManifest(name, namespace, 'privileged'),
    // Agents ask nothing of the cluster's API, so they have no role, and not even a token.
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: {
        ...{ clusterIP: 'None', publishNotReadyAddresses: true, selector: labels },
        ports: [{ name: 'mesh', port: MESH_PORT, protocol: 'TCP' }],
      },
    },
    {
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata },
      spec: {
        podSelector: {},
        policyTypes: ['Ingress'],
        ingress: [
          { from: [{ podSelector: { matchLabels: labels } }], ports: [{ protocol: 'TCP', port: MESH_PORT }] },
        ],
      },
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata },
      spec: {
        selector: { matchLabels: labels },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
        template: {
          // Its default profile forbids mounts. The field for it is of Kubernetes 1.30; this works before and after.
          metadata: {
            labels,
            annotations: { 'container.apparmor.security.beta.kubernetes.io/agent': 'unconfined' },
          },
          spec: agentPod({ image, files, args: argsOf(name, namespace, topology, files, selectors) }),
        },
      },
    },
  ];
}

function argsOf(
  name: string,
  namespace: string,
  { services }: Topology,
  files: DeployedFiles,
  selectors: readonly ClusterSelector[],
): string[] {
  const own = services
    .filter((service) => !selectors.some((one) => one.service === service.name))
    .map((service) => ({
      service: service.name,
      labels: { [LABELS.experiment]: name, [LABELS.service]: service.name },
      namespace: namespaceOf(name),
    }));
  return [
    ...['node', topologyFile(files), '--name', name, '--engine', 'cri'],
    ...['--find', `${AGENT}.${namespace}.svc`, '--mesh-key', FILES.meshKey, '--user-key', FILES.userKey],
    ...(files.script === undefined ? [] : ['--events', scriptFile(files.script)]),
    ...[...own, ...selectors].flatMap((selector) => ['--select', nodeSelector(selector)]),
  ];
}

const topologyFile = ({ topology }: DeployedFiles): string => `${FILES.topology}${extname(topology)}`;
const scriptFile = (script: string): string => `${FILES.topology}-events${extname(script)}`;

/**
 * Everybody may write to a pod's volumes (mode 1777, whatever is asked), and netfold's own folders must not be such: they are made
 * below.
 */
const VOLUMES: readonly string[] = [
  ...new Set(WRITABLE.map((path) => (dirname(path) === '/' ? path : dirname(path)))),
];

interface AgentPod {
  readonly image: string;
  readonly files: DeployedFiles;
  readonly args: readonly string[];
}

function agentPod({ image, files, args }: AgentPod): object {
  const [READ_ONLY, PRIVATE] = [0o444, 0o400];
  // Files of their own instead of links, which netfold does not follow where keys are.
  const file = (name: string, mountPath: string, subPath: string): object => ({
    ...{ name, mountPath, subPath, readOnly: true },
  });
  return {
    ...{ serviceAccountName: AGENT, automountServiceAccountToken: false },
    // The networks of pods are found by their processes.
    hostPID: true,
    terminationGracePeriodSeconds: 20,
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        ...{ name: 'agent', image, imagePullPolicy: 'IfNotPresent', args },
        env: [
          { name: 'NETFOLD_HOST', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'NETFOLD_RUN', value: HOST_RUN },
          { name: 'NETFOLD_KEY', value: FILES.userKey },
        ],
        ports: [{ name: 'mesh', containerPort: MESH_PORT, protocol: 'TCP' }],
        resources: { requests: { cpu: '100m', memory: '150Mi' }, limits: { memory: '1Gi' } },
        securityContext: {
          ...{ runAsUser: 0, readOnlyRootFilesystem: true, privileged: false },
          capabilities: { drop: ['ALL'], add: AGENT_CAPABILITIES.map(({ name }) => name) },
        },
        volumeMounts: [
          { name: 'run', mountPath: HOST_RUN, readOnly: true, mountPropagation: 'HostToContainer' },
          file('topology', topologyFile(files), files.topology),
          ...(files.script === undefined ? [] : [file('topology', scriptFile(files.script), files.script)]),
          file('keys', FILES.meshKey, files.meshKey),
          file('keys', FILES.userKey, files.userKey),
          ...VOLUMES.map((mountPath, index) => ({ name: `own-${index}`, mountPath })),
        ],
      },
    ],
    volumes: [
      { name: 'run', hostPath: { path: '/run', type: 'Directory' } },
      { name: 'topology', configMap: { name: CONFIG, defaultMode: READ_ONLY } },
      { name: 'keys', secret: { secretName: KEYS, defaultMode: PRIVATE } },
      ...VOLUMES.map((_, index) => ({ name: `own-${index}`, emptyDir: { medium: 'Memory' } })),
    ],
  };
}

/** Namespaces: names of DNS, with room for that of the agents. */
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$/;

function requireNames({ name, topology }: Described, selectors: readonly ClusterSelector[]): void {
  if (!NAMESPACE.test(name))
    throw new DeployError(
      'DEPLOY_NAME',
      `"${name}" is no name for a namespace of Kubernetes`,
      'give another, of small letters, digits and -: --name lab',
    );
  const unknown = selectors.find(({ service }) => !topology.services.some((one) => one.name === service));
  if (unknown)
    throw new DeployError(
      'DEPLOY_USAGE',
      `--select ${unknown.service}: the topology has no such service`,
      `it has: ${topology.services.map((service) => service.name).join(' ')}`,
    );
}
