/** What main thread and name servers' thread tell each other. */
import type { Bootstrap, LocalEndpoint } from '../../proto/bootstrap.ts';

export type NamesStart = NonNullable<Bootstrap['names']>;

export type ToNames =
  | {
      readonly kind: 'attach';
      readonly places: readonly Pick<LocalEndpoint, 'number' | 'name' | 'namespace'>[];
      readonly request: number;
    }
  | { readonly kind: 'detach'; readonly number: number; readonly request: number };

export type FromNames =
  | { readonly kind: 'problem'; readonly text: string }
  | { readonly kind: 'done'; readonly request: number };
