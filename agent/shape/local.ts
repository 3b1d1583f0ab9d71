/** An endpoint of this host, attached. */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { InterfaceNeeds } from '../enforce/interface-needs.ts';

export interface Local {
  readonly endpoint: LocalEndpoint;
  /** Of the pairs that it sends to. */
  readonly needs: InterfaceNeeds;
}
