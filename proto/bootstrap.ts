/** The data with which an agent starts: JSON over HTTP, checked on arrival. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { commandRulesSchema, commandSchema } from './command.ts';

/** An endpoint that runs on an agent's host. */
export const localEndpointSchema = z.strictObject({
  /** Its number in the topology (`Graph.endpoints`). */
  number: z.int().nonnegative(),
  name: z.string(),
  /** Path of its network namespace, e.g. /run/netns/netfold.lab.client.0. */
  namespace: z.string(),
  /** The interface whose egress is shaped. */
  ifname: z.string(),
  ifindex: z.int().positive(),
  /** IPv4 and IPv6, as text. */
  addresses: z.array(z.string()).min(1).readonly(),
  /**
   * The interface also carries other traffic, and stays when netfold leaves: it is drained before its root is
   * removed, may have a foreign root (take-over), and is restored.
   */
  outlivesAgent: z.boolean().optional(),
});

export type LocalEndpoint = Readonly<z.infer<typeof localEndpointSchema>>;

/** `auto`: netem if the kernel has it, otherwise the delay line. */
export const DELAY_BACKENDS = ['auto', 'netem', 'delay-line'] as const;
export type DelayBackendChoice = (typeof DELAY_BACKENDS)[number];

const topologyTextSchema = z.strictObject({
  /** As the user gave it; its extension names the format. */
  file: z.string(),
  text: z.string(),
  /** A script of events for it. */
  script: z.strictObject({ file: z.string(), text: z.string() }).optional(),
  /** See `topologyHash`. */
  hash: z.string().length(64),
});

const allowSchema = z.array(z.strictObject({ peer: z.string(), host: z.string().optional() }));
const assignmentSchema = z.record(z.string(), z.string());
const addressesSchema = z.record(z.string(), z.array(z.string()).readonly());

/** As many of each kind find room in the kernel's table (bpf/layout.h). */
export const MOST_EXEMPTIONS = 16;

const exemptPortSchema = z.strictObject({
  protocol: z.enum(['tcp', 'udp']),
  port: z.int().min(1).max(65_535),
});
const exemptNetworkSchema = z.strictObject({
  /** An address, IPv4 or IPv6. */
  network: z.string().refine((text) => isIP(text) !== 0),
  /** How many of its bits count. */
  bits: z.int().min(0).max(128),
});

/** Traffic that is never shaped: a port at either end, or an address at either end that is in the network. */
export type Exemption =
  | Readonly<z.infer<typeof exemptPortSchema>>
  | Readonly<z.infer<typeof exemptNetworkSchema>>;

export function hasRoomFor(exemptions: readonly Exemption[]): boolean {
  const ports = exemptions.filter((one) => 'port' in one).length;
  return Math.max(ports, exemptions.length - ports) <= MOST_EXEMPTIONS;
}

export const exemptionsSchema = z
  .array(z.union([exemptPortSchema, exemptNetworkSchema]))
  .readonly()
  .refine(hasRoomFor);

export const bootstrapSchema = z.strictObject({
  experiment: z.string(),
  /** Name of the agent's host. */
  host: z.string(),
  /**
   * Name of the agent's platform. The agent does not use it, but reports it to a controller that resumes the
   * experiment.
   */
  platform: z.string().optional(),
  topology: topologyTextSchema,
  endpoints: z.array(localEndpointSchema),
  /** Other endpoints may follow, from hosts that join: known paths are enforced without them. */
  partial: z.boolean().optional(),
  mesh: z.strictObject({
    listen: z.array(z.string()),
    /** What is announced to others instead of the addresses listened at, for a host behind NAT. */
    announce: z.array(z.string()).optional(),
    peers: z.array(z.string()),
    /**
     * The mesh's key, as agent/mesh/trust/mesh-key.ts writes it; absent: every peer that reaches the port can join.
     */
    key: z.string().optional(),
    /** Where the agent's machine has it: a key that replaces it is written there. Absent: nowhere. */
    keyFile: z.string().optional(),
    /** Folder on the agent's machine that keeps its identity; absent: a new one each time. */
    identity: z.string().optional(),
    /** Which peers may join; an entry with a host name allows only that name. Absent: every peer that can connect. */
    allow: allowSchema.optional(),
    /** Endpoint → the only host that may have it; absent: any host may claim it. */
    assignment: assignmentSchema.optional(),
    /** Endpoint → the addresses that no other endpoint may have; absent: the first that has one keeps it. */
    addresses: addressesSchema.optional(),
    /** Who may give which commands; absent: commands have no signatures, and every member may give all. */
    commands: commandRulesSchema.optional(),
  }),
  /** When the experiment started, in milliseconds since 1970; absent: the start follows later. */
  startAt: z.number().optional(),
  /** The same as milliseconds ago, by a clock that no date affects; it has precedence over `startAt`. */
  startedAgoMs: z.number().optional(),
  tickMs: z.number().positive(),
  delayBackend: z.enum(DELAY_BACKENDS),
  /** Shaping ends if the agent doesn't renew it for this long; absent: never. */
  leaseMs: z.number().positive().optional(),
  /** Where there is a lease: traffic that is never shaped nor counted, beside SSH and the mesh. */
  never: exemptionsSchema.optional(),
  /** The bound of what the agent may send to others, in bit/s; absent: no bound. */
  metadataBudgetBps: z.number().positive().optional(),
  /** Changes of a rate up to this part are not announced; absent: `CHANGE_THRESHOLD` of agent/usage/change-filter.ts. */
  changeThreshold: z.number().positive().max(1).optional(),
  seed: z.int(),
  /** Foreign root qdiscs may be replaced; they are recorded and restored. */
  takeOver: z.boolean().optional(),
  /** Where the outputs of `run` commands are kept. */
  logFolder: z.string(),
  /**
   * Each endpoint has a DNS server on its loopback, at these addresses, with the names of the file, whose format is that of
   * /etc/hosts; absent: none has.
   */
  names: z.strictObject({ hostsFile: z.string(), listen: z.array(z.string()).min(1) }).optional(),
  /**
   * What an endpoint sends to all or to many is carried to those on its segment. The interface at the host's end of endpoint N
   * has the index `firstPort` + N, in the agent's namespace; absent: nothing is carried. Needs `names`.
   */
  segments: z.strictObject({ firstPort: z.int().positive() }).optional(),
  /** Holds a folder for each endpoint, made by the controller; absent: they have none. */
  dataFolder: z.string().optional(),
  /**
   * Who begins and ends what runs in the endpoints; absent: this agent. `elsewhere`: commands that would begin or end it are
   * refused, with this reason and remedy.
   */
  lives: z.strictObject({ elsewhere: z.string(), remedy: z.string() }).optional(),
  /** Whether a datagram of each endpoint is seen to meet netfold's rule before all is said to be in force. */
  triesPaths: z.boolean().optional(),
  /**
   * Applications are containers, which this agent starts and ends: the engine's socket, and endpoint → name of its container; absent:
   * they are commands.
   */
  containers: z.strictObject({ socket: z.string(), names: z.record(z.string(), z.string()) }).optional(),
});

export type Bootstrap = z.infer<typeof bootstrapSchema>;

/** In `dataFolder`, beside the folders of endpoints, whose names begin with a letter: what each leaves for the record. */
export const OUT_FOLDER = '.out';

/**
 * The invitation that any agent gives to a host that joins. It does not contain the time: agents take that from each
 * other's clocks (agent/clock/README.md).
 */
export const invitationSchema = z.strictObject({
  experiment: z.string(),
  topology: topologyTextSchema,
  tickMs: z.number().positive(),
  delayBackend: z.enum(DELAY_BACKENDS),
  metadataBudgetBps: z.number().positive().optional(),
  changeThreshold: z.number().positive().max(1).optional(),
  /** Multiaddrs of the present agents. */
  peers: z.array(z.string()),
  /** Present hosts, with the names of their endpoints. */
  hosts: z.array(z.strictObject({ name: z.string(), peer: z.string(), endpoints: z.array(z.string()) })),
  /** As in the bootstrap. */
  allow: allowSchema.optional(),
  assignment: assignmentSchema.optional(),
  addresses: addressesSchema.optional(),
  commands: commandRulesSchema.optional(),
  /** The signed commands by which the experiment has ended: there is nothing to join any more. Absent: it goes on. */
  ended: z.array(commandSchema).optional(),
});

export type Invitation = z.infer<typeof invitationSchema>;

/** SHA-256 of everything that determines what agents fold and when, hexadecimal. */
export function topologyHash({ text, script }: Pick<Bootstrap['topology'], 'text' | 'script'>): string {
  const hash = createHash('sha256').update(text);
  return (script ? hash.update('\0').update(script.text) : hash).digest('hex');
}
