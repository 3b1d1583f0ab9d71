/** Which pods of a cluster are a service of the topology: `--select client=app=web,namespace=shop`. Pure. */
import { DeployError } from './errors.ts';

export interface ClusterSelector {
  /** A service of the topology. */
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Absent: any. */
  readonly namespace?: string;
}

const MOST_CHARACTERS = 1000;
const SYNTAX = /^([A-Za-z][A-Za-z0-9_-]*)=(.+)$/s;
/** As Kubernetes has them: a key with an optional prefix, a value. */
const LABEL = /^((?:[a-z0-9.-]{1,253}\/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,62})=([A-Za-z0-9_.-]{0,63})$/;

/** Throws `DeployError`. */
export function parseClusterSelector(text: string): ClusterSelector {
  const [, service, conditions = ''] = (text.length <= MOST_CHARACTERS && SYNTAX.exec(text)) || [];
  const pairs = conditions.split(',').map((condition) => LABEL.exec(condition));
  if (service === undefined || pairs.includes(null)) throw wrong(text);
  const all = Object.fromEntries(pairs.map((pair) => [pair![1]!, pair![2]!]));
  const { namespace, ...labels } = all;
  if (Object.keys(labels).length === 0) throw wrong(text);
  return { service, labels, ...(namespace !== undefined && { namespace }) };
}

const wrong = (text: string): DeployError =>
  new DeployError(
    'DEPLOY_USAGE',
    `--select ${text.slice(0, MOST_CHARACTERS)}: this is not SERVICE=KEY=VALUE, or several pairs with commas`,
    'write for instance --select client=app=web,namespace=shop',
  );

/** As `netfold node` reads it. */
export function nodeSelector({ service, labels, namespace }: ClusterSelector): string {
  const conditions = Object.entries(labels).map(([key, value]) => `label:${key}=${value}`);
  return `${service}=${[...conditions, ...(namespace === undefined ? [] : [`namespace:${namespace}`])].join(',')}`;
}
