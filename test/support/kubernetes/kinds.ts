/** What netfold writes for Kubernetes: version and kind → definition in the published schema. */
export const KINDS: Readonly<Record<string, string>> = {
  'v1 Namespace': 'io.k8s.api.core.v1.Namespace',
  'v1 Service': 'io.k8s.api.core.v1.Service',
  'v1 ServiceAccount': 'io.k8s.api.core.v1.ServiceAccount',
  'v1 ConfigMap': 'io.k8s.api.core.v1.ConfigMap',
  'v1 Secret': 'io.k8s.api.core.v1.Secret',
  'apps/v1 DaemonSet': 'io.k8s.api.apps.v1.DaemonSet',
  'apps/v1 StatefulSet': 'io.k8s.api.apps.v1.StatefulSet',
  'networking.k8s.io/v1 NetworkPolicy': 'io.k8s.api.networking.v1.NetworkPolicy',
};
