/** The networks of a cluster's pods, as the kernel has them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { within } from '../../../../agent/kernel/netns/namespaces.ts';
import { until } from '../../lab/lab.ts';
import type { TestCluster } from './cluster.ts';
import { SOON_MS } from './deployed.ts';

/** Files of the networks of pods that are there on any node, as this process finds them. */
export async function podNetworks({ nodes }: TestCluster): Promise<string[]> {
  const all = await Promise.all(
    nodes.map(async (node) =>
      (await node.podNetworks()).map((one) => `/proc/${node.init}/root/run/netns/${one}`),
    ),
  );
  return all.flat();
}

export const isShaped = (network: string): boolean => queuesIn(network).includes('htb 4e46:');

/** What tc shows; empty until there is an interface that is up. */
function queuesIn(network: string): string {
  try {
    return within(network, () =>
      readFileSync('/proc/thread-self/net/route', 'utf8').includes('eth0')
        ? execFileSync('tc', ['qdisc', 'show', 'dev', 'eth0'], { encoding: 'utf8' })
        : '',
    );
  } catch {
    return '';
  }
}

export interface ShapedAfter {
  /** Milliseconds from the interface of the new pod to its being shaped. */
  readonly interfaceMs: number;
  /** And from when its runtime said that the sandbox is ready, or it was shaped. */
  readonly readyMs: number;
}

export async function timeUntilShaped(
  cluster: TestCluster,
  replace: () => Promise<unknown>,
): Promise<ShapedAfter> {
  const before = new Set(await podNetworks(cluster));
  const sandboxes = new Set(await readySandboxes(cluster));
  // It may return only when the other one is shaped.
  const replaced = replace();
  replaced.catch(() => {});
  let fresh: string | undefined;
  const isThere = async (): Promise<boolean> => {
    fresh = (await podNetworks(cluster)).find((one) => !before.has(one) && queuesIn(one) !== '');
    return fresh !== undefined;
  };
  await until(isThere, 'there is another network', SOON_MS);
  const start = performance.now();
  let ready: number | undefined;
  const isDone = async (): Promise<boolean> => {
    if (isShaped(fresh!)) return true;
    if (ready === undefined && (await readySandboxes(cluster)).some((id) => !sandboxes.has(id)))
      ready = performance.now();
    return false;
  };
  await until(isDone, 'it is shaped', SOON_MS);
  const end = performance.now();
  await replaced;
  return { interfaceMs: end - start, readyMs: end - (ready ?? end) };
}

const readySandboxes = async ({ nodes }: TestCluster): Promise<string[]> =>
  (await Promise.all(nodes.map((node) => node.readySandboxes()))).flat();
