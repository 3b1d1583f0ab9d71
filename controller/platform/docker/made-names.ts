/** Names and labels of what netfold makes in an engine: by them it is found again, without files. */

export const LABELS = {
  /** Of everything: the experiment's name. */
  experiment: 'netfold.experiment',
  /** Of containers: the endpoint's name. */
  endpoint: 'netfold.endpoint',
  /** Of those that hold a network: `EXPERIMENT/ENDPOINT`. */
  network: 'netfold.network-of',
} as const;

// No experiment's name has a dot, and an endpoint's ends with its number: the parts are never mixed up.
export const networkName = (experiment: string): string => `netfold.${experiment}`;
export const applicationName = (experiment: string, endpoint: string): string =>
  `netfold.${experiment}.${endpoint}`;
export const sandboxContainerName = (experiment: string, endpoint: string): string =>
  `${applicationName(experiment, endpoint)}.network`;
export const volumeName = (experiment: string, volume: string): string => `netfold.${experiment}.${volume}`;

export const networkLabel = (experiment: string, endpoint: string): string => `${experiment}/${endpoint}`;

/** The labels of everything that belongs to an endpoint. */
export const endpointLabels = (experiment: string, endpoint: string): Record<string, string> => ({
  [LABELS.experiment]: experiment,
  [LABELS.endpoint]: endpoint,
});
