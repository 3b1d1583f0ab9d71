/** Which kinds of targets each verb accepts; `*` means the first. */
import type { LifecycleVerb } from '../model/events.ts';

export type Scope = readonly ('endpoint' | 'bridge' | 'link')[];

export const LIFECYCLE_SCOPE: Readonly<Record<LifecycleVerb, Scope>> = {
  join: ['endpoint', 'bridge', 'link'],
  leave: ['endpoint', 'bridge', 'link'],
  crash: ['endpoint'],
  disconnect: ['endpoint'],
  reconnect: ['endpoint'],
};
export const ENDPOINT_ONLY: Scope = ['endpoint'];
export const FLAP_SCOPE: Scope = ['link', 'bridge', 'endpoint'];
export const PARTITION_SCOPE: Scope = ['endpoint', 'bridge'];
export const SET_SCOPE: Scope = ['link'];
