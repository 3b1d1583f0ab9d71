/**
 * The part of CRI that netfold uses, as protobufjs describes messages: names, types and numbers of k8s.io/cri-api,
 * pkg/apis/runtime/v1/api.proto. Fields that are not here are passed over.
 */

import type { fromJSON } from '@grpc/proto-loader';

type Field = readonly [id: number, type: string];
type Fields = Readonly<Record<string, Field>>;

/** A type `map` is one from strings to strings, `T[]` is repeated. */
export function message(fields: Fields): object {
  const entries = Object.entries(fields).map(([name, [id, type]]) => {
    if (type === 'map') return [name, { keyType: 'string', type: 'string', id }];
    if (type.endsWith('[]')) return [name, { rule: 'repeated', type: type.slice(0, -2), id }];
    return [name, { type, id }];
  });
  return { fields: Object.fromEntries(entries) };
}

const values = (...names: readonly string[]): object => ({
  values: Object.fromEntries(names.map((name, value) => [name, value])),
});

const METHODS = [
  ...['Version', 'ListPodSandbox', 'PodSandboxStatus', 'ListContainers', 'ContainerStatus', 'Exec'],
  // What a kubelet does besides: the tests do it.
  ...['RunPodSandbox', 'StopPodSandbox', 'RemovePodSandbox', 'CreateContainer', 'StartContainer'],
] as const;
export type Method = (typeof METHODS)[number];

export const SERVICE = 'runtime.v1.RuntimeService';

const MESSAGES = {
  RuntimeService: {
    methods: Object.fromEntries(
      METHODS.map((name) => [name, { requestType: `${name}Request`, responseType: `${name}Response` }]),
    ),
  },
  VersionRequest: message({ version: [1, 'string'] }),
  VersionResponse: message({
    ...{ version: [1, 'string'], runtimeName: [2, 'string'] },
    ...{ runtimeVersion: [3, 'string'], runtimeApiVersion: [4, 'string'] },
  }),
  PodSandboxState: values('SANDBOX_READY', 'SANDBOX_NOTREADY'),
  NamespaceMode: values('POD', 'CONTAINER', 'NODE', 'TARGET'),
  NamespaceOption: message({ network: [1, 'NamespaceMode'], pid: [2, 'NamespaceMode'] }),
  Namespace: message({ options: [2, 'NamespaceOption'] }),
  LinuxPodSandboxStatus: message({ namespaces: [1, 'Namespace'] }),
  PodSandboxMetadata: message({
    ...{ name: [1, 'string'], uid: [2, 'string'] },
    ...{ namespace: [3, 'string'], attempt: [4, 'uint32'] },
  }),
  ListPodSandboxRequest: message({}),
  PodSandbox: message({
    ...{ id: [1, 'string'], metadata: [2, 'PodSandboxMetadata'], state: [3, 'PodSandboxState'] },
    ...{ createdAt: [4, 'int64'], labels: [5, 'map'] },
  }),
  ListPodSandboxResponse: message({ items: [1, 'PodSandbox[]'] }),
  PodSandboxStatusRequest: message({ podSandboxId: [1, 'string'], verbose: [2, 'bool'] }),
  PodIP: message({ ip: [1, 'string'] }),
  PodSandboxNetworkStatus: message({ ip: [1, 'string'], additionalIps: [2, 'PodIP[]'] }),
  PodSandboxStatus: message({
    ...{ id: [1, 'string'], metadata: [2, 'PodSandboxMetadata'], state: [3, 'PodSandboxState'] },
    ...{ network: [5, 'PodSandboxNetworkStatus'], linux: [6, 'LinuxPodSandboxStatus'] },
  }),
  PodSandboxStatusResponse: message({ status: [1, 'PodSandboxStatus'], info: [2, 'map'] }),
  ContainerState: values('CONTAINER_CREATED', 'CONTAINER_RUNNING', 'CONTAINER_EXITED', 'CONTAINER_UNKNOWN'),
  ContainerMetadata: message({ name: [1, 'string'], attempt: [2, 'uint32'] }),
  ContainerFilter: message({ podSandboxId: [3, 'string'] }),
  ListContainersRequest: message({ filter: [1, 'ContainerFilter'] }),
  Container: message({
    ...{ id: [1, 'string'], podSandboxId: [2, 'string'], metadata: [3, 'ContainerMetadata'] },
    ...{ state: [6, 'ContainerState'], createdAt: [7, 'int64'] },
  }),
  ListContainersResponse: message({ containers: [1, 'Container[]'] }),
  ContainerStatusRequest: message({ containerId: [1, 'string'], verbose: [2, 'bool'] }),
  ContainerStatus: message({ id: [1, 'string'], state: [3, 'ContainerState'], logPath: [15, 'string'] }),
  ContainerStatusResponse: message({ status: [1, 'ContainerStatus'], info: [2, 'map'] }),
  ExecRequest: message({
    ...{ containerId: [1, 'string'], cmd: [2, 'string[]'], tty: [3, 'bool'] },
    ...{ stdin: [4, 'bool'], stdout: [5, 'bool'], stderr: [6, 'bool'] },
  }),
  ExecResponse: message({ url: [1, 'string'] }),
  LinuxSandboxSecurityContext: message({ namespaceOptions: [1, 'NamespaceOption'] }),
  LinuxPodSandboxConfig: message({
    ...{ cgroupParent: [1, 'string'], securityContext: [2, 'LinuxSandboxSecurityContext'] },
  }),
  PodSandboxConfig: message({
    ...{ metadata: [1, 'PodSandboxMetadata'], hostname: [2, 'string'], logDirectory: [3, 'string'] },
    ...{ labels: [6, 'map'], annotations: [7, 'map'], linux: [8, 'LinuxPodSandboxConfig'] },
  }),
  RunPodSandboxRequest: message({ config: [1, 'PodSandboxConfig'] }),
  RunPodSandboxResponse: message({ podSandboxId: [1, 'string'] }),
  StopPodSandboxRequest: message({ podSandboxId: [1, 'string'] }),
  StopPodSandboxResponse: message({}),
  RemovePodSandboxRequest: message({ podSandboxId: [1, 'string'] }),
  RemovePodSandboxResponse: message({}),
  ImageSpec: message({ image: [1, 'string'] }),
  ContainerConfig: message({
    ...{ metadata: [1, 'ContainerMetadata'], image: [2, 'ImageSpec'], command: [3, 'string[]'] },
    ...{ labels: [9, 'map'], logPath: [11, 'string'] },
  }),
  CreateContainerRequest: message({
    ...{ podSandboxId: [1, 'string'], config: [2, 'ContainerConfig'] },
    ...{ sandboxConfig: [3, 'PodSandboxConfig'] },
  }),
  CreateContainerResponse: message({ containerId: [1, 'string'] }),
  StartContainerRequest: message({ containerId: [1, 'string'] }),
  StartContainerResponse: message({}),
};

/** For `fromJSON` of @grpc/proto-loader. */
export const RUNTIME_V1 = {
  nested: { runtime: { nested: { v1: { nested: MESSAGES } } } },
} as unknown as Parameters<typeof fromJSON>[0];
