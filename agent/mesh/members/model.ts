/** What an agent reports of its view of the mesh. */

export interface MeshHost {
  readonly name: string;
  readonly peer: string;
  readonly incarnation: number;
  readonly sequence: number;
  /** `Clock.now()`; for the own host, always the present. */
  readonly lastHeard: number;
  readonly self: boolean;
  readonly endpoints: number;
  readonly flows: number;
  readonly meshAddresses: readonly string[];
  /** Its latest message had the same commands as this agent. */
  readonly inStep: boolean;
  /** It knows the experiment's time. */
  readonly timed: boolean;
  /** The two are neighbours (neighbours.ts). */
  readonly near: boolean;
}

export interface MeshEndpoint {
  readonly number: number;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Name of the host that has it. */
  readonly host: string;
}

export interface RemoteFlow {
  readonly source: number;
  readonly destination: number;
  readonly rateBps: number;
  readonly greedy: boolean;
}

/** Contradictions. Nothing of them is applied, except the first claim to an endpoint. */
export type MeshConflict =
  | { readonly kind: 'endpoint'; readonly endpoint: string; readonly hosts: readonly string[] }
  /** The host gives its endpoint an address that belongs to another one. */
  | {
      readonly kind: 'address';
      readonly host: string;
      readonly endpoint: string;
      readonly address: string;
      readonly holder: string;
    }
  | { readonly kind: 'topology'; readonly host: string; readonly peer: string; readonly topology: string }
  /** Another host has this agent's identity. */
  | { readonly kind: 'identity'; readonly host: string; readonly peer: string }
  | { readonly kind: 'host'; readonly host: string; readonly peer: string };
