/** What main thread and the thread of names and segments tell each other. */
import type { Bootstrap, LocalEndpoint } from '../../proto/bootstrap.ts';

export interface NamesStart {
  readonly names: NonNullable<Bootstrap['names']>;
  readonly segments?: Bootstrap['segments'];
}

export type Place = Pick<LocalEndpoint, 'number' | 'name' | 'namespace' | 'addresses'>;
export type Known = Pick<LocalEndpoint, 'number' | 'addresses'>;

export type ToNames =
  | { readonly kind: 'attach'; readonly places: readonly Place[]; readonly request: number }
  | { readonly kind: 'detach'; readonly number: number; readonly request: number }
  | { readonly kind: 'known'; readonly endpoints: readonly Known[] }
  /** See `endpointEdges`. */
  | { readonly kind: 'edges'; readonly endpoints: number; readonly edges: Int32Array }
  | { readonly kind: 'stop' };

export type FromNames =
  | { readonly kind: 'problem'; readonly text: string }
  | { readonly kind: 'done'; readonly request: number };
