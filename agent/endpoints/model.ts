/** An endpoint that runs on this host. */
export interface LocalEndpoint {
  /** Its number in the topology (`Graph.endpoints`). */
  readonly number: number;
  readonly name: string;
  /** Path of its network namespace, e.g. /run/netns/netfold.lab.client.0. */
  readonly namespace: string;
  /** The interface whose egress is shaped. */
  readonly ifname: string;
  readonly ifindex: number;
  /** IPv4 and IPv6, as text. */
  readonly addresses: readonly string[];
  /**
   * The interface carries traffic of others, and goes on when netfold leaves: it is drained before its root goes, may have
   * somebody else's root (take-over), and is given back as it was.
   */
  readonly outlivesAgent?: boolean | undefined;
}
