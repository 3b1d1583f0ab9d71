/** What somebody looks at. */
import type { Network } from './network.ts';

export type Selection =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'nodes'; readonly names: readonly string[] }
  /** By its key. */
  | { readonly kind: 'cable'; readonly key: string }
  | { readonly kind: 'path'; readonly from: string; readonly to: string };

export const NOTHING: Selection = { kind: 'nothing' };

export const pathOf = (pair: string): Selection => {
  const [from, to] = pair.split('>') as [string, string];
  return { kind: 'path', from, to };
};

/** After a click on a node. */
export function withNode(selection: Selection, name: string, adds: boolean): Selection {
  const before = selectedNodes(selection);
  if (!adds) return { kind: 'nodes', names: [name] };
  const names = before.includes(name) ? before.filter((one) => one !== name) : [...before, name];
  return names.length === 0 ? NOTHING : { kind: 'nodes', names };
}

export function selectedNodes(selection: Selection): readonly string[] {
  if (selection.kind === 'nodes') return selection.names;
  return selection.kind === 'path' ? [selection.from, selection.to] : [];
}

/** Two endpoints are the ends of a path as well. */
export function pathEnds(selection: Selection, network: Network): readonly [string, string] | undefined {
  const names = selectedNodes(selection);
  const areEndpoints = names.every((name) => network.nodes.get(name)?.kind === 'endpoint');
  return names.length === 2 && areEndpoints ? [names[0]!, names[1]!] : undefined;
}
