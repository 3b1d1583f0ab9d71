/** What an agent gets from whoever starts it: JSON over HTTP, checked on arrival. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

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
   * The interface carries traffic of others, and goes on when netfold leaves: it is drained before its root goes, may have
   * somebody else's root (take-over), and is given back as it was.
   */
  outlivesAgent: z.boolean().optional(),
});

export type LocalEndpoint = Readonly<z.infer<typeof localEndpointSchema>>;

/** `auto`: netem where the kernel has it, else the delay line. */
export const DELAY_BACKENDS = ['auto', 'netem', 'delay-line'] as const;
export type DelayBackendChoice = (typeof DELAY_BACKENDS)[number];

const topologyTextSchema = z.strictObject({
  /** As the user gave it; its ending tells the format. */
  file: z.string(),
  text: z.string(),
  /** A script of events beside it. */
  script: z.strictObject({ file: z.string(), text: z.string() }).optional(),
  /** See `topologyHash`. */
  hash: z.string().length(64),
});

const allowSchema = z.array(z.strictObject({ peer: z.string(), host: z.string().optional() }));
const assignmentSchema = z.record(z.string(), z.string());

export const bootstrapSchema = z.strictObject({
  experiment: z.string(),
  /** Name of the agent's host. */
  host: z.string(),
  /** Name of the platform that it is on: nothing to the agent, which tells it to a controller that comes later. */
  platform: z.string().optional(),
  topology: topologyTextSchema,
  endpoints: z.array(localEndpointSchema),
  /** Other endpoints may come later, from hosts that join: what is known is in force without them. */
  partial: z.boolean().optional(),
  mesh: z.strictObject({
    listen: z.array(z.string()),
    /** What others are told to dial instead of the addresses listened at, for a host behind NAT. */
    announce: z.array(z.string()).optional(),
    peers: z.array(z.string()),
    /** The mesh's key, as agent/mesh/trust/mesh-key.ts writes it; absent: whoever reaches the port can join. */
    key: z.string().optional(),
    /** Folder on the agent's machine that keeps its identity; absent: a new one each time. */
    identity: z.string().optional(),
    /** Who may join, each under its host's name only where one is given; absent: everybody who can connect. */
    allow: allowSchema.optional(),
    /** Endpoint → the only host that may have it; absent: whoever claims it. */
    assignment: assignmentSchema.optional(),
  }),
  /** When the experiment has started, in milliseconds since 1970; absent: that is told later. */
  startAt: z.number().optional(),
  /** The same as milliseconds ago, by a clock that nobody sets; who has both uses this one. */
  startedAgoMs: z.number().optional(),
  tickMs: z.number().positive(),
  delayBackend: z.enum(DELAY_BACKENDS),
  /** What is enforced lapses when the agent doesn't renew it for so long; absent: never. */
  leaseMs: z.number().positive().optional(),
  /** What the agent may send to others, in bit/s; absent: without bound. */
  metadataBudgetBps: z.number().positive().optional(),
  /** Changes of a rate up to this part are not announced; absent: `CHANGE_THRESHOLD` of agent/usage/change-filter.ts. */
  changeThreshold: z.number().positive().max(1).optional(),
  seed: z.int(),
  /** Somebody else's root qdiscs may be replaced; they are kept and put back. */
  takeOver: z.boolean().optional(),
  /** Where the outputs of `run` commands are kept. */
  logFolder: z.string(),
});

export type Bootstrap = z.infer<typeof bootstrapSchema>;

/**
 * What any agent tells a host that joins through it. The time is not in it: agents learn that from each other's clocks
 * (agent/clock/README.md).
 */
export const invitationSchema = z.strictObject({
  experiment: z.string(),
  topology: topologyTextSchema,
  tickMs: z.number().positive(),
  delayBackend: z.enum(DELAY_BACKENDS),
  metadataBudgetBps: z.number().positive().optional(),
  changeThreshold: z.number().positive().max(1).optional(),
  /** Multiaddrs of the agents that are here. */
  peers: z.array(z.string()),
  /** Hosts that are here, with the names of the endpoints that they have. */
  hosts: z.array(z.strictObject({ name: z.string(), peer: z.string(), endpoints: z.array(z.string()) })),
  /** As in the bootstrap. */
  allow: allowSchema.optional(),
  assignment: assignmentSchema.optional(),
});

export type Invitation = z.infer<typeof invitationSchema>;

/** SHA-256 of all that decides what agents fold and when, hexadecimal. */
export function topologyHash({ text, script }: Pick<Bootstrap['topology'], 'text' | 'script'>): string {
  const hash = createHash('sha256').update(text);
  return (script ? hash.update('\0').update(script.text) : hash).digest('hex');
}
